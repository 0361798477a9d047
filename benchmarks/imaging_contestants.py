"""What `benchmarks/imaging.py` measures: ours, and the peers' formulas and packages.

Imported in the processes of the contestants, some of which lack sdq: every function imports what
it needs. The two Frechet formulas of the peers are written down here from the mathematics.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from contest import Arrays, Work

RADIOGRAPHS = Path(__file__).parents[1] / "fixtures/cxr/holdout"
ITEMS = 60
BATCH = 16
LEVELS = 64
K = 5

# pyradiomics' name -> ours
GLCM = {
    "Autocorrelation": "autocorrelation",
    "JointAverage": "joint_average",
    "ClusterProminence": "cluster_prominence",
    "ClusterShade": "cluster_shade",
    "ClusterTendency": "cluster_tendency",
    "Contrast": "contrast",
    "Correlation": "correlation",
    "DifferenceAverage": "difference_average",
    "DifferenceEntropy": "difference_entropy",
    "DifferenceVariance": "difference_variance",
    "JointEnergy": "joint_energy",
    "JointEntropy": "joint_entropy",
    "Imc1": "imc1",
    "Imc2": "imc2",
    "Idm": "inverse_difference_moment",
    "Id": "inverse_difference",
    "Idmn": "inverse_difference_moment_normalised",
    "Idn": "inverse_difference_normalised",
    "InverseVariance": "inverse_variance",
    "MaximumProbability": "maximum_probability",
    "SumAverage": "sum_average",
    "SumEntropy": "sum_entropy",
    "SumSquares": "sum_squares",
}


# --- inputs ---------------------------------------------------------------------------------------


def features(n: int, d: int, shift: float = 0.05) -> dict[str, Any]:
    """Two samples of correlated, not negative float32 features, as networks pool them."""
    rank = min(d, 256)
    mix = np.random.default_rng(7).standard_normal((rank, d), np.float32) / np.float32(rank**0.5)
    fade = (1 / np.sqrt(np.arange(1, rank + 1))).astype(np.float32)
    found = {}
    for seed, name in enumerate("xy"):
        rng = np.random.default_rng(seed)
        rows = (rng.standard_normal((n, rank), np.float32) * fade) @ mix
        rows += np.float32(0.1) * rng.standard_normal((n, d), np.float32)
        found[name] = np.maximum(rows + np.float32(shift * seed), 0)
    return found


def pictures(n: int, side: int, pairs: int = 0) -> dict[str, Any]:
    """Noisy sums of blobs, grey values from 0 to just below 1, with a disturbed copy of each."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:side, :side] / side
    stack = np.empty((2 * n, side, side))
    for image in stack:
        image[:] = 0.05 * rng.standard_normal((side, side))
        for _ in range(6):
            cx, cy, width, height = rng.random(4)
            spread = 2 * (0.03 + 0.15 * width) ** 2
            image += height * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / spread)
        image -= image.min()
        image *= 0.999 / image.max()
    a, other = stack[:n], stack[n:]
    if pairs:
        # Images of one kind, as in a cohort. Where two have nothing in common, the mean contrast
        # is a difference of float32 numbers that nearly cancel, and has few digits in any code.
        a = (a + a[0]) / 2
    found = {"a": a.astype(np.float32)}
    found["b"] = np.clip(a + 0.1 * (other - 0.3), 0, 0.999).astype(np.float32)
    if pairs:
        every = np.column_stack(np.triu_indices(n, 1))
        found["pairs"] = every[rng.permutation(len(every))[:pairs]]
    return found


# --- Frechet distance -----------------------------------------------------------------------------


def frechet_sdq(arrays: Arrays) -> Work:
    from sdq_core.statistics import frechet_distance

    return lambda: frechet_distance(arrays["x"], arrays["y"])


def _frechet(arrays: Arrays, root_trace: Callable[[Any], float]) -> float:
    """|mx - my|^2 + tr Sx + tr Sy - 2 tr (Sx Sy)^(1/2), given a way to the last trace."""
    x, y = arrays["x"].astype(np.float64), arrays["y"].astype(np.float64)
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    gap = x.mean(axis=0) - y.mean(axis=0)
    return float(gap @ gap + np.trace(s) + np.trace(t) - 2 * root_trace(s @ t))


