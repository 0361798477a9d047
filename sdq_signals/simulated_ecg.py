"""A generator of 12-lead electrocardiograms whose intervals are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAD_VECTORS", "SimulatedEcg", "simulate"]

SOURCE = "after McSharry et al. 2003, doi:10.1109/TBME.2003.808805"

LEAD_VECTORS = np.array(
    [
        [0.95, -0.05, 0.10],  # I
        [0.35, 1.00, -0.05],  # II
        [-0.50, 0.10, 1.15],  # V1
        [0.05, 0.05, 1.60],  # V2
        [0.80, 0.15, 1.40],  # V3
        [1.25, 0.30, 0.85],  # V4
        [1.25, 0.35, 0.20],  # V5
        [1.00, 0.35, -0.15],  # V6
    ]
)
"""What one unit of the heart's dipole (left, down, forward) gives in the independent leads."""

# Centre in ms after R, width (standard deviation) in ms, dipole in mV.
_P = ((-152.0, 13.0, (0.020, 0.085, 0.055)), (-124.0, 14.0, (0.060, 0.060, -0.035)))
_QRS = (
    (-21.0, 7.5, (-0.10, -0.06, 0.18)),
    (0.0, 10.4, (0.85, 0.95, -0.28)),
    (22.0, 8.6, (-0.18, -0.20, -0.55)),
    (34.0, 8.6, (-0.04, -0.08, -0.16)),
)
_T = ((238.0, 46.0, (0.14, 0.13, 0.07)), (290.0, 29.0, (0.15, 0.15, 0.09)))
_NOMINAL_QRS = 90.0
_T_RR = 0.85  # the RR interval in seconds for which the times of T are written
# Share of the largest slope at which a wave begins and ends. P is so low that at 5 % it has 1 uV:
# no reader of an electrocardiogram sees it begin there.
_EDGE, _P_EDGE = 0.05, 0.10
_REACH = 4.5  # widths to each side over which a Gaussian wave is drawn

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SimulatedEcg:
    """Simulated recordings and what is true of them.

    Parameters
    ----------
    samples : ndarray, shape (n, 12, t), float32
        Millivolts, in the order of `sdq_signals.channels.LEADS`.
    truth : dict of str to ndarray, shape (n,), float64
        ``heart_rate`` (60 over the mean RR interval inside the recording), ``pr_ms``, ``qrs_ms``,
        ``qt_ms``, ``p_duration_ms`` (NaN without P), ``p_present``, ``fibrillation``, ``widened``.
    beat_record, beat_time, beat_ectopic : ndarray, shape (beats,)
        All beats in the recordings: row, second of R, whether ventricular.
    """

    samples: NDArray[np.float32]
    truth: dict[str, Values]
    beat_record: NDArray[np.intp]
    beat_time: Values
    beat_ectopic: NDArray[np.bool_]


