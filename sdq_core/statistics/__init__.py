"""Pure functions on arrays: no input or output, no medicine.

Each cites its source; groups (subjects) are the unit of every resampling.
"""

from sdq_core.statistics.arrays import safe_scale, single_thread_blas
from sdq_core.statistics.attack import (
    AttackCurve,
    attack_by_chance,
    attack_curve,
    binomial_interval,
)
from sdq_core.statistics.classifier import TwoSampleResult, classifier_two_sample_test
from sdq_core.statistics.diversity import gini_coefficient, shannon_entropy, vendi_score
from sdq_core.statistics.frechet import (
    Moments,
    frechet_distance,
    frechet_distance_from_moments,
)
from sdq_core.statistics.intervals import (
    bootstrap,
    central_interval,
    half_sampling,
    noise_floor,
)
from sdq_core.statistics.kernels import (
    gram,
    kernel_distance,
    maximum_mean_discrepancy,
    median_bandwidth,
    weighted_discrepancy,
)
from sdq_core.statistics.marginals import MarginalTest, ecdf_distances, two_sample_tests
from sdq_core.statistics.multiplicity import benjamini_hochberg, holm
from sdq_core.statistics.neighbours import (
    PRDC,
    nearest_neighbours,
    prdc_from_distances,
    precision_recall_density_coverage,
    squared_distances,
)
from sdq_core.statistics.permutation import PermutationResult, permutation_test
from sdq_core.statistics.resampling import (
    bootstrap_weights,
    half_sample_weights,
    random_splits,
    split_indices,
    split_weights,
)

__all__ = [
    "PRDC",
    "AttackCurve",
    "MarginalTest",
    "Moments",
    "PermutationResult",
    "TwoSampleResult",
    "attack_by_chance",
    "attack_curve",
    "benjamini_hochberg",
    "binomial_interval",
    "bootstrap",
    "bootstrap_weights",
    "central_interval",
    "classifier_two_sample_test",
    "ecdf_distances",
    "frechet_distance",
    "frechet_distance_from_moments",
    "gini_coefficient",
    "gram",
    "half_sample_weights",
    "half_sampling",
    "holm",
    "kernel_distance",
    "maximum_mean_discrepancy",
    "median_bandwidth",
    "nearest_neighbours",
    "noise_floor",
    "permutation_test",
    "prdc_from_distances",
    "precision_recall_density_coverage",
    "random_splits",
    "safe_scale",
    "shannon_entropy",
    "single_thread_blas",
    "split_indices",
    "split_weights",
    "squared_distances",
    "two_sample_tests",
    "vendi_score",
    "weighted_discrepancy",
]
