"""What a calibration says of a study: whether it fits, and which passes it does not bear."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from sdq_core.calibration.file import load_calibration
from sdq_core.calibration.model import Calibration, CalibrationUse, Unproven, Words
from sdq_core.judging import Code, Missed, unproven
from sdq_core.profiles import Profile
from sdq_core.vocabulary import Characteristic, Role, Verdict, term

__all__ = ["LARGER", "apply_calibration", "renewed"]

LARGER: Final = 1.2
"""How many times a study's items a calibration may have had: power grows with the items, so one
from more items promises too much."""


def apply_calibration(
    path: Path,
    *,
    modality: str,
    describer_version: str,
    profile: Profile,
    sizes: Mapping[Role, int],
    digests: Mapping[Role, str],
    sdq: str,
    verdicts: Mapping[Characteristic, Verdict],
) -> CalibrationUse:
    """Read a calibration, check that it speaks of this study, and hold the verdicts against it.

    Parameters
    ----------
    path : Path
        A ``calibration.json``.
    modality, describer_version : str
    profile : Profile
    sizes : mapping of Role to int
        Items of the study's cohorts.
    digests : mapping of Role to str
        Of the study's cohorts.
    sdq : str
        Version of sdq.
    verdicts : mapping of Characteristic to Verdict
        By the measures alone.

    Returns
    -------
    CalibrationUse
        Refused with the reasons, or with the verdicts that it changes.

    Raises
    ------
    StoreError
        The file is no calibration.
    """
    calibration = load_calibration(path)
    refused = (
        *_other_instrument(calibration, modality, describer_version, sdq),
        *_other_profile(calibration, profile),
        *_larger(calibration, sizes),
    )
    return CalibrationUse(
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        refused=refused,
        same_data=all(digests.get(role) == digest for role, digest in calibration.real.items()),
        changed=() if refused else _changed(calibration, verdicts),
        # Times and the machine of another run are no part of this result.
        calibration=calibration.model_copy(update={"environment": {}}),
    )


def renewed(use: CalibrationUse, verdicts: Mapping[Characteristic, Verdict]) -> CalibrationUse:
    """Return a calibration held against verdicts that were taken anew."""
    changed = () if use.refused else _changed(use.calibration, verdicts)
    return use.model_copy(update={"changed": changed})


def _other_instrument(
    calibration: Calibration, modality: str, describer_version: str, sdq: str
) -> Iterator[Words]:
    measured = str(calibration.modality.get("name", ""))
    if measured != modality:
        yield Words(
            en=f"it was measured with the modality {measured}, this study has {modality}",
            zh=f"校准所用模态为 {measured}，本评价任务为 {modality}",
        )
    elif str(calibration.modality.get("describer_version", "")) != describer_version:
        version = calibration.modality.get("describer_version", "")
        yield Words(
            en=f"it was measured with version {version} of the describer, this study with "
            f"{describer_version}",
            zh=f"校准所用特征描述程序版本为 {version}，本评价任务为 {describer_version}",
        )
    if calibration.sdq != sdq:
        yield Words(
            en=f"it was measured with sdq {calibration.sdq}, this study with {sdq}",
            zh=f"校准所用 sdq 版本为 {calibration.sdq}，本评价任务为 {sdq}",
        )


def _other_profile(calibration: Calibration, profile: Profile) -> Iterator[Words]:
    own = {"name": profile.name, "version": profile.version, "sha256": profile.digest}
    other = calibration.profile
    if (other.get("name"), other.get("version")) != (own["name"], own["version"]):
        yield Words(
            en=f"it was measured with the profile {other.get('name')}, version "
            f"{other.get('version')}, this study has {profile.name}, version {profile.version}",
            zh=f"校准所用评价方案为 {other.get('name')} 第 {other.get('version')} 版，"
            f"本评价任务为 {profile.name} 第 {profile.version} 版",
        )
    elif other.get("sha256") != own["sha256"]:
        yield Words(
            en=f"the criteria of the profile {profile.name} were changed since, under the same "
            f"version {profile.version}",
            zh=f"评价方案 {profile.name} 的准则此后有改动，而版本号仍为 {profile.version}",
        )


def _larger(calibration: Calibration, sizes: Mapping[Role, int]) -> Iterator[Words]:
    for role, measured in calibration.sizes.items():
        own = sizes.get(role, 0)
        if measured > LARGER * own:
            yield Words(
                en=f"it was measured with more items than this study has ({term(role)}: "
                f"{measured} against {own}), and more items see smaller defects",
                zh=f"校准所用样本多于本评价任务（{term(role, 'zh')}：{measured} 对 {own}），"
                "样本越多，可发现的缺陷越小",
            )


def _changed(
    calibration: Calibration, verdicts: Mapping[Characteristic, Verdict]
) -> tuple[Unproven, ...]:
    grave = [
        Missed(d.id, s.severity, s.found.count, s.found.n, d.targets)
        for d in calibration.defects
        for s in d.severities
        if s.grave
    ]
    named = {d.id: d for d in calibration.defects}
    found = []
    for characteristic, missed in unproven(verdicts, grave).items():
        defect = named[missed.defect]
        summary = next(s for s in defect.severities if s.severity == missed.severity)
        said, at = summary.found.in_words(), defect.at(missed.severity)
        found.append(
            Unproven(
                characteristic=characteristic,
                judged=verdicts[characteristic],
                verdict=Verdict.INCONCLUSIVE,
                code=Code.DEFECT_MISSED,
                defect=defect.id,
                severity=missed.severity,
                found=summary.found,
                reason=Words(
                    en=f"its measures pass, but with “{defect.title.en}” at {at.en} "
                    f"planted this was found in {said.en} only: a pass would promise more than "
                    f"was shown",
                    zh=f"各项测量均通过，但植入“{defect.title.zh}”（程度 {at.zh}）后"
                    f"仅在{said.zh}中被发现：判为通过会超出已证实的范围",
                ),
            )
        )
    return tuple(found)