def frechet_square_root(arrays: Arrays) -> Work:
    """The form of pytorch-fid, clean-fid and MONAI."""
    from scipy.linalg import sqrtm

    return lambda: _frechet(arrays, lambda product: np.trace(sqrtm(product)).real)


def frechet_eigenvalues(arrays: Arrays) -> Work:
    """The form of torch-fidelity and torchmetrics."""
    from numpy.linalg import eigvals

    return lambda: _frechet(
        arrays, lambda product: np.sqrt(eigvals(product).astype(complex)).real.sum()
    )


# --- precision, recall, density, coverage ---------------------------------------------------------


def prdc_sdq(arrays: Arrays) -> Work:
    from sdq_core.statistics import precision_recall_density_coverage

    return lambda: precision_recall_density_coverage(arrays["x"], arrays["y"], K)


def prdc_prdc(arrays: Arrays) -> Work:
    from prdc import compute_prdc

    names = ("precision", "recall", "density", "coverage")

    def work() -> list[float]:
        found = compute_prdc(arrays["x"], arrays["y"], K)
        return [float(found[name]) for name in names]

    return work


# --- structural similarity ------------------------------------------------------------------------


def ssim_sdq(arrays: Arrays) -> Work:
    from sdq_imaging.structural_similarity import ssim

    return lambda: ssim(arrays["a"], arrays["b"], 1.0)


def ssim_skimage(arrays: Arrays) -> Work:
    from skimage.metrics import structural_similarity

    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return lambda: [
        structural_similarity(x, y, data_range=1.0, **options)
        for x, y in zip(arrays["a"], arrays["b"], strict=True)
    ]


def _monai(metric: Any, a: Any, b: Any) -> Any:
    """In batches, as the package is meant to be used."""
    import torch

    starts = range(0, len(a), BATCH)
    with torch.inference_mode():
        parts = [metric(a[k : k + BATCH], b[k : k + BATCH]) for k in starts]
        return torch.cat(parts).ravel().numpy()


def _ms_ssim_metric() -> Any:
    """With weights that sum to 1, as ours: the published ones sum to 1.0001."""
    from monai.metrics import MultiScaleSSIMMetric

    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
    return MultiScaleSSIMMetric(
        spatial_dims=2, data_range=1.0, reduction="none", weights=tuple(weights / weights.sum())
    )


def _tensors(arrays: Arrays) -> tuple[Any, Any]:
    import torch

    return torch.from_numpy(arrays["a"])[:, None], torch.from_numpy(arrays["b"])[:, None]


def ssim_monai(arrays: Arrays) -> Work:
    from monai.metrics import SSIMMetric

    a, b = _tensors(arrays)
    metric = SSIMMetric(spatial_dims=2, data_range=1.0, reduction="none")
    return lambda: _monai(metric, a, b)


def ms_ssim_sdq(arrays: Arrays) -> Work:
    from sdq_imaging.structural_similarity import ms_ssim

    return lambda: ms_ssim(arrays["a"], arrays["b"], 1.0)


def ms_ssim_monai(arrays: Arrays) -> Work:
    a, b = _tensors(arrays)
    metric = _ms_ssim_metric()
    return lambda: _monai(metric, a, b)


def diversity_sdq(arrays: Arrays) -> Work:
    from sdq_imaging.structural_similarity import pairwise_ms_ssim

    return lambda: pairwise_ms_ssim(arrays["a"], arrays["pairs"], 1.0)


def diversity_monai(arrays: Arrays) -> Work:
    import torch

    a, _ = _tensors(arrays)
    first, second = torch.from_numpy(arrays["pairs"]).T
    metric = _ms_ssim_metric()

    def work() -> Any:
        parts = zip(first.split(BATCH), second.split(BATCH), strict=True)
        return np.concatenate([_monai(metric, a[i], a[j]) for i, j in parts])

    return work


# --- texture --------------------------------------------------------------------------------------


def glcm_sdq(arrays: Arrays) -> Work:
    from sdq_imaging.features.texture import co_occurrence, co_occurrence_features, discretise

    def work() -> list[list[float]]:
        found = [co_occurrence_features(co_occurrence(discretise(x, LEVELS))) for x in arrays["a"]]
        return [[f[name] for name in GLCM.values()] for f in found]

    return work


