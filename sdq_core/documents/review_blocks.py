"""What people found: protocol and figures of the blinded manual review, as blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sdq_core.documents.measure_blocks import summary_table
from sdq_core.documents.model import Block, Paragraph, words
from sdq_core.documents.numbers import count, number
from sdq_core.documents.parts import Source, facts_table
from sdq_core.documents.texts import text
from sdq_core.documents.view import MeasureView
from sdq_core.translation import translator

__all__ = ["review_blocks"]

_REVIEWED: Final = ".review_"


def review_blocks(source: Source, views: Sequence[MeasureView]) -> Iterator[Block]:
    """Return the manual review: its protocol and records, and the measures that came of it.

    Parameters
    ----------
    source : Source
    views : sequence of MeasureView
        All measures of the result, as they are shown.

    Yields
    ------
    Block
        Without a review in the result a sentence that says so.
    """
    language = source.language
    _ = translator(language).gettext
    found = [m for m in source.result.measurements if _REVIEWED in m.id]
    # One review may give several measures, and a result may hold several reviews.
    reviews: dict[str, Mapping[str, Any]] = {}
    for measurement in found:
        about = measurement.details.get("review")
        if isinstance(about, Mapping):
            reviews.setdefault(str(about.get("plan_sha256")), about)
    if not reviews:
        yield Paragraph(
            words(
                _(
                    "Not carried out. This result holds no records of reviewers; what only people "
                    "can judge is open in the trace table."
                ),
            ),
            "statement",
        )
        return
    yield Paragraph(
        words(
            _(
                "Reviewers judged items without knowing which are synthetic. The order of the "
                "cases and the answer key were fixed and sealed before the first answer; the "
                "intervals treat reviewers and cases as random."
            )
        )
    )
    for about in reviews.values():
        facts = ((label, words(said)) for label, said in _protocol(about, language))
        yield facts_table(facts, _("Protocol and records of the review"))
    measurements = source.result.measurements
    own = [view for view in views if _REVIEWED in measurements[view.position].id]
    if own:
        yield summary_table(source, own, _("What the review found"))


def _protocol(about: Mapping[str, Any], language: str) -> Iterator[tuple[str, str]]:
    """Return what the log of the review says of itself, as far as it is there."""
    _ = translator(language).gettext
    types = {
        "real_or_synthetic": _("real or synthetic, with confidence 1 to 6"),
        "pairs": _("choice between two"),
        "rating": _("ratings of statements"),
        "completeness": _("checklist"),
    }
    yield _("Study"), str(about.get("name", ""))
    yield _("Kind of question"), types.get(str(about.get("type")), str(about.get("type", "")))
    yield _("Hypothesis stated before"), str(about.get("hypothesis", ""))
    if about.get("margin") is not None:
        yield _("Margin stated before"), number(float(about["margin"]))
    for label, key in (
        (_("Reviewers"), "readers"),
        (_("Cases"), "cases"),
        (_("Answers changed"), "revised"),
        (_("Comments"), "comments"),
        (_("Refused requests"), "refused"),
    ):
        if about.get(key) is not None:
            yield label, count(int(about[key]))
    if about.get("readings") is not None and about.get("asked") is not None:
        yield (
            _("Answers, of those asked for"),
            f"{count(int(about['readings']))} / {count(int(about['asked']))}",
        )
    if about.get("median_seconds") is not None:
        yield _("Median time on a case"), f"{number(float(about['median_seconds']))} s"
    yield _("Opened"), str(about.get("opened", ""))
    yield _("Closed"), str(about.get("closed", ""))
    yield _("Blinding test, without the pictures"), _blinding(about.get("leak"), language)
    yield _("SHA-256 of the plan"), str(about.get("plan_sha256", ""))
    yield _("Seal of the answer key"), str(about.get("seal", ""))
    yield _("SHA-256 of the log"), str(about.get("log_sha256", ""))


def _blinding(leak: Any, language: str) -> str:
    """Say whether anything but the pictures told real from synthetic."""
    if not isinstance(leak, Mapping):
        return ""
    if not leak.get("tested"):
        return text("none", language)
    _ = translator(language).gettext
    auc, p = number(float(leak["auc"])), number(float(leak["p_value"]))
    return _("AUC {auc}, p = {p} (0.5 is chance)").format(auc=auc, p=p)
