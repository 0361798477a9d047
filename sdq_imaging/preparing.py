"""Before cohorts are read: the embeddings that take a file are tried, so that none fails midway."""

from __future__ import annotations

from typing import Any

import numpy as np

from sdq_core.acceleration import chosen_device
from sdq_core.errors import PluginError, StudyError
from sdq_core.study import Study
from sdq_imaging.embeddings.asked import DEFAULT, Asked
from sdq_imaging.embeddings.registry import make
from sdq_imaging.embeddings.whole import Whole
from sdq_imaging.settings import ImagingSettings

__all__ = ["prepared"]


def prepared(study: Study) -> Study:
    """Return the study with hash and length of each embedding that takes a file or a function.

    Raises
    ------
    StudyError
        A file does not fit, has another hash, or its network cannot be computed.
    PluginError
        A CUDA device is asked for and there is none.
    """
    settings = ImagingSettings.of(study.settings)
    chosen_device(settings.device)
    if all(a.name in DEFAULT or a.lacking for a in settings.embeddings):
        return study
    found = [_tried(a, settings.device) for a in settings.embeddings]
    stated = [a.model_dump(mode="json", exclude_defaults=True) for a in found]
    return study.model_copy(update={"settings": {**study.settings, "embeddings": stated}})


def _tried(asked: Asked, device: str) -> Asked:
    if asked.name in DEFAULT or asked.lacking:
        return asked
    volume = np.random.default_rng(0).random((8, 32, 32), np.float32)
    try:
        made = make(asked, device)
        # Networks for volumes give nothing for an image, and the other way round nothing is lost.
        vector = made(volume[:1], {}, Whole(volume))
    except PluginError as error:
        raise StudyError(f"study: settings.embeddings: {error}") from error
    except StudyError:
        raise
    except Exception as error:  # a network or a function of the user's may fail in any way
        raise StudyError(_failed(asked, error)) from error
    if vector is None or vector.ndim != 1 or not np.isfinite(vector).all():
        raise StudyError(
            f"study: settings.embeddings: {asked.called}: gives no finite vector for a picture of "
            "random pixels; check the file and its input"
        )
    known: dict[str, Any] = {"dimension": len(vector)}
    if asked.weights:
        known["sha256"] = asked.found_sha256()
    return asked.model_copy(update=known)


def _failed(asked: Asked, error: Exception) -> str:
    return (
        f"study: settings.embeddings: {asked.called}: cannot be computed "
        f"({type(error).__name__}: {str(error)[:200]}); check input.side, input.channels and "
        "input.dimensions"
    )
