"""What readers see of recordings: paper in fixed scales, pages of ten seconds."""

import numpy as np
import pytest

from sdq_core.description import Item
from sdq_core.review.display import fitted
from sdq_signals.channels import LEADS
from sdq_signals.display import GAIN, MM, SignalsDisplayer
from sdq_signals.reading import list_items
from sdq_signals.settings import SignalsSettings


def recording(tmp_path, samples, rate=100.0, channels=LEADS, unit="mV", kind="auto"):
    settings = SignalsSettings(sampling_rate=rate, units=unit, channels=tuple(channels), kind=kind)
    np.save(tmp_path / "x.npy", samples.astype(np.float32)[None])
    found = list_items(tmp_path / "x.npy", settings).items
    return SignalsDisplayer(settings), found[0]


def test_an_electrocardiogram_stands_on_paper_of_ten_millimetres_a_millivolt(tmp_path):
    samples = np.zeros((12, 1000))
    samples[:, 500:] = 1.0  # a step of one millivolt
    displayer, item = recording(tmp_path, samples)
    facts = displayer.facts(item)
    assert (facts["channels"], facts["rate"], facts["calibrated"]) == (12, 100, 1)
    layout = displayer.layout([facts])
    frames = displayer.frames(item, layout)
    assert fitted(frames, layout)
    assert len(frames) == 1
    assert "25 mm/s, 10 mm/mV" in layout.note
    # The rhythm strip is the last row: its trace steps up by 10 mm in the middle of the page.
    ink = (frames[0] % 4) >= 2
    strip = ink[-180:-60]
    x = MM * 15 + int(MM * 25 * 5)
    rows = [np.flatnonzero(strip[:, x + d]).mean() for d in (-60, 60)]
    assert rows[0] - rows[1] == pytest.approx(GAIN * MM, abs=1.5)


def test_tall_and_flat_recordings_have_one_scale_and_one_size(tmp_path):
    wave = np.sin(np.arange(1000) / 8)
    sizes, notes = set(), set()
    for k, height in enumerate((0.2, 3.0)):
        folder = tmp_path / str(k)
        folder.mkdir()
        displayer, item = recording(folder, np.tile(height * wave, (12, 1)))
        layout = displayer.layout([displayer.facts(item)])
        sizes.add(displayer.frames(item, layout).shape)
        notes.add(layout.note)
    assert len(sizes) == len(notes) == 1


def test_long_recordings_are_pages_and_eeg_has_one_scale_for_all(tmp_path):
    rng = np.random.default_rng(0)
    names = ["Fp1", "Fp2", "O1", "O2"]
    displayer, item = recording(
        tmp_path, 40 * rng.normal(size=(4, 20_000)), channels=names, unit="uV"
    )
    facts = displayer.facts(item)
    layout = displayer.layout([facts, {**facts, "reach": 3 * facts["reach"]}])
    assert layout.settings["reach"] == pytest.approx(2 * facts["reach"])
    assert displayer.frames(item, layout).shape[0] == 12
    assert "negative up" in layout.note


def test_unreadable_and_unit_less_recordings(tmp_path):
    displayer, item = recording(tmp_path, np.zeros((12, 1000)), unit="furlong")
    facts = displayer.facts(item)
    assert facts["calibrated"] == 0
    assert "mm/mV" not in displayer.layout([facts]).note
    (tmp_path / "broken.edf").write_bytes(b"0" * 300)
    assert displayer.facts(Item("broken.edf", (tmp_path / "broken.edf",))) is None
