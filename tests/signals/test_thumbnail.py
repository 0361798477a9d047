"""Pictures of recordings: paper that a cardiologist knows, breaks at gaps, no word of the file."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sdq_core.description import Item
from sdq_core.errors import UnreadableItem
from sdq_signals import thumbnail as module
from sdq_signals.channels import LEADS, canonical
from sdq_signals.recording import Channel, Recording
from sdq_signals.settings import SignalsSettings
from sdq_signals.sheet import Sheet
from sdq_signals.thumbnail import draw, thumbnail

ITEM = Item("a", (Path("a"),))
STANDARD = re.compile(r"ch \d+|PLETH|-?[A-Za-z]{1,3}[0-9]{0,2}z?R?(-[A-Za-z]{1,3}[0-9]{0,2}z?)?")


def beats(channels=12, seconds=10.0, rate=100.0, height=1.0):
    """A spike each second on every channel, in mV."""
    time = np.arange(round(seconds * rate)) / rate
    spike = height * np.exp(-(((time % 1.0 - 0.5) / 0.02) ** 2))
    return np.tile(spike, (channels, 1)).astype(np.float32)


def opened(png):
    return Image.open(io.BytesIO(png))


def ink(png):
    """Where the sheet is dark."""
    return np.asarray(opened(png).convert("L")) < 150


@pytest.fixture
def words(monkeypatch):
    """What is written on sheets."""
    found = []
    monkeypatch.setattr(
        Sheet, "write", lambda self, x, y, text, size, anchor="ls": found.append(text)
    )
    return found


# --- the sheet ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "labels"), [("ecg", LEADS), ("eeg", ("Cz",) * 12), ("other", ("a",) * 12)]
)
def test_is_a_small_picture_without_header_texts(kind, labels):
    rng = np.random.default_rng(1)
    noisy = (beats(rate=500.0) + rng.normal(0, 0.1, (12, 5000))).astype(np.float32)
    png = draw(noisy, 500.0, labels, kind)
    assert len(png) <= 60_000
    picture = opened(png)
    assert 700 <= picture.width <= 900
    assert picture.height <= 900
    assert picture.mode == "P"
    assert not picture.info.keys() & {"exif", "comment", "dpi"}
    assert set(re.findall(rb"[a-zA-Z]{4}(?=.)", png[12:16] + b".")) == {b"IHDR"}
    assert b"tEXt" not in png
    assert b"iTXt" not in png
    assert png == draw(noisy, 500.0, labels, kind)


def test_paper_has_a_bold_line_every_five_millimetres():
    sheet = Sheet(61, 46, (255, 255, 255), (250, 220, 220), (240, 180, 180))
    sheet.rule(3, 15)
    rgb = np.asarray(opened(sheet.png()).convert("RGB"))
    assert (rgb[7, ::15] == (240, 180, 180)).all()
    assert (rgb[7, 3:15:3] == (250, 220, 220)).all()
    assert (rgb[7, 1:3] == 255).all()


def test_ten_seconds_are_250_mm_and_one_millivolt_is_ten():
    png = draw(beats(1, height=2.0), 100.0, ["II"], "ecg")
    trace = ink(png)[:90]
    scale = 3  # pixels a mm
    spikes = np.flatnonzero(trace[: 15 * scale].any(axis=0))
    centres = [run.mean() for run in np.split(spikes, np.flatnonzero(np.diff(spikes) > 20) + 1)]
    spikes = np.array([c for c in centres if c > 16 * scale])
    np.testing.assert_allclose(np.diff(spikes), 25 * scale, atol=1.0)
    base, top = 20 * scale, np.flatnonzero(trace[:, round(spikes[3])])[0]
    assert abs((base - top) - 20 * scale) <= 2
    pulse = np.flatnonzero(trace[:, 10 * scale])[0]
    assert abs((base - pulse) - 10 * scale) <= 1


@pytest.mark.parametrize(
    ("height", "scale"), [(0.01, "10"), (2.5, "10"), (5.0, "5"), (25.0, "1"), (1e6, "0.1")]
)
def test_says_its_gain_and_halves_it_for_what_would_not_fit(words, height, scale):
    draw(beats(height=height, rate=500.0), 500.0, LEADS, "ecg")
    assert words[-1] == f"25 mm/s    {scale} mm/mV"


def test_lays_twelve_leads_of_ten_seconds_out_as_a_standard_electrocardiogram(words):
    order = np.random.default_rng(0).permutation(12)
    draw(beats(), 100.0, [LEADS[k].upper() for k in order], "ecg")
    expected = ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6", "II"]
    assert words[:-1] == expected


def test_each_column_shows_its_own_quarter():
    values = np.zeros((12, 1000), np.float32)
    values[LEADS.index("V1"), 620] = 1.0  # seen: the third column is 5 to 7.5 s
    values[LEADS.index("V2"), 120] = 1.0  # not seen
    blank, drawn = (ink(draw(v, 100.0, LEADS, "ecg")) for v in (0 * values, values))
    changed = np.argwhere(blank != drawn)
    assert changed.size
    assert np.all(np.abs(changed[:, 1] - 3 * (15 + 6.2 * 25)) < 6)
    assert np.all(changed[:, 0] < 3 * 35)


@pytest.mark.parametrize(
    ("channels", "seconds", "rows"),
    [(12, 5.0, 6), (12, 2.5, 3), (12, 1.0, 3), (8, 5.0, 4), (3, 2.0, 3), (1, 10.0, 1)],
)
def test_puts_short_recordings_side_by_side(words, channels, seconds, rows):
    picture = opened(draw(beats(channels, seconds), 100.0, LEADS[:channels], "ecg"))
    assert sorted(words[:-1]) == sorted(LEADS[:channels])
    assert picture.width <= 900
    if (channels, seconds) == (12, 5.0):
        assert words[:4] == ["I", "V1", "II", "V2"]
    assert len(set(words[:-1])) == channels >= rows


def test_writes_no_unit_where_it_is_unknown(words):
    draw(1000 * beats(), 100.0, LEADS, "ecg", calibrated=False)
    draw(beats(2), 100.0, ["Cz", "Pz"], "eeg", calibrated=False)
    assert not [w for w in words if "V" in w.replace("aV", "") and "m" in w]
    assert "25 mm/s" in words
    assert not [w for w in words if "uV" in w]


# --- gaps and odd values --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ecg", "eeg", "other"])
@pytest.mark.parametrize("gap", [np.nan, np.inf, -np.inf])
def test_a_gap_is_a_break(kind, gap):
    values = beats(1)
    values[0, 300:400] = gap
    columns = ink(draw(values, 100.0, ["II"], kind))[:130].any(axis=0)
    first, last = (270, 345) if kind == "ecg" else (66 + 218, 66 + 290)
    assert not columns[first + 3 : last - 3].any()
    assert columns[first - 40 : first - 4].all()
    assert columns[last + 4 : last + 40].all()


def test_a_sample_between_gaps_is_a_dot():
    values = np.full((1, 1000), np.nan, np.float32)
    empty = ink(draw(values, 100.0, ["II"], "ecg"))
    values[0, 500] = 0.0
    dot = np.argwhere(ink(draw(values, 100.0, ["II"], "ecg")) != empty)
    assert 0 < len(dot) < 9


@pytest.mark.parametrize("kind", ["ecg", "eeg", "ppg", "other"])
@pytest.mark.parametrize("value", [np.nan, 0.0, 1e-38, -1e30])
def test_draws_what_has_no_shape(kind, value):
    for length in (1, 2, 999):
        values = np.full((2, length), value, np.float32)
        assert opened(draw(values, 100.0, ["II", "x"], kind)).width > 100


@given(
    channels=st.integers(1, 70),
    length=st.integers(1, 400),
    rate=st.floats(0.01, 4000),
    kind=st.sampled_from(["ecg", "eeg", "ppg", "other"]),
    power=st.integers(-6, 6),
)
def test_draws_anything_within_its_size(channels, length, rate, kind, power):
    rng = np.random.default_rng(length)
    values = (10.0**power * rng.normal(size=(channels, length))).astype(np.float32)
    png = draw(values, rate, [f"x{k}" for k in range(channels)], kind)
    picture = opened(png)
    assert picture.width <= 900
    assert picture.height <= 1000


def test_many_samples_a_pixel_keep_their_extremes():
    """A spike of one sample among many that share a pixel must be seen."""
    values = np.zeros((1, 100_000), np.float32)
    values[0, 33_333] = 1.0
    drawn = ink(draw(values, 10_000.0, ["II"], "ecg"))
    assert drawn[3 * 10 + 3 : 3 * 19, round(3 * (15 + 25 * 3.3333))].all()


# --- names ----------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_writes_no_name_that_is_not_standard(names):
    for place, name in enumerate(names):
        shown = module._shown(name, place)
        assert STANDARD.fullmatch(shown)
        assert shown == f"ch {place + 1}" or canonical(shown)[0] == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("EEG Fp1-Ref", "Fp1"), ("Fp1-F7", "Fp1-F7"), ("T3-T5", "T7-P7"), ("Cz-Cz-Smith", "Cz-Cz"),
        ("Cz-Smith", "Cz"), ("EEG Smith", "ch 3"), ("ECG Smith", "ch 3"), ("Cz-EEG Smith", "Cz"),
        ("PLETH Smith", "PLETH"), ("mlii", "II"), ("-aVR", "-aVR"), ("ABP", "ch 3"), ("", "ch 3"),
        ("Smith II", "ch 3"),
    ],
)  # fmt: skip
def test_names_channels_by_their_standard_names(name, shown):
    assert module._shown(canonical(name)[0], 2) == shown


def test_a_font_draws_what_is_written(words, monkeypatch):
    """Pillow's own font has no glyph for many letters and draws a box in their place."""
    draw(beats(), 100.0, LEADS, "ecg")
    draw(50 * beats(45), 100.0, ["Fp1"] * 45, "eeg")
    draw(beats(3, rate=1000.0), 1000.0, ["a"] * 3, "other")
    assert len(words) > 50
    assert all(word.isascii() for word in words)


