"""The heat map of associations: three panels, both languages, and what lies in each cell."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdq_core.documents.details import Heat, read_details
from sdq_core.documents.figures import figures
from sdq_core.documents.plots import HEATS, draw_heat

HEAT = {
    "labels": ["age", "sex <b>", "value"],
    "real": [[1, 0.8, 0.5], [0.8, 1, 0], [0.5, 0, 1]],
    "synthetic": [[1, 0.2, -0.5], [0.2, 1, 0.1], [-0.5, 0.1, 1]],
}


def marks(kind, heat=HEAT):
    """Steps drawn in grey and in blue: {class: number of squares}."""
    svg = draw_heat(Heat.model_validate(heat), kind, 30, "en")
    return {c: d.count("M") for c, d in re.findall(r'<path class="(.*?)" d="(.*?)"', svg)}


def test_strength_is_drawn_in_five_steps_and_the_diagonal_is_not():
    assert marks("real") == {"real-heat heat-4": 2, "real-heat heat-3": 2}
    assert marks("synthetic") == {
        "synthetic-heat heat-1": 4, "synthetic-heat heat-3": 2,
    }  # fmt: skip


def test_difference_shows_what_was_lost_and_what_was_invented():
    # 0.8 -> 0.2 lost 0.6; 0.5 -> -0.5 lost 0.5 and invented as much; 0 -> 0.1 invented 0.1.
    assert marks("difference") == {
        "real-heat heat-3": 4, "synthetic-heat heat-3": 2, "synthetic-heat heat-1": 2,
    }  # fmt: skip


@given(st.integers(2, 6), st.integers(0, 10**6))
def test_equal_sides_differ_nowhere(size, seed):
    values = np.random.default_rng(seed).uniform(-1, 1, (size, size)).round(3).tolist()
    heat = {"labels": ["x"] * size, "real": values, "synthetic": values}
    assert marks("difference", heat) == {}


@pytest.mark.parametrize(("language", "words"), [("en", "invented"), ("zh", "凭空产生")])
def test_figure_has_three_panels_and_names_the_columns(language, words):
    (figure,), broken = figures({"heat": HEAT}, language)
    assert not broken
    assert len(figure.panels) == len(HEATS) == 3
    assert words in figure.panels[2].caption
    assert [row[1] for row in figure.rows] == HEAT["labels"]
    assert "<b>" not in "".join(panel.svg for panel in figure.panels)


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": ["a"]},
        {"real": [[1, 0], [0, 1]]},
        {"real": [[1, 2, 0], [2, 1, 0], [0, 0, 1]]},
        {"synthetic": [[1, 0, 0], [0, 1], [0, 0, 1]]},
    ],
)
def test_another_form_is_named_and_not_drawn(changed):
    found, broken = read_details({"heat": {**HEAT, **changed}})
    assert "heat" not in found
    assert "heat" in broken


def test_many_columns_are_cut_and_the_rest_counted():
    size = 40
    heat = {
        "labels": [f"c{k}" for k in range(size)],
        "real": np.eye(size).tolist(),
        "synthetic": np.full((size, size), 0.5).tolist(),
    }
    (figure,), _ = figures({"heat": heat}, "en")
    assert len(figure.rows) == 30
    assert figure.notes[-1] == "and 10 more in result.json"
    svg = str(figure.panels[1].svg)
    assert svg.count("M") == 30 * 29
