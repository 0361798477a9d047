"""A recording's description: what it holds, that it depends on nothing else, and broken ones."""

import dataclasses

import numpy as np
import pytest
from cohorts_made import RATE, cohort, study_of, write

from sdq_core.describe import describe
from sdq_core.description import Item
from sdq_core.modality import load_modality
from sdq_core.shards import breach, encode_shard
from sdq_signals.channels import LEADS
from sdq_signals.describing import SignalsDescriber
from sdq_signals.settings import SignalsSettings
from sdq_signals.simulated_ecg import simulate

SIGNALS = load_modality("signals")


def described(path, **settings):
    items = SIGNALS.items(path, settings).items
    return SignalsDescriber.of(SignalsSettings.of(settings)).describe_many(items)


def rules(description):
    return {f.rule.removeprefix("signals.") for f in description.findings}


def test_an_ecg_has_features_an_embedding_and_a_signature(tmp_path):
    ecg = simulate(3, rate=RATE, seed=1)
    found = described(write(tmp_path / "a.npz", ecg.samples))
    assert len(found) == 3
    for k, one in enumerate(found):
        assert one.readable
        assert breach(one) is None
        assert one.scalars["recording.duration_s"] == 10
        assert one.scalars["rhythm.heart_rate"] == pytest.approx(
            ecg.truth["heart_rate"][k], rel=0.05
        )
        assert one.embeddings["random-convolutions"].shape == (512,)
        assert one.signature.shape == (15, 80)
        assert one.metadata["kind"] == "ecg"
        assert one.metadata["channels"].split("|") == list(LEADS)
        assert not one.findings


def test_a_description_does_not_depend_on_its_batch(tmp_path):
    path = write(tmp_path / "a.npz", simulate(20, rate=RATE, seed=2).samples)
    items = SIGNALS.items(path, {}).items
    describer = SignalsDescriber.of(SignalsSettings())
    keys = [i.id for i in items]
    alone = encode_shard(keys, [describer(i) for i in items])
    together = encode_shard(keys, describer.describe_many(items))
    parts = [d for s in (slice(0, 3), slice(3, 10), slice(10, 20))
             for d in describer.describe_many(items[s])]  # fmt: skip
    assert alone == together == encode_shard(keys, parts)
    report = describe(items, describer, None, engine="processes", workers=2, shard_size=7)
    assert encode_shard(keys, report.descriptions) == alone


def test_the_form_of_the_file_does_not_change_the_content(tmp_path):
    volts = np.rint(simulate(1, rate=RATE, seed=3).samples[0] * 1000)
    write(tmp_path / "a.npz", volts[None] / 1000)
    write(tmp_path / "b.npz", volts.astype(np.int16)[None], units="uV")
    a, b = (described(tmp_path / f"{n}.npz")[0] for n in "ab")
    assert a.metadata["content:sha256"] == b.metadata["content:sha256"]
    write(tmp_path / "c.npz", (volts[None] + (np.arange(2500) == 7)) / 1000)
    other = described(tmp_path / "c.npz")[0]
    assert other.metadata["content:sha256"] != a.metadata["content:sha256"]


def test_long_recordings_are_read_in_blocks(tmp_path, monkeypatch):
    one = simulate(1, rate=100, seconds=60, seed=4).samples
    long = np.concatenate([one] * 5, axis=2)
    write(tmp_path / "short.npz", one, 100.0)
    write(tmp_path / "long.npz", long, 100.0)
    short, whole = (described(tmp_path / f"{n}.npz")[0] for n in ("short", "long"))
    assert whole.scalars["recording.duration_s"] == 300
    assert whole.scalars["rhythm.beats"] == 5 * short.scalars["rhythm.beats"]
    for name in ("rhythm.heart_rate", "interval.qrs_ms", "spectrum.band_05"):
        assert whole.scalars[name] == pytest.approx(short.scalars[name], rel=1e-6)
    np.testing.assert_allclose(whole.signature, short.signature, atol=1e-3)