def _simple_itk(arrays: Arrays) -> list[tuple[Any, Any]]:
    """Images with whole masks, padded by one pixel: pyradiomics refuses a mask without a 0."""
    import SimpleITK

    return [
        (
            SimpleITK.GetImageFromArray(np.pad(x, 1, mode="edge").astype(np.float64)[None]),
            SimpleITK.GetImageFromArray(np.pad(np.ones(x.shape, np.uint8), 1)[None]),
        )
        for x in arrays["a"]
    ]


PYRADIOMICS = {
    "binWidth": 1 / LEVELS, "force2D": True, "force2Ddimension": 0, "distances": [1],
}  # fmt: skip


def glcm_pyradiomics(arrays: Arrays) -> Work:
    """By the extractor, the documented way in."""
    from radiomics import featureextractor

    extractor = featureextractor.RadiomicsFeatureExtractor(**PYRADIOMICS)
    extractor.disableAllFeatures()
    extractor.enableFeaturesByName(glcm=list(GLCM))
    images = _simple_itk(arrays)

    def work() -> list[list[float]]:
        found = [extractor.execute(*image) for image in images]
        return [[float(f[f"original_glcm_{name}"]) for name in GLCM] for f in found]

    return work


def glcm_pyradiomics_class(arrays: Arrays) -> Work:
    """By the class of this one group of features, without the extractor's checks."""
    from radiomics.glcm import RadiomicsGLCM

    images = _simple_itk(arrays)

    def work() -> list[list[float]]:
        found = []
        for image in images:
            one = RadiomicsGLCM(*image, **PYRADIOMICS)
            for name in GLCM:
                one.enableFeatureByName(name)
            values = one.execute()
            found.append([float(values[name]) for name in GLCM])
        return found

    return work


# --- describing, stage by stage -------------------------------------------------------------------


def _each(function: Callable[[Any], object], inputs: list[Any]) -> Work:
    def work() -> list[float]:
        for one in inputs:
            function(one)
        return []

    return work


def _items() -> list[Any]:
    from sdq_imaging.reading import list_items

    return list(list_items(RADIOGRAPHS).items[:ITEMS])


def _read() -> list[Any]:
    from sdq_imaging.reading import read_image

    return [read_image(item) for item in _items()]


def _planes() -> list[Any]:
    from sdq_imaging.grey import normalise, slices

    return [slices(normalise(image)[0]) for image in _read()]


def stage_read(_: Arrays) -> Work:
    from sdq_imaging.reading import read_image

    return _each(read_image, _items())


def stage_normalise(_: Arrays) -> Work:
    from sdq_imaging.grey import normalise, slices

    return _each(lambda image: slices(normalise(image)[0]), _read())


def stage_features(_: Arrays) -> Work:
    from sdq_imaging.describing import named_features, native_intensity

    inputs = list(zip(_read(), _planes(), strict=True))
    return _each(lambda one: (native_intensity(one[0]), named_features(one[1])), inputs)


def stage_radiomic(_: Arrays) -> Work:
    from sdq_imaging.describing import named_features
    from sdq_imaging.embeddings import embedder

    embed = embedder("radiomic")
    inputs = [(planes, named_features(planes)) for planes in _planes()]
    return _each(lambda one: embed(*one), inputs)


def stage_random_resnet18(_: Arrays) -> Work:
    from sdq_imaging.embeddings import embedder

    embed = embedder("random-resnet18")
    return _each(lambda planes: embed(planes, {}), _planes())


def stage_signature(_: Arrays) -> Work:
    from sdq_imaging.signature import signature

    return _each(lambda image: signature(image.pixels), _read())


def stage_digest(_: Arrays) -> Work:
    from sdq_core.hashing import array_digest

    return _each(lambda image: array_digest(image.pixels), _read())


def stage_whole(_: Arrays) -> Work:
    from sdq_imaging.describing import ImagingDescriber
    from sdq_imaging.settings import ImagingSettings

    describer, items = ImagingDescriber.of(ImagingSettings()), _items()
    describer(items[0])  # makes the network: once a worker, not once an image
    return _each(describer, items)


# --- the machine ----------------------------------------------------------------------------------


def product_double(arrays: Arrays) -> Work:
    x = arrays["x"].astype(np.float64)
    return lambda: (x @ x.copy().T)[0, :1]


def product_single(arrays: Arrays) -> Work:
    x = arrays["x"]
    return lambda: (x @ x.copy().T)[0, :1]
