"""The conformance kit itself: a good toy passes all, each broken toy fails exactly its check."""

import subprocess
import sys
from types import MappingProxyType

import pytest
from toy_modality import Toy, ToyExample, broken
from toy_modality.heavy import HeavyExample

from sdq_core.errors import UsageError
from sdq_core.testing import CHECKS, NotConforming, check_modality, parametrize_with_checks
from sdq_core.testing.probe import HEAVY, probe
from sdq_core.testing.running import bound

BROKEN = {**broken.BROKEN, "check_import_is_light": [HeavyExample]}
PROBED = (
    "check_import_is_light",
    "check_descriptions_repeat",
    "check_measurements_repeat",
    "check_network_is_not_used",
)
"""Need a fresh process: run by the good toy, and by the toys that break one of them."""
DEAR = ("check_workers", "check_result_is_whole")
"""Start workers or write a whole result: run by the good toy, and by the toys that break them."""


@pytest.fixture(scope="module", autouse=True)
def _tidy():
    yield
    broken.remove_made_profiles()


@pytest.fixture(scope="module")
def checks():
    """The checks of every broken toy. One fresh process tries those of `PROBED`, `heavy` first."""
    found = {
        (name, number): bound(example())
        for name, examples in BROKEN.items()
        for number, example in enumerate(examples)
    }
    probed = [found[name, 0][0].trial for name in PROBED]
    for trial, answer in zip(probed, probe([t.task for t in probed]), strict=True):
        trial.probe = answer
    return found


@parametrize_with_checks(ToyExample())
def test_a_good_toy_passes(check):
    check()


@pytest.mark.parametrize(
    ("name", "number"), [(n, k) for n, found in BROKEN.items() for k in range(len(found))]
)
def test_a_broken_toy_fails_exactly_its_check(name, number, checks):
    failed = {}
    for check in checks[name, number]:
        if check.name != name and left_out(check.name, name, number):
            continue
        try:
            check()
        except NotConforming as error:
            failed[check.name] = str(error)
    assert list(failed) == [name], failed
    # The message names plugin, check and what to do, in one line.
    message = failed[name]
    assert message.startswith(f"{BROKEN[name][number].modality.__name__}, {name}: ")
    assert "\n" not in message


def left_out(check, name, number):
    """Whether a check is not run for a toy: further toys are there for their own check alone."""
    return number or check in DEAR or (check in PROBED and name not in PROBED)


def test_every_check_has_a_broken_toy():
    assert set(BROKEN) == set(CHECKS)


def test_all_failures_are_collected(monkeypatch, checks):
    from sdq_core.testing import running

    found = [c for c in checks["check_names", 0] if c.name not in (*DEAR, *PROBED)]
    other = next(c for c in checks["check_thumbnails", 0] if c.name == "check_thumbnails")
    mixed = [other if c.name == other.name else c for c in found]
    monkeypatch.setattr(running, "bound", lambda example: mixed)
    with pytest.raises(NotConforming, match=r"fails 2 of \d+ checks") as raised:
        check_modality(ToyExample())
    assert "check_names: " in str(raised.value)
    assert "check_thumbnails: " in str(raised.value)


def test_outcomes_tell_what_was_expected_and_what_does_not_apply(monkeypatch, checks):
    from sdq_core.testing import running

    class Expecting(ToyExample):
        expected_failures = MappingProxyType(
            {"check_thumbnails": "draws GIF", "check_listing": "old"}
        )

    class WithoutPlanter(Toy):
        def planter(self, study):
            return None

    found = {c.name: c for c in checks["check_thumbnails", 0]}
    trial = found["check_listing"].trial
    monkeypatch.setattr(trial, "example", Expecting())
    monkeypatch.setattr(trial, "modality", WithoutPlanter())
    names = ("check_thumbnails", "check_listing", "check_clean_copy", "check_batches")
    monkeypatch.setattr(trial.modality, "thumbnail", lambda item, settings: b"GIF")
    monkeypatch.setattr(running, "bound", lambda example: [found[n] for n in names])
    with pytest.raises(NotConforming, match="check_listing passes, but is expected to fail"):
        check_modality(Expecting())
    monkeypatch.setattr(Expecting, "expected_failures", {"check_thumbnails": "draws GIF"})
    states = {o.check: (o.state, o.message) for o in check_modality(Expecting())}
    assert states["check_thumbnails"] == ("failed as expected", "draws GIF")
    assert states["check_listing"] == ("passed", "")
    assert states["check_clean_copy"] == ("not applicable", "the modality plants no defects")


def test_an_expected_failure_is_a_strict_xfail():
    class Expecting(ToyExample):
        expected_failures = MappingProxyType({"check_thumbnails": "draws GIF"})

    (parameters,) = [m.args[1] for m in [parametrize_with_checks(Expecting()).mark]]
    marks = {p.id: p.marks for p in parameters}
    (mark,) = marks["Toy-thumbnails"]
    assert mark.name == "xfail"
    assert mark.kwargs["strict"]
    assert mark.kwargs["reason"] == "draws GIF"
    assert not marks["Toy-listing"]


def test_an_expected_failure_of_no_check_is_refused():
    class Wrong(ToyExample):
        expected_failures = MappingProxyType({"check_nothing": "because"})

    with pytest.raises(UsageError, match=r"check_nothing.*check_names"):
        bound(Wrong())
    with pytest.raises(UsageError, match=r"only: check_nothing is no check"):
        check_modality(ToyExample(), only=["check_nothing"])


def test_a_plugin_that_raises_is_told_where():
    class Raising(Toy):
        def study_template(self):
            raise KeyError("template")

    class RaisingExample(ToyExample):
        modality = Raising

    check = next(c for c in bound(RaisingExample()) if c.name == "check_study_template_loads")
    with pytest.raises(NotConforming, match="the plugin raised KeyError") as raised:
        check()
    assert isinstance(raised.value.__cause__, KeyError)


def test_a_class_that_no_other_process_can_import_is_refused():
    class Local(Toy):
        pass

    class LocalExample(ToyExample):
        modality = Local

    check = next(c for c in bound(LocalExample()) if c.name == "check_import_is_light")
    with pytest.raises(NotConforming, match="must be importable by module and name"):
        check()


def test_the_kit_itself_loads_nothing_heavy():
    """Otherwise a heavy import of a plugin would go unseen."""
    code = f"import sdq_core.testing.probe, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
