"""What only spectra can do wrong: each rule fires, and clean spectra break none."""

import pytest
from spectra_made import SpectraExample

from sdq_raman.spectra import RamanDescriber, list_spectra

HEADER = "# laser_nm: 785\n"
RAMP = [f"{500 + 10 * k},{100 + k}" for k in range(150)]


def rules(folder, text):
    (folder / "one.csv").write_text(text)
    (item,) = list_spectra(folder).items
    description = RamanDescriber({"first": 600.0, "last": 1800.0})(item)
    return description.readable, {f.rule.removeprefix("raman.") for f in description.findings}


@pytest.mark.parametrize(
    ("text", "readable", "rule"),
    [
        (HEADER + "a,b\n", False, "structure.not_a_spectrum"),
        (HEADER + "\n".join(RAMP[:60]), False, "structure.cut_off"),
        (HEADER + "\n".join([*RAMP[:9], "590,inf", *RAMP[10:]]), True, "structure.not_finite"),
        (HEADER + "\n".join([*RAMP[:70], *(f"{1200 + 10 * k},9999" for k in range(5)), *RAMP[75:]]),
         True, "structure.saturated"),
        ("\n".join(RAMP), True, "metadata.excitation"),
    ],
)  # fmt: skip
def test_a_rule_fires(text, readable, rule, tmp_path):
    assert rules(tmp_path, text) == (readable, {rule})


def test_clean_spectra_break_no_rule(tmp_path):
    SpectraExample().make(tmp_path, 5, 20, synthetic=False, severity=0.0)
    describer = RamanDescriber({"first": 600.0, "last": 1800.0})
    assert not [f for item in list_spectra(tmp_path).items for f in describer(item).findings]
