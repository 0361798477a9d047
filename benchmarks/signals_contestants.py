"""What `benchmarks/signals.py` measures: ours, and the peers' packages.

Imported in the processes of the contestants, some of which lack sdq: every function imports what
it needs. NaN stands for what a contestant does not find.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from contest import Arrays, Work

RATE = 500.0
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
FEW = 2
"""Records for the slowest contestants: one takes them seconds."""
MARKS = ("heart_rate", "qrs_ms", "pr_ms", "qt_ms", "beats", "beats_with_p")
"""What a contestant returns of each record; medians over the beats."""
DELINEATORS = ("prominence", "dwt", "cwt", "peak")
DETECTORS = ("neurokit", "pantompkins1985", "hamilton2002")
EACH = 50
"""Of a file's samples every so many-th is compared."""


# --- features and intervals -----------------------------------------------------------------------


def _marks(scalars: Any) -> np.ndarray[Any, Any]:
    beats = scalars["rhythm.beats"]
    return np.column_stack(
        [
            scalars["rhythm.heart_rate"],
            *(scalars[f"interval.{name}"] for name in MARKS[1:4]),
            beats,
            beats * scalars["wave.p_present"],
        ]
    )


def features_sdq(arrays: Arrays) -> Work:
    """All that is computed from samples: scalars, embedding, signature."""
    from sdq_signals.features.batch import features

    return lambda: _marks(features(arrays["x"], RATE, LEADS, "ecg").scalars)


def features_sdq_single(arrays: Arrays) -> Work:
    """The same, one record at a time."""
    from sdq_signals.features.batch import features

    return lambda: np.concatenate(
        [_marks(features(x[None], RATE, LEADS, "ecg").scalars) for x in arrays["x"]]
    )


def blocks_sdq(arrays: Arrays) -> Work:
    """What the peer's building blocks do: spectra of all leads, rhythm, intervals, quality."""
    from sdq_signals.features import spectrum
    from sdq_signals.features.ecg import describe

    x = arrays["x"]

    def work() -> Any:
        for k in range(0, len(x), 16):
            spectrum.describe(spectrum.welch(x[k : k + 16], RATE), "ecg", 50)
        return _marks(describe(x, RATE, LEADS).scalars)

    return work


def ecg_sdq(arrays: Arrays) -> Work:
    """Rhythm, intervals, waves, relations between leads, quality."""
    from sdq_signals.features.ecg import describe

    return lambda: _marks(describe(arrays["x"], RATE, LEADS).scalars)


def ecg_sdq_one_lead(arrays: Arrays) -> Work:
    """From lead II alone, which is all that the delineators of the peer see."""
    from sdq_signals.features.ecg import describe

    x = np.ascontiguousarray(arrays["x"][:, 1:2])
    return lambda: _marks(describe(x, RATE, ("II",)).scalars)


def _neurokit() -> Any:
    warnings.simplefilter("ignore")
    import neurokit2

    return neurokit2


def process_neurokit(arrays: Arrays) -> Work:
    """The documented way in, on every lead. The heart rate is that of lead II."""
    nk = _neurokit()

    nk.ecg_process(arrays["x"][0, 1], int(RATE))  # what is imported late is no part of the work

    def work() -> list[float]:
        found = []
        for record in arrays["x"][:FEW]:
            rates = [np.nan] * len(record)
            for k, lead in enumerate(record):
                with suppress(Exception):  # a lead without a wave is no reason to stop
                    rates[k] = _heart_rate(nk.ecg_process(lead, int(RATE))[1]["ECG_R_Peaks"])
            found.append(rates[1])
        return found

    return work


def _heart_rate(peaks: Any) -> float:
    return float(60 * RATE / np.diff(peaks).mean()) if len(peaks) > 1 else np.nan


# Where a mark may lie, in seconds after R.
_ASIDE = {
    "ECG_P_Onsets": (-0.40, -0.04),
    "ECG_P_Peaks": (-0.36, -0.03),
    "ECG_R_Onsets": (-0.20, 0.0),
    "ECG_R_Offsets": (0.0, 0.20),
    "ECG_T_Offsets": (0.10, 0.64),
}


