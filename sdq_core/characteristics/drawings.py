"""What measurements give the reader to look at: curves and histograms, never a single real item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdq_core.characteristics.comparison import Comparison

__all__ = ["curve", "histogram", "rounded"]

Values = NDArray[np.float64]


def curve(
    comparison: Comparison, columns: Values, x: Sequence[float], x_label: str, y_label: str
) -> dict[str, Any]:
    """Return the mean of columns over real and over synthetic items, with the real middle 90 %.

    Parameters
    ----------
    comparison : Comparison
    columns : ndarray, shape (N, d)
        Of all rows of the comparison.
    x : sequence of float, length d
    x_label, y_label : str
        Phrases whose Chinese is known.

    Returns
    -------
    dict
        For ``details["curve"]``.
    """
    real, synthetic = columns[comparison.reference], columns[comparison.synthetic]
    low, high = np.quantile(real, [0.05, 0.95], axis=0)
    return {
        "x": [round(float(v), 4) for v in x],
        "x_label": x_label,
        "y_label": y_label,
        "bands": "Grey: the middle 90 % of real items.",
        "real": rounded(real.mean(axis=0)),
        "real_low": rounded(low),
        "real_high": rounded(high),
        "synthetic": rounded(synthetic.mean(axis=0)),
    }


def histogram(comparison: Comparison, column: int, bins: int = 24) -> dict[str, Any] | None:
    """Return the densities of one feature on both sides, or None where one side lacks it.

    Returns
    -------
    dict or None
        Keys feature, edges, real, synthetic. Items that lack the feature are left out.
    """
    real, synthetic = (
        comparison.raw[rows, column]
        if comparison.absent is None
        else comparison.raw[rows, column][~comparison.absent[rows, column]]
        for rows in (comparison.reference, comparison.synthetic)
    )
    if not len(real) or not len(synthetic):
        return None
    low, high = np.quantile(np.concatenate([real, synthetic]), [0.005, 0.995])
    edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
    densities = [
        np.histogram(np.clip(v, edges[0], edges[-1]), edges, density=True)[0]
        for v in (real, synthetic)
    ]
    return {
        "feature": comparison.names[column],
        "edges": [float(f"{e:.5g}") for e in edges],
        "real": [float(f"{d:.4g}") for d in densities[0]],
        "synthetic": [float(f"{d:.4g}") for d in densities[1]],
    }


def rounded(values: Values, digits: int = 3) -> list[float]:
    """Return numbers for the result file."""
    return [round(float(v), digits) for v in values]
