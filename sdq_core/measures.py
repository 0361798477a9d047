"""What measures are called and say, for people: shared texts, and a modality's own."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import yaml

from sdq_core.result import MeasureText
from sdq_core.vocabulary import Characteristic

__all__ = ["measure_texts"]


def measure_texts(modality: str, own: Path) -> dict[str, MeasureText]:
    """Return the texts of a modality's measures, by id.

    Parameters
    ----------
    modality : str
        First part of the ids.
    own : Path
        YAML file of measures that the modality alone has, or says in its own words:
        ``id: [title, title_zh, says, says_zh, method_zh]``. A shared measure that it does not have
        is ``id: null``.

    Returns
    -------
    dict
        In the standard's order of characteristics.
    """
    shared = files("sdq_core.characteristics") / "measures.yaml"
    table = yaml.safe_load(shared.read_text(encoding="utf-8"))
    table = {f"{modality}.{key}": texts for key, texts in table.items()}
    table |= yaml.safe_load(own.read_text(encoding="utf-8"))
    table = {key: texts for key, texts in table.items() if texts is not None}
    order = list(Characteristic)
    ids = sorted(table, key=lambda i: order.index(Characteristic(i.split(".")[1])))
    return {
        i: MeasureText(**dict(zip(MeasureText.model_fields, table[i], strict=True))) for i in ids
    }