def test_windows_are_items_of_their_recording(tmp_path):
    write(tmp_path / "a.npz", simulate(2, rate=100, seconds=40, seed=5).samples, 100.0)
    items = SIGNALS.items(tmp_path / "a.npz", {"window_s": 10.0}).items
    assert [i.id for i in items][:2] == ["a.npz#0,t=0-10", "a.npz#0,t=10-20"]
    assert len(items) == 8
    assert len({i.attributes["subject"] for i in items}) == 2
    found = described(tmp_path / "a.npz", window_s=10.0)
    assert {d.scalars["recording.duration_s"] for d in found} == {10.0}
    assert len({d.metadata["content:sha256"] for d in found}) == 8


@pytest.mark.parametrize("length", [1, 2, 50])
@pytest.mark.parametrize("names", [LEADS, ("Fp1", "O2"), ("PLETH",), ("EDA",)])
def test_tiny_recordings_are_described_or_refused(length, names, tmp_path):
    x = np.random.default_rng(0).normal(size=(1, len(names), length)).astype(np.float32)
    write(tmp_path / "a.npz", x, channels=names, units="uV" if names[0] == "Fp1" else "mV")
    (found,) = described(tmp_path / "a.npz")
    assert breach(found) is None
    assert all(np.isfinite(v) for v in found.scalars.values())


def test_a_missing_unit_is_a_finding_and_no_guess(tmp_path):
    x = simulate(2, rate=RATE, seed=6).samples
    np.savez(tmp_path / "a.npz", signals=x, rate=RATE, channels=np.array(LEADS))
    write(tmp_path / "b.npz", x, units="furlong")
    for name, rule in (("a", "unit_missing"), ("b", "unit_unknown")):
        found = described(tmp_path / f"{name}.npz")[0]
        assert any(rule in r for r in rules(found))
        assert not [n for n in found.scalars if n.endswith("_mv") or n.startswith("amplitude.sp")]
        assert found.scalars["rhythm.heart_rate"] > 0


def test_defects_of_a_recording_are_found_and_sound_ones_stay_quiet(tmp_path):
    x = simulate(9, rate=RATE, seed=7).samples
    t = np.arange(x.shape[2]) / RATE
    x[1, 4] = 0
    x[2] = np.clip(x[2], -0.3, 0.3)
    x[3, :, 500:900] = np.nan
    x[4] += (0.05 * np.sin(2 * np.pi * 50 * t)).astype(np.float32)
    x[5] *= 1000
    x[6, 0] += np.random.default_rng(0).normal(0, 0.02, x.shape[2]).astype(np.float32)
    x[7, 3] = x[7, 3, 0]
    found = [rules(d) for d in described(write(tmp_path / "a.npz", x))]
    assert found[0] == found[8] == set()
    assert "structure.zero_channel" in found[1]
    assert "structure.clipped" in found[2]
    assert "structure.samples_missing" in found[3]
    assert "structure.mains_hum" in found[4]
    assert "conformity.unit_implausible" in found[5]
    assert "semantics.lead_law" in found[6]
    assert "structure.constant_channel" in found[7]


def test_one_broken_file_costs_one_finding(tmp_path):
    write(tmp_path / "a.npz", simulate(2, rate=RATE, seed=8).samples)
    (tmp_path / "b.hea").write_text("b 1 250 100\nb.dat 16 200/mV 16 0 0 0 0 II\n")
    (tmp_path / "c.edf").write_bytes(b"no header")
    found = cohort(tmp_path, "train", study_of(tmp_path))
    assert found.table.readable.tolist() == [True, True, False, False]
    assert len(found.table.findings) == 2


def test_settings_travel_with_the_describer():
    describer = SignalsDescriber.of(SignalsSettings(mains_hz=60))
    assert describer.settings["mains_hz"] == 60
    assert describer.settings["embeddings"]["random-convolutions"]["dimension"] == 512
    missing = dataclasses.replace(Item("gone.hea", ()), paths=())
    with pytest.raises(IndexError):
        describer(missing)