def _delineated(waves: dict[str, Any], peaks: Any) -> list[float]:
    """Medians over the beats, of the marks nearest to each R on their side."""
    found = {}
    for name, (first, last) in _ASIDE.items():
        marks = np.asarray(waves.get(name, []), dtype=float)
        after = marks[np.isfinite(marks)] - np.asarray(peaks)[:, None]
        if not after.size:
            after = np.full((len(peaks), 1), np.nan)
        near = np.where((after >= first * RATE) & (after <= last * RATE), after, np.nan)
        size = np.where(np.isnan(near), np.inf, np.abs(near))
        found[name] = near[np.arange(len(peaks)), size.argmin(axis=1)]
    ms = 1000 / RATE
    onset = found["ECG_R_Onsets"]
    spans = (
        found["ECG_R_Offsets"] - onset,
        onset - found["ECG_P_Onsets"],
        found["ECG_T_Offsets"] - onset,
    )
    return [
        _heart_rate(peaks),
        *(float(np.nanmedian(span)) * ms for span in spans),
        len(peaks),
        float(np.isfinite(found["ECG_P_Peaks"]).sum()),
    ]


def _blocks_neurokit(method: str) -> Callable[[Arrays], Work]:
    def contestant(arrays: Arrays) -> Work:
        nk = _neurokit()
        rate = int(RATE)

        def one(record: Any) -> list[float]:
            for lead in record:
                nk.signal_psd(lead, rate, method="welch", show=False)
            clean = nk.ecg_clean(record[1], rate)
            peaks = nk.ecg_peaks(clean, rate)[1]["ECG_R_Peaks"]
            nk.ecg_quality(clean, rpeaks=peaks, sampling_rate=rate)
            try:
                _, waves = nk.ecg_delineate(clean, peaks, sampling_rate=rate, method=method)
            except Exception:
                waves = {}
            return _delineated(waves, peaks)

        one(arrays["x"][0])
        return lambda: [one(record) for record in arrays["x"]]

    return contestant


blocks_neurokit_prominence = _blocks_neurokit("prominence")
blocks_neurokit_dwt = _blocks_neurokit("dwt")
blocks_neurokit_cwt = _blocks_neurokit("cwt")
blocks_neurokit_peak = _blocks_neurokit("peak")


# --- reading --------------------------------------------------------------------------------------


def _read(arrays: Arrays, one: Callable[[str], Any]) -> Work:
    """In millivolts: every so many-th sample of each channel."""
    return lambda: [one(str(path)) for path in arrays["files"]]


def _forget() -> None:
    """Drop what ours remembers of files, so that a repeat does the work again."""
    from sdq_signals.formats.wfdb_samples import checksums
    from sdq_signals.linting import _lint

    checksums.cache_clear()
    _lint.cache_clear()


def read_wfdb_sdq(arrays: Arrays) -> Work:
    """With the checksums compared."""
    from sdq_signals.formats.wfdb import read

    return _read_sdq(arrays, read)


def read_edf_sdq(arrays: Arrays) -> Work:
    from sdq_signals.formats.edf import read

    return _read_sdq(arrays, read)


def _read_sdq(arrays: Arrays, read: Callable[[Path], Any]) -> Work:
    def one(path: str) -> Any:
        recording = read(Path(path))
        return recording.read(0, recording.length)[:, ::EACH]

    def work() -> Any:
        _forget()
        return [one(str(path)) for path in arrays["files"]]

    return work


def read_wfdb_wfdb(arrays: Arrays) -> Work:
    import wfdb

    return _read(arrays, lambda path: wfdb.rdrecord(path[:-4]).p_signal[::EACH].T)


def read_edf_edfio(arrays: Arrays) -> Work:
    import edfio

    return _read(arrays, lambda path: [s.data[::EACH] / 1000 for s in edfio.read_edf(path).signals])


def read_edf_pyedflib(arrays: Arrays) -> Work:
    import pyedflib

    def one(path: str) -> list[Any]:
        with pyedflib.EdfReader(path) as file:
            count = range(file.signals_in_file)
            return [file.readSignal(k)[::EACH] / 1000 for k in count]

    return _read(arrays, one)


# --- R peaks --------------------------------------------------------------------------------------


def _listed(found: Iterable[Any]) -> np.ndarray[Any, Any]:
    """Pairs of window and sample, sorted."""
    return np.array(
        [(k, s) for k, peaks in enumerate(found) for s in sorted(map(float, peaks))]
    ).reshape(-1, 2)


def _peaks_sdq(arrays: Arrays, leads: tuple[str, ...]) -> Work:
    from sdq_signals.features.ecg import describe

    x, rate = arrays["x"][:, : len(leads)], float(arrays["rate"])
    x = np.ascontiguousarray(x)

    def work() -> Any:
        found = describe(x, rate, leads)
        return np.column_stack([found.beat_row, found.beat_time * rate])

    return work


