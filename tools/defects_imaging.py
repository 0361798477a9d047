"""Write docs/defects_imaging.md: the catalogue of planted defects of images, from the code.

    python tools/defects_imaging.py [--check]

``--check`` writes nothing; the exit code is 1 where the page is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from sdq_core.calibration.defect import Defect
from sdq_core.vocabulary import TERMS
from sdq_imaging.planting.catalogue import DEFECTS, NOT_PLANTED

PAGE = Path(__file__).parents[1] / "docs/defects_imaging.md"
HEAD = """# Planted defects of images

Written by `tools/defects_imaging.py` from `sdq_imaging/planting/catalogue.py`: what
`sdq calibrate` plants in a study's own real images, how severe, what must see it, and why it
matters. A severity in bold is the first that a study must not pass with.

Items are written in their own format, with new identifiers and the declarations of a synthetic one
(`sdq_imaging/planting/`), so that a cohort with a defect differs from a clean one by the defect
alone:

| format | written as | what a clean copy says of itself |
| --- | --- | --- |
| DICOM, series, enhanced objects | DICOM, decompressed; new UIDs, the year of dates, no private attributes, nothing that PS3.15 removes | Synthetic Data, Derivation Description with seed and label AIGC, Contributing Equipment, Image Type DERIVED |
| NIfTI | NIfTI, header as it was; no extensions, no free texts | `descrip`, label AIGC in an extension |
| PNG, JPEG and other pictures | PNG; TIFF and BMP stay, all without loss | PNG texts; label AIGC also in TIFF |
| `.npy`, `.npz` | the rows of the cohort as one stack | arrays beside the images in `.npz` |
| masks | beside the cohort, in the hidden folder `.masks` | |

Every format has a label table with `synthetic`, `generator`, `generator_version` and `seed`, and a
lineage table. Families of faults of form (attributes, headers, files) break an item in several ways
at once, or the chosen items in turn, each in one. A defect that a kind of data cannot carry is
unavailable, with the reason: pictures have no DICOM attributes to lose.
"""  # noqa: E501
TAIL = """
## What no planted defect can show

| rule or measure | why |
| --- | --- |
"""


def page() -> str:
    """Return the page."""
    return "\n".join((HEAD, *catalogue(), TAIL.strip("\n"), *not_planted(), ""))


def catalogue() -> Iterator[str]:
    """Yield the tables, one for each characteristic that is the first target."""
    seen = ""
    for defect in DEFECTS:
        target = str(defect.targets[0])
        if target != seen:
            seen = target
            english, chinese = TERMS[target]
            yield f"\n## {english} {chinese}\n"
            yield "| defect | severities | may fail as well | seen by | source |"
            yield "| --- | --- | --- | --- | --- |"
        yield "| " + " | ".join(_cells(defect)) + " |"
    yield ""


def _cells(defect: Defect) -> tuple[str, ...]:
    severities = ", ".join(
        f"**{s:g}**" if s == defect.unacceptable else f"{s:g}" for s in defect.severities
    )
    also = [*defect.targets[1:], *defect.side_effects]
    needs = f"; needs {', '.join(defect.needs)}" if defect.needs else ""
    return (
        f"`{defect.id}` {defect.title[0]} {defect.title[1]}{needs}",
        f"{severities} {defect.unit[0]}",
        ", ".join(dict.fromkeys(str(c) for c in also)),
        ", ".join(f"`{s.removeprefix('imaging.')}`" for s in defect.sees),
        defect.source,
    )


def not_planted() -> Iterator[str]:
    """Yield the rows of what is not planted."""
    for id_, (english, _) in NOT_PLANTED.items():
        yield f"| `{id_}` | {english} |"


def main() -> int:
    """Write the page, or compare it."""
    made = page()
    if "--check" in sys.argv[1:]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != made)
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
