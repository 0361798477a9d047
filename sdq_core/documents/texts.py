"""The sentences of the documents, in both languages. Terms come from `sdq_core.vocabulary`."""

from __future__ import annotations

from typing import Final

from sdq_core.documents.labels import CODES
from sdq_core.translation import translator
from sdq_core.vocabulary import Language

__all__ = ["MARKS", "TEXTS", "text"]

# key -> English; the Chinese is in the catalogue, under the key as its context
TEXTS: Final[dict[str, str]] = {
    # --- head -------------------------------------------------------------------------------------
    "title": "Quality assessment of synthetic data",
    "made": "Made",
    "version": "sdq",
    "modality": "Modality",
    "seed": "Seed",
    "versioned": "{name}, version {version}",
    "contents": "Contents",
    # --- verdicts ---------------------------------------------------------------------------------
    "verdicts": "Verdicts",
    "verdicts_lead": (
        "Each characteristic is as good as the worst of its mandatory measures. There is no "
        "overall score: an average would hide a failure."
    ),
    "exit_0": "Every mandatory measure passes and no criterion is broken.",
    "exit_1": "At least one criterion is not met.",
    "exit_3": "No criterion is broken, but mandatory measures are inconclusive or not assessed.",
    "characteristic": "Characteristic",
    "decided_by": "Decided by",
    "counts": "Measures",
    "all_pass": "all {count} mandatory measures pass",
    "one_passes": "the one mandatory measure passes",
    "nothing_mandatory": "the profile makes no measure mandatory here",
    "optional": "not mandatory",
    "against": "{estimate}; acceptable: {acceptable}",
    "how_to_read": "How to read this report",
    "how_1": (
        "A verdict comes from the interval (bar), not from the value (dot): an interval inside the "
        "acceptable range passes, one outside fails, one across a limit is inconclusive."
    ),
    "how_2": (
        "The noise floor (grey band) is the same measure between parts of the real data at the "
        "same sample size: what one more real sample would score."
    ),
    "how_3": (
        "“Not assessed” is not a pass: the reason says what is missing. Numbers are rounded here; "
        "exact ones are in the details and in result.json, which prevails."
    ),
    "how_4": (
        "A measure may have variants, named in monospaced type: by the embedding (the row of "
        "numbers that stands for one item) or the attribute that was used. A mandatory measure "
        "must pass in each of them."
    ),
    "legend": "Key to the drawings",
    "legend_value": "value (synthetic)",
    "legend_interval": "interval",
    "legend_floor": "noise floor, with its centre",
    "legend_acceptable": "acceptable range",
    "legend_far": "far outside the drawing",
    # --- cohorts ----------------------------------------------------------------------------------
    "cohorts": "Cohorts",
    "items": "Items",
    "readable": "Readable",
    "subjects": "Subjects",
    "classes": "Classes",
    "not_given": "not given",
    "more": "and {count} more in result.json",
    # --- measurements -----------------------------------------------------------------------------
    "further_measures": "Further measures",
    "no_measures": "Nothing was measured here.",
    "value": "Value",
    "interval_at": "{level} interval",
    "floor": "Noise floor",
    "acceptable": "Acceptable",
    "at_least": "at least {low}",
    "at_most": "at most {high}",
    "to": "{low} to {high}",
    "target": "Declared target",
    "sample": "Sample",
    "n_columns": "columns",
    "n_synthetic": "synthetic",
    "n_real": "real",
    "n_train": "real training",
    "n_holdout": "real holdout",
    "n_pairs": "pairs",
    "n_cases": "cases",
    "p_value": "p of the test",
    "p_corrected": "after Holm’s correction {p}",
    "none": "none",
    "mandatory": "mandatory",
    "informative": "informative",
    "needed": "About {factor} times the sample would settle it.",
    "axis_alt": "Value {value}; noise floor: {floor}; acceptable: {acceptable}",
    # --- details of a measurement -----------------------------------------------------------------
    "how_measured": "How this was measured and judged",
    "identifier": "Identifier",
    "method": "Method",
    "source": "Source",
    "parameters": "Parameters",
    "interval_method": "Interval by",
    "floor_method": "Noise floor by",
    "rule": "Rule",
    "rule_reason": "Reason for the rule",
    "rule_source": "Source of the rule",
    "exact_numbers": "Exact numbers",
    "further_numbers": "Further numbers",
    "limits_of_rule": "acceptable",
    "shares_of_one": "(as shares of 1)",
    "broken_figure": (
        "The figure “{kind}” is not drawn: its data do not have the agreed form at “{place}”."
    ),
    # --- figures ----------------------------------------------------------------------------------
    "histograms": "Distributions that differ most",
    "histogram_alt": "Densities of {feature}, real (grey) and synthetic (line)",
    "histograms_note": (
        "Distance: how far the two distributions lie apart (Wasserstein-1), in interquartile "
        "ranges (IQR) of the real data. The outermost bins also hold what lies beyond them."
    ),
    "distance": "distance {distance}",
    "consistent": "consistent",
    "differs": "differs",
    "map": "Map of the embedding",
    "map_alt": "Scatter of {real} real and {synthetic} synthetic items",
    "map_note": (
        "Each mark is one item. Where the synthetic set is like the real one, both kinds of marks "
        "fill the same area equally densely; the measure above uses all dimensions, not these two."
    ),
    "map_border": "Points farther out, drawn at the border: {count}.",
    "map_first": "The first {count} items of each side are shown.",
    "explained": "{axis} ({share} of variance)",
    "curve": "Curve",
    "curves": "Curves",
    "curve_of": "{y} over {x}",
    "curve_alt": "Lines of real and synthetic data: {label}",
    "heat": "Which columns depend on each other",
    "heat_alt": "Associations of {count} columns with each other: {side}",
    "heat_difference": "lost and invented",
    "heat_number": "No.",
    "heat_column": "Column",
    "heat_note": (
        "Each cell is a pair of columns: the darker, the stronger their association. In the last "
        "drawing grey is dependence that the synthetic data lost, blue dependence that they "
        "invented."
    ),
    "tree": "Which codes the patients have",
    "tree_alt": "{count} branches of the codes, with the shares of real and synthetic patients",
    "tree_missing": "missing (real: {share})",
    "tree_note": (
        "Chapters, below them blocks and codes: the share of patients with any code of the branch, "
        "synthetic above real. All chapters are drawn, of the rest what is missing or differs "
        "most; branches of fewer than ten real patients are not shown."
    ),
    "bars": "Shares",
    "label": "Class or value",
    "drawing": "Drawing",
    "bar_alt": "Bars of {label}",
    "intended": "intended",
    # --- causes of a difference -------------------------------------------------------------------
    "decomposition": "Where the difference comes from",
    "causes_alt": (
        "Parts of the difference between synthetic and real data: {count} bars with intervals"
    ),
    "cause": "Cause",
    "cause_part": "Part of the difference",
    "cause_shows": "Shows in",
    "cause_remark": "Subgroups",
    "cause_mix": "another mix of {attribute}",
    "cause_inside": "particular to items with {attribute} = {level}",
    "cause_opposite": "in items with {attribute} = {level}, the other way than in the rest",
    "cause_everywhere": "alike in all subgroups",
    "cause_rest": "rest, no more than between real parts",
    "cause_mostly": "mostly {families}",
    "cause_feature": "{feature}: {direction}, {points} points",
    "cause_higher": "higher",
    "cause_lower": "lower",
    "cause_reshaped": "of another shape",
    "cause_level": "{level}: {synthetic} instead of {real}",
    "cause_items": "compared {synthetic} synthetic with {real} real items",
    "cause_alike": "these data cannot tell it from: {causes}",
    "causes_none": (
        "The synthetic data do not differ from real ones beyond what real parts differ by from "
        "each other: there is no difference to split."
    ),
    "causes_size": (
        "Size of the whole difference: the share of items above a given value differs by {gap} "
        "percentage points ({low} to {high}) in the mean over features and values; between real "
        "parts by up to {floor}."
    ),
    "causes_note": (
        "100 % is the whole difference. Bar: the part of it that would go if the cause went; line: "
        "interval; grey: what the same part comes to between real parts. A part below zero hides "
        "some of the others."
    ),
    "causes_small": (
        "The difference shows in single features and is too small in the whole to be divided."
    ),
    "causes_points": (
        "Points: by how many percentage points the share of items above a given value differs, "
        "inside the subgroup where one is named."
    ),
    "ranking": "What drives the difference",
    "feature": "Feature",
    "direction": "Direction",
    "higher": "higher in synthetic",
    "lower": "lower in synthetic",
    "table": "In numbers",
    "yes": "yes",
    "no": "no",
    "roc": "Attack curve",
    "roc_alt": "True against false positive rate of the attack; the diagonal is guessing",
    "roc_note": "Dashed: guessing. A curve above it tells members from non-members.",
    "false_positives": "false positive rate",
    "true_positives": "true positive rate",
    "suspects": "Items to compare by eye",
    "suspects_note": "Real items are named here, not shown. The names are those of the files.",
    "suspect_synthetic": "Synthetic item",
    "suspect_real": "Real item",
    "score": "Similarity",
    "transform": "Found after",
    "notes": "Notes",
    "real": "real",
    "synthetic": "synthetic",
    # --- findings, gallery, limits ----------------------------------------------------------------
    "findings": "Findings",
    "findings_lead": (
        "In all: {total}. One line for each rule and cohort, with the message of the first; "
        "every finding is in {csv} and {file}."
    ),
    "no_findings": "There are no findings.",
    "finding_rule": "Rule",
    "severity": "Severity",
    "finding_count": "Findings",
    "message": "Message",
    "gallery": "Gallery of the worst items",
    "gallery_lead": (
        "Synthetic items at the extremes, for the reader’s eye; no sample of the whole set. "
        "Possible copies of real items are not pictured."
    ),
    "gallery_lead_real": (
        "Items at the extremes, for the reader’s eye; no sample of the whole set. This report "
        "holds pictures of real items: handle it like the real data."
    ),
    "gallery_withheld": (
        "The pictures were made with real items among them and are withheld here. Evaluate again "
        "without showing real items to get pictures that are free of them."
    ),
    "gallery_none": "There are no pictures.",
    "picture_alt": "Picture of {role} item {item}: {why}",
    "picture_missing": "The file {file} is missing.",
    "picture_left_out": "Not embedded, to keep this file small: see {file}.",
    "limits": "Limits of this assessment",
    "limit_scope": "The verdicts hold for these cohorts, this profile and these versions only.",
    "limit_standard": (
        "This report is structured after the Part 6 proposal “synthetic data” of the series on "
        "quality requirements and evaluation of artificial-intelligence medical devices; it is no "
        "statement of conformity."
    ),
    "limit_names": (
        "This report names real items by their file names. Where those can identify a person, "
        "handle it like the real data."
    ),
    "calibration": "Calibration",
    "calibration_unseen": "What this study could not have seen",
    # --- traceability -----------------------------------------------------------------------------
    "traceability": "Traceability",
    "declared": "Declared in the study file",
    "description": "Description",
    "purpose": "Purpose",
    "generator": "Generator",
    "fact": "Fact",
    "content": "Content",
    "environment": "Software and run",
    "digest": "SHA-256 over the items’ digests",
    "system": "System",
    "packages": "Packages",
    "timings": "Time",
    "store": "Descriptions",
    "store_facts": "{described} described in this run, {reused} reused",
    "discarded": "Discarded",
    "describer": "Describer",
    "references": "References",
    "used_by": "for {measures}",
    # --- marks between words ----------------------------------------------------------------------
}