def peaks_sdq(arrays: Arrays) -> Work:
    return _peaks_sdq(arrays, ("II",))


def peaks_sdq_two_leads(arrays: Arrays) -> Work:
    return _peaks_sdq(arrays, ("II", "V1"))


def _peaks(arrays: Arrays, one: Callable[[Any, int], Any]) -> Work:
    """By a detector of one lead; it finds nothing in a window in which it fails."""
    rate = int(arrays["rate"])

    def peaks(lead: Any) -> Any:
        try:
            return one(lead, rate)
        except Exception:
            return []

    return lambda: _listed(peaks(x[0].astype(float)) for x in arrays["x"])


def _peaks_neurokit(method: str) -> Callable[[Arrays], Work]:
    """Each detector with the cleaning of its own name."""

    def contestant(arrays: Arrays) -> Work:
        nk = _neurokit()

        def one(lead: Any, rate: int) -> Any:
            clean = nk.ecg_clean(lead, rate, method=method)
            return nk.ecg_peaks(clean, rate, method=method)[1]["ECG_R_Peaks"]

        return _peaks(arrays, one)

    return contestant


peaks_neurokit_neurokit = _peaks_neurokit("neurokit")
peaks_neurokit_pantompkins1985 = _peaks_neurokit("pantompkins1985")
peaks_neurokit_hamilton2002 = _peaks_neurokit("hamilton2002")


def peaks_xqrs(arrays: Arrays) -> Work:
    from wfdb.processing import XQRS

    def one(lead: Any, rate: int) -> Any:
        detector = XQRS(lead, rate)
        detector.detect(verbose=False)
        return detector.qrs_inds

    return _peaks(arrays, one)


# --- describing, stage by stage -------------------------------------------------------------------


def _stage(arrays: Arrays, function: Callable[[list[Any]], object]) -> Work:
    from sdq_signals.reading import list_items

    items = list(list_items(Path(str(arrays["folder"]))).items)

    def work() -> list[float]:
        _forget()
        function(items)
        return []

    return work


def stage_list(arrays: Arrays) -> Work:
    from sdq_signals.reading import list_items

    return _stage(arrays, lambda _: list_items(Path(str(arrays["folder"]))))


def _opened(items: list[Any]) -> np.ndarray[Any, Any]:
    from sdq_signals.reading import open_recording

    found = [open_recording(item) for item in items]
    return np.stack([one.read(0, one.length) for one in found])


def stage_read(arrays: Arrays) -> Work:
    return _stage(arrays, _opened)


def stage_lint(arrays: Arrays) -> Work:
    from sdq_signals.linting import lint

    return _stage(arrays, lambda items: [lint(item.paths[0], "wfdb") for item in items])


def _samples(arrays: Arrays, function: Callable[[Any], object]) -> Work:
    """On samples that are in memory."""
    held: list[Any] = []

    def work(items: list[Any]) -> None:
        function(held[0])

    found = _stage(arrays, work)
    from sdq_signals.reading import list_items

    held.append(_opened(list(list_items(Path(str(arrays["folder"]))).items)))
    return found


def stage_structure(arrays: Arrays) -> Work:
    from sdq_signals.features.structure import StructureAccumulator

    def structure(x: Any) -> None:
        found = StructureAccumulator(len(x), x.shape[1], RATE)
        found.update(x)
        found.result()

    return _samples(arrays, structure)


def stage_spectrum(arrays: Arrays) -> Work:
    from sdq_signals.features import amplitude, coherence, spectrum

    def spectra(x: Any) -> None:
        found = spectrum.welch(x, RATE)
        spectrum.describe(found, "ecg", 50)
        coherence.describe(found, LEADS)
        amplitude.describe(x)

    return _samples(arrays, spectra)


def stage_ecg(arrays: Arrays) -> Work:
    from sdq_signals.features.ecg import describe

    return _samples(arrays, lambda x: describe(x, RATE, LEADS))


def stage_embedding(arrays: Arrays) -> Work:
    from sdq_signals.embeddings.random_convolutions import embed

    return _samples(arrays, lambda x: embed(x, RATE, "ecg", LEADS))


def stage_whole(arrays: Arrays) -> Work:
    from sdq_signals.describing import SignalsDescriber
    from sdq_signals.settings import SignalsSettings

    describer = SignalsDescriber.of(SignalsSettings())
    work = _stage(arrays, describer.describe_many)
    work()  # makes the kernels: once a worker, not once a batch
    return work