def test_scale_bars_are_round_numbers(words):
    draw(70 * beats(4), 100.0, ["Fp1", "Fp2", "O1", "O2"], "eeg")
    assert {"50 uV", "-", "+", "1 s"} <= set(words) or {"100 uV", "-", "+", "1 s"} <= set(words)
    words.clear()
    draw(np.stack([beats(1)[0], 3000 * beats(1)[0]]), 100.0, ["PLETH", "ABP"], "other")
    assert words[-1] == "1 s"
    assert [float(w) for w in words if w.replace(".", "").isdigit()] == [1.0, 2000.0]


def test_says_how_many_channels_it_leaves_out(words):
    draw(beats(64), 100.0, ["Cz"] * 64, "eeg")
    assert words[-1] == "40 / 64"


def test_a_name_gives_way_to_the_trace(monkeypatch):
    places = []
    monkeypatch.setattr(
        Sheet, "write", lambda self, x, y, text, size, anchor="ls": places.append(x)
    )
    values = beats(1)
    draw(values, 100.0, ["II"], "ecg")
    draw(np.roll(values, -40, axis=1), 100.0, ["II"], "ecg")
    assert places[2] > places[0]


# --- of an item -----------------------------------------------------------------------------------


def recording(names, samples, rate=100.0, factor=1.0):
    channels = tuple(
        Channel(name, canonical(name)[0], canonical(name)[1], "mV", factor, rate) for name in names
    )
    return Recording(channels, rate, samples.shape[1], "array", lambda a, b: samples[:, a:b])