def simulate(
    n: int,
    rate: float = 500.0,
    seconds: float = 10.0,
    seed: int = 0,
    *,
    heart_rate: float = 70.0,
    heart_rate_sd: float = 12.0,
    hrv: float = 1.0,
    without_p: float = 0.0,
    qrs_extra_ms: float = 0.0,
    qrs_extra_share: float = 1.0,
    fibrillation: float = 0.0,
    ectopic: float = 0.0,
    noise: float = 1.0,
) -> SimulatedEcg:
    """Simulate 12-lead electrocardiograms of different people.

    A dipole moves through Gaussian waves and is seen by fixed lead vectors; each record has its
    own heart rate and variability, axis, amplitudes and intervals, QT follows the cube root of RR
    (Fridericia 1920), and there are baseline wander, muscle noise and a little mains. The sampling
    step is 1 uV and III, aVR, aVL and aVF are computed from I and II, so that Einthoven's law
    holds exactly and Goldberger's equations to half a step. The first k records do not depend on
    `n`.

    Truth: QRS begins and ends where the norm over the leads of the slope of the wave alone first
    and last exceeds 5 % of its maximum, P likewise at 10 %; T ends where the tangent
    at the steepest descent of its root mean square over the leads meets zero (Lepeschkin and
    Surawicz 1952, doi:10.1161/01.CIR.6.3.378). QT is that at the mean RR interval.

    Parameters
    ----------
    n : int
        Records.
    rate : float
        Samples a second.
    seconds : float
        Length of each.
    seed : int
    heart_rate, heart_rate_sd : float
        Mean and standard deviation over the records, beats a minute.
    hrv : float
        Factor of the variation from beat to beat.
    without_p : float
        Share of records without P wave.
    qrs_extra_ms, qrs_extra_share : float
        How much longer QRS is, and in which share of the records.
    fibrillation : float
        Share of records with atrial fibrillation: irregular, faster, no P, fibrillatory waves.
    ectopic : float
        Share of beats that are premature, wide and of another direction.
    noise : float
        Factor of all noise.

    Returns
    -------
    SimulatedEcg

    Examples
    --------
    >>> ecg = simulate(3, rate=250, seconds=4, seed=1)
    >>> ecg.samples.shape, bool(60 < ecg.truth["qrs_ms"].mean() < 120)
    ((3, 12, 1000), True)
    """
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(8)]
    person = _Person(n, streams, heart_rate, heart_rate_sd, without_p, fibrillation)
    person.widen(streams[6], qrs_extra_ms, qrs_extra_share)
    record, time, rr, early = _beats(person, streams[1], seconds, hrv, ectopic)
    count = round(seconds * rate)
    dipole = np.zeros((n, 3, count))
    keep_p = person.p_present[record] & ~early
    _draw(dipole, rate, record[keep_p], time[keep_p], *person.atrial(record[keep_p]))
    _draw(dipole, rate, record, time, *person.ventricular(record, rr, early))
    leads = np.einsum("lj,njt->nlt", LEAD_VECTORS, dipole)
    leads += _noise(person, streams[2], streams[3], rate, count) * noise
    inside = (time >= 0) & (time < seconds)
    truth = person.truth()
    beats = np.bincount(record[inside], minlength=n)
    span = np.bincount(record[inside], rr[inside], n)
    mean_rr = np.where(beats > 0, span / np.maximum(beats, 1), person.rr)
    truth = {"heart_rate": 60 / mean_rr, **truth}
    return SimulatedEcg(_twelve(leads), truth, record[inside], time[inside], early[inside])