# key -> (English, Chinese) of what is no word: marks, brackets and how they frame a number
MARKS: Final[dict[str, tuple[str, str]]] = {
    "class_count": ("{name} ({count})", "{name}（{count}）"),
    "bracketed": (" ({remark})", "（{remark}）"),
    "aside": ("{words} ({remark})", "{words}（{remark}）"),
    "estimate": ("{value} ({interval}){unit}", "{value}（{interval}）{unit}"),
    "sample_of": ("{role} {count}", "{role} {count}"),
    "python": ("Python", "Python"),
    "comma": (", ", "，"),
    "list": (", ", "、"),
    "semicolon": ("; ", "；"),
    "colon": (": ", "："),
    "stop": (" ", ""),
}


def text(key: str, language: Language | str, **values: object) -> str:
    """Return a sentence of the documents.

    Parameters
    ----------
    key : str
        Key of `TEXTS`, `CODES` or `MARKS`.
    language : {"en", "zh"}
    **values
        What the sentence names; put in as they are, so braces in them mean nothing.

    Returns
    -------
    str

    Raises
    ------
    KeyError
        There is no such sentence, or it names something that was not given.

    Examples
    --------
    >>> text("at_most", "en", high="0.1"), text("none", "zh")
    ('at most 0.1', '无')
    """
    if key in MARKS:
        template = MARKS[key][Language(language) is Language.ZH]
    else:
        english = TEXTS[key] if key in TEXTS else CODES[key]
        template = translator(language).pgettext(key, english)
    return template.format(**values)
