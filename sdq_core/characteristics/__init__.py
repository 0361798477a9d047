"""The characteristic interfaces, and what all modalities share in each."""

from sdq_core.characteristics.evaluation import CharacteristicEvaluation, Part

__all__ = ["CharacteristicEvaluation", "Part"]