class _Person:
    """What distinguishes the records: drawn once for all of them, one row each."""

    def __init__(
        self,
        n: int,
        streams: list[np.random.Generator],
        heart_rate: float,
        heart_rate_sd: float,
        without_p: float,
        fibrillation: float,
    ) -> None:
        self.n = n
        z = streams[0].standard_normal((n, 48))
        u = streams[4].random((n, 8))
        self.fibrillation = u[:, 0] < fibrillation
        self.p_present = ~self.fibrillation & (u[:, 1] >= without_p)
        rate = heart_rate + heart_rate_sd * z[:, 0] + 15 * self.fibrillation
        self.rr = 60 / np.clip(rate, 40, 170)
        self.p_delay = np.clip(18 * z[:, 1], -35, 60)
        self.p_width = np.exp(0.08 * z[:, 2])
        self.p_size = np.exp(0.25 * z[:, 3])
        self.qrs_width = np.exp(0.10 * z[:, 4])
        self.qrs_size = np.exp(0.28 * z[:, 5])
        self.t_delay = 16 * z[:, 6]
        self.t_size = np.exp(0.35 * z[:, 7])
        self.turn = _rotations(z[:, 8:11] * (0.20, 0.15, 0.36))
        self.shapes = 1 + 0.12 * z[:, 12:36].reshape(n, 8, 3)
        self.breath = np.exp(0.4 * z[:, 36]) * 0.03
        self.breathing = 0.18 + 0.15 * u[:, 2]
        self.slow = np.exp(0.4 * z[:, 37]) * 0.02
        self.phases = 2 * np.pi * u[:, 3:5]
        self.levels = np.exp(z[:, 38:42] * (0.5, 0.5, 0.7, 0.3)) * (0.05, 0.009, 0.001, 0.035)
        self.extra = np.zeros(n)

    def widen(self, stream: np.random.Generator, extra_ms: float, share: float) -> None:
        """Lengthen QRS, and push T away by the half of it, in a share of the records."""
        self.extra = np.where(stream.random(self.n) < share, extra_ms, 0.0)
        self.qrs_width = self.qrs_width + self.extra / _NOMINAL_QRS
        self.t_delay = self.t_delay + 0.5 * self.extra

    def atrial(self, row: NDArray[np.intp]) -> tuple[Values, Values, Values]:
        """Centre, width (ms) and dipole (mV) of the two halves of P: (k, 2), (k, 2), (k, 2, 3)."""
        middle = np.mean([w[0] for w in _P])
        width = self.p_width[row, None]
        shift = np.array([w[0] - middle for w in _P])
        centre = middle - self.p_delay[row, None] + shift * width
        dipole = np.array([w[2] for w in _P]) * self.p_size[row, None, None]
        dipole = dipole * self.shapes[row, :2]
        return (
            centre,
            width * [w[1] for w in _P],
            np.einsum("kij,kwj->kwi", self.turn[row], dipole),
        )

    def ventricular(
        self, row: NDArray[np.intp], rr: Values, early: NDArray[np.bool_]
    ) -> tuple[Values, Values, Values]:
        """Centre, width and dipole of the waves of QRS and T, with six waves."""
        width = self.qrs_width[row, None] * np.where(early, 1.9, 1.0)[:, None]
        # QT follows the rate with a lag of minutes: mostly the record's RR, a little the beat's.
        stretch = np.cbrt((0.85 * self.rr[row] + 0.15 * rr) / _T_RR)[:, None]
        delay = self.t_delay[row, None] + np.where(early, 60.0, 0.0)[:, None]
        centre = np.concatenate(
            [width * [w[0] for w in _QRS], stretch * ([w[0] for w in _T] + delay)], axis=1
        )
        widths = np.concatenate([width * [w[1] for w in _QRS], stretch * [w[1] for w in _T]], 1)
        qrs = np.array([w[2] for w in _QRS]) * self.qrs_size[row, None, None]
        t = np.array([w[2] for w in _T]) * self.t_size[row, None, None]
        dipole = np.concatenate([qrs, t], axis=1) * self.shapes[row, 2:]
        # A beat from a ventricle runs another way, larger, and its T goes against its QRS.
        other = np.array([[0.9, 0.3, 1.2]] * 4 + [[-1.6, -1.0, -1.8]] * 2) * (-0.9, 0.6, -1.1)
        dipole = np.where(early[:, None, None], dipole * other * 1.4, dipole)
        return centre, widths, np.einsum("kij,kwj->kwi", self.turn[row], dipole)

    def truth(self) -> dict[str, Values]:
        """Intervals of the record's ordinary beat, read off its waves without noise."""
        rows = np.arange(self.n)
        ms = np.arange(-420.0, 800.0)
        gram = _twelve_vectors().T @ _twelve_vectors()
        p_first, p_last = _edges(_speed(ms, gram, *self.atrial(rows)), ms, _P_EDGE)
        centre, width, dipole = self.ventricular(rows, self.rr, np.zeros(self.n, bool))
        q_first, q_last = _edges(
            _speed(ms, gram, centre[:, :4], width[:, :4], dipole[:, :4]), ms, _EDGE
        )
        t_end = _tangent(ms, gram, centre[:, 4:], width[:, 4:], dipole[:, 4:])
        none = np.where(self.p_present, 0.0, np.nan)
        return {
            "pr_ms": q_first - p_first + none,
            "qrs_ms": q_last - q_first,
            "qt_ms": t_end - q_first,
            "p_duration_ms": p_last - p_first + none,
            "p_present": self.p_present.astype(np.float64),
            "fibrillation": self.fibrillation.astype(np.float64),
            "widened": (self.extra > 0).astype(np.float64),
        }