def use(monkeypatch, found):
    monkeypatch.setattr(module, "open_recording", lambda item, settings: found)


def test_draws_the_middle_of_a_long_recording(monkeypatch):
    samples = beats(1, 60.0)
    samples[:, :2500] = np.nan
    samples[:, 3500:] = np.nan
    use(monkeypatch, recording(["II"], samples))
    assert thumbnail(ITEM, SignalsSettings()) == draw(samples[:, 2500:3500], 100.0, ["II"], "ecg")


def test_draws_the_channels_of_the_recordings_kind(monkeypatch):
    samples = beats(3) * np.array([[1], [2], [3]], np.float32)
    use(monkeypatch, recording(["ABP", "II", "V5"], samples))
    expected = draw(samples[1:], 100.0, ["II", "V5"], "ecg")
    assert thumbnail(ITEM, SignalsSettings()) == expected
    use(monkeypatch, recording(["a", "b", "c"], samples))
    expected = draw(samples, 100.0, ["a", "b", "c"], "ecg")
    assert thumbnail(ITEM, SignalsSettings(kind="ecg")) == expected


def test_knows_whether_the_unit_is_known(monkeypatch):
    samples = 400 * beats(2)
    use(monkeypatch, recording(["II", "V5"], samples, factor=None))
    expected = draw(samples, 100.0, ["II", "V5"], "ecg", calibrated=False)
    assert thumbnail(ITEM, SignalsSettings()) == expected


def test_has_no_picture_of_what_cannot_be_read(monkeypatch):
    def fail(*_):
        raise UnreadableItem("signals.structure.truncated", "ends early")

    monkeypatch.setattr(module, "open_recording", fail)
    assert thumbnail(ITEM, SignalsSettings()) is None
    broken = recording(["II"], beats(1))
    use(monkeypatch, Recording(broken.channels, 100.0, 1000, "array", fail))
    assert thumbnail(ITEM, SignalsSettings()) is None
    use(monkeypatch, recording(["II"], beats(1)[:, :0]))
    assert thumbnail(ITEM, SignalsSettings()) is None
