"""A tree of codes as one picture: which branches the synthetic data lack."""

from __future__ import annotations

from typing import Final

from sdq_core.documents.details import Branch, Tree
from sdq_core.documents.numbers import notation
from sdq_core.documents.svg import Canvas, scale
from sdq_core.documents.texts import text

__all__ = ["draw_tree"]

_ROW: Final = 17.0
_STEP: Final = 18.0
_NAMES: Final = 230.0
_WIDTH: Final = 640.0
_BARS: Final = 520.0
_LONGEST: Final = 26


def draw_tree(tree: Tree, language: str) -> str:
    """Return the branches with the shares of both sides, what is missing marked.

    Parameters
    ----------
    tree : Tree
    language : {"en", "zh"}

    Examples
    --------
    >>> lost = Tree(column="t.dx", branches=[Branch(label="IX", depth=0, real=0.2, synthetic=0)])
    >>> "missing" in draw_tree(lost, "en")
    True
    """
    branches = tree.branches
    top = max(max(b.real, b.synthetic) for b in branches) or 1.0
    height = _ROW * len(branches) + 8
    canvas = Canvas(_WIDTH, height, text("tree_alt", language, count=len(branches)))
    style = notation([b.real for b in branches], "share", language)
    last: dict[int, float] = {}
    for k, branch in enumerate(branches):
        middle = 4 + (k + 0.5) * _ROW
        x = branch.depth * _STEP
        if branch.depth:  # from the parent down, then to the branch
            parent = last.get(branch.depth - 1, middle)
            canvas.line([(x - 10, parent + 6), (x - 10, middle), (x - 2, middle)], "grid")
        last[branch.depth] = middle
        strong = "t strong" if branch.depth == 0 or _lost(branch) else "t"
        label = branch.label if len(branch.label) <= _LONGEST else f"{branch.label[:_LONGEST]}…"
        canvas.label(x, middle + 4, label, strong)
        length = scale(0, top, 0, _BARS - _NAMES, branch.synthetic)
        canvas.rect(_NAMES, middle - 6, length, 7, "synthetic-bar")
        canvas.rect(
            _NAMES, middle + 1, scale(0, top, 0, _BARS - _NAMES, branch.real), 5, "real-bar"
        )
        if _lost(branch):
            words = text("tree_missing", language, share=style.write(branch.real))
            canvas.label(_BARS + 6, middle + 4, words, "t strong")
    canvas.line([(_NAMES, 0), (_NAMES, height)], "axis")
    return canvas.svg()


def _lost(branch: Branch) -> bool:
    return branch.synthetic == 0 < branch.real