def _rotations(angles: Values) -> Values:
    """Rotation matrices about the three axes in turn: (n, 3) radians to (n, 3, 3)."""
    c, s = np.cos(angles).T, np.sin(angles).T
    one, zero = np.ones(len(angles)), np.zeros(len(angles))
    x = np.array([[one, zero, zero], [zero, c[0], -s[0]], [zero, s[0], c[0]]])
    y = np.array([[c[1], zero, s[1]], [zero, one, zero], [-s[1], zero, c[1]]])
    z = np.array([[c[2], -s[2], zero], [s[2], c[2], zero], [zero, zero, one]])
    return np.asarray(np.einsum("ijn,jkn,kln->nil", x, y, z))


def _beats(
    person: _Person, stream: np.random.Generator, seconds: float, hrv: float, ectopic: float
) -> tuple[NDArray[np.intp], Values, Values, NDArray[np.bool_]]:
    """Row, time, length of the preceding RR and kind of each beat, a little beyond both ends."""
    n, most = person.n, int((seconds + 3) / 0.30) + 4
    z = stream.standard_normal((n, most, 3))
    rr0 = person.rr[:, None]
    clock = np.arange(most) * rr0
    wave = person.breath[:, None] * np.sin(
        2 * np.pi * person.breathing[:, None] * clock + person.phases[:, :1]
    )
    wave += person.slow[:, None] * np.sin(2 * np.pi * 0.1 * clock + person.phases[:, 1:])
    sinus = 1 + hrv * (wave + 0.008 * z[:, :, 0])
    factor = np.where(person.fibrillation[:, None], np.exp(0.23 * z[:, :, 0] - 0.026), sinus)
    # Normal quantile at which the wanted share of beats lies below.
    early = np.zeros((n, most), bool)
    if ectopic > 0:
        early = z[:, :, 1] < np.quantile(_NORMAL, ectopic)
        early[:, 1:] &= ~early[:, :-1]
    late = np.zeros_like(early)
    late[:, 1:] = early[:, :-1]
    rr = np.maximum(rr0 * factor, 0.31)
    rr = np.where(early, np.maximum(0.62 * rr, 0.31), np.where(late, 1.38 * rr, rr))
    time = np.cumsum(rr, axis=1) - 1.5 - np.modf(np.abs(z[:, :1, 2]))[0] * rr0
    row = np.repeat(np.arange(n)[:, None], most, axis=1)
    held = (time > -1.2) & (time < seconds + 1.2)
    return row[held], time[held], rr[held], early[held]


_NORMAL = np.random.default_rng(0).standard_normal(20001)


def _draw(
    dipole: Values,
    rate: float,
    row: NDArray[np.intp],
    time: Values,
    centre: Values,
    width: Values,
    size: Values,
) -> None:
    """Add the waves of all beats to the dipole's course, each over its own few samples."""
    n, _, count = dipole.shape
    total = np.zeros((3, n * count))
    for w in range(centre.shape[1]):
        at = time + centre[:, w] / 1000
        reach = int(np.ceil(_REACH * width[:, w].max(initial=0) / 1000 * rate))
        grid = np.rint(at * rate).astype(np.intp)[:, None] + np.arange(-reach, reach + 1)
        z = (grid / rate - at[:, None]) / (width[:, w, None] / 1000)
        wave = np.exp(-0.5 * z * z)
        ok = (grid >= 0) & (grid < count) & (np.abs(z) < _REACH)
        place = (row[:, None] * count + grid)[ok]
        for axis in range(3):
            amount = (wave * size[:, w, axis, None])[ok]
            total[axis] += np.bincount(place, amount, n * count)
    dipole += total.reshape(3, n, count).transpose(1, 0, 2)


def _noise(
    person: _Person,
    stream: np.random.Generator,
    phases: np.random.Generator,
    rate: float,
    count: int,
) -> Values:
    """Wander, muscle noise, mains and, in fibrillation, fibrillatory waves of the eight leads."""
    n, t = person.n, np.arange(count) / rate
    draw = phases.random((n, 64))
    wander, muscle, mains, fibrillatory = person.levels.T
    frequency = np.stack([0.08 + 0.1 * draw[:, 0], 0.18 + 0.15 * draw[:, 1], 0.45 * draw[:, 2]], 1)
    angle = 2 * np.pi * frequency[:, :, None] * t
    mix = (draw[:, 3:51].reshape(n, 8, 6) - 0.5) * wander[:, None, None]
    noise = np.einsum("nlk,nkt->nlt", mix, np.concatenate([np.sin(angle), np.cos(angle)], 1))
    noise += stream.standard_normal((n, 8, count), dtype=np.float32) * muscle[:, None, None]
    hum = np.sin(2 * np.pi * (50 * t + draw[:, 51, None])) if rate > 100 else np.zeros((1, count))
    noise += (mains[:, None] * hum)[:, None]
    rows = np.flatnonzero(person.fibrillation)
    if rows.size:
        base = 5 + 2.5 * draw[rows, 52, None]
        drift = 0.8 * np.sin(2 * np.pi * (0.7 * t + draw[rows, 53, None]))
        wave = np.sin(2 * np.pi * base * t + 3 * drift + 6 * draw[rows, 54, None])
        wave += 0.5 * np.sin(2 * np.pi * 1.37 * base * t + 5 * drift)
        toward = np.einsum("lj,j->l", LEAD_VECTORS, [0.1, 0.6, 0.7])
        noise[rows] += fibrillatory[rows, None, None] * toward[:, None] * wave[:, None]
    return np.asarray(noise)


def _twelve(leads: Values) -> NDArray[np.float32]:
    """All twelve leads on a grid of 1 uV from the eight independent ones."""
    steps = np.rint(leads * 1000)
    i, ii = steps[:, 0], steps[:, 1]
    limb = [i, ii, ii - i, np.rint(-(i + ii) / 2), np.rint(i - ii / 2), np.rint(ii - i / 2)]
    all_twelve = np.concatenate([np.stack(limb, axis=1), steps[:, 2:]], axis=1)
    return (all_twelve / 1000).astype(np.float32)


def _twelve_vectors() -> Values:
    """Lead vectors of the twelve leads, from those of the eight."""
    i, ii = LEAD_VECTORS[:2]
    limb = np.stack([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2])
    return np.concatenate([limb, LEAD_VECTORS[2:]])


def _waves(ms: Values, centre: Values, width: Values) -> tuple[Values, Values]:
    """Gaussians (n, waves, ms) and their slopes a millisecond."""
    z = (ms - centre[:, :, None]) / width[:, :, None]
    wave = np.exp(-0.5 * z * z)
    return wave, -z / width[:, :, None] * wave


def _speed(ms: Values, gram: Values, centre: Values, width: Values, dipole: Values) -> Values:
    """Norm over the leads of the slope."""
    slope = np.einsum("nwt,nwi->nti", _waves(ms, centre, width)[1], dipole)
    return np.asarray(np.sqrt(np.einsum("nti,ij,ntj->nt", slope, gram, slope)))


def _edges(speed: Values, ms: Values, share: float) -> tuple[Values, Values]:
    """First and last millisecond above a share of the largest speed."""
    above = speed > share * speed.max(axis=1, keepdims=True)
    return ms[above.argmax(axis=1)], ms[::-1][above[:, ::-1].argmax(axis=1)]


def _tangent(ms: Values, gram: Values, centre: Values, width: Values, dipole: Values) -> Values:
    """Where the tangent at the steepest descent of T meets zero."""
    course = np.einsum("nwt,nwi->nti", _waves(ms, centre, width)[0], dipole)
    size = np.sqrt(np.einsum("nti,ij,ntj->nt", course, gram, course))
    slope = np.gradient(size, axis=1)
    at = slope.argmin(axis=1)
    rows = np.arange(len(size))
    return np.asarray(ms[at] - size[rows, at] / slope[rows, at])
