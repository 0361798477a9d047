"""Toys that are spoilt in one thing: each fails exactly one check of the conformance kit."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import shutil
import socket
import tempfile
from dataclasses import replace
from pathlib import Path

from sdq_core.calibration.defect import Defect
from sdq_core.description import Description
from sdq_core.finding import Finding
from sdq_core.measurement import Interval
from sdq_core.result import MeasureText
from sdq_core.rule_book import RuleBook
from sdq_core.testing import Example
from sdq_core.vocabulary import Characteristic, Severity
from toy_modality import (
    HERE,
    RULES,
    SOURCE,
    Toy,
    ToyCompleteness,
    ToyDescriber,
    ToyExample,
    ToyFidelity,
    ToyPlanter,
)

OTHER_PROCESS = "PYTHONHASHSEED"
"""Stands for what differs between processes: the order of a set, the hash of a text."""

BROKEN: dict[str, list[type[Example]]] = {}
"""Check -> examples that fail it, and no other."""


def breaks(check: str, **example: object):
    """Make an example of a class that derives from a part of the toy, for one check."""

    def made(spoilt: type) -> type:
        parts: dict[str, object] = {}
        modality = spoilt
        if issubclass(spoilt, ToyDescriber):
            parts = {"describing": spoilt}
        elif issubclass(spoilt, ToyFidelity):
            parts = {"evaluations": (spoilt, ToyCompleteness)}
        elif issubclass(spoilt, ToyPlanter):
            parts = {"planting": spoilt}
        if not issubclass(spoilt, Toy):
            modality = type(f"{spoilt.__name__}Toy", (Toy,), {**parts, "__module__": __name__})
            globals()[modality.__name__] = modality
        name = f"{spoilt.__name__}Example"
        BROKEN.setdefault(check, []).append(
            type(name, (ToyExample,), {"modality": modality, **example})
        )
        return spoilt

    return made


# --- what it states -------------------------------------------------------------------------------


@breaks("check_names")
class NoVersion(ToyDescriber):
    version = ""

    def __init__(self, settings):
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "name", "toy")


@breaks("check_study_template_loads")
class NoTemplate(Toy):
    def study_template(self):
        return "schema: sdq.study/1\nmodality: toy\ncohort: {}\n"


@breaks("check_study_template_loads")
class OthersTemplate(Toy):
    def study_template(self):
        return super().study_template().replace("modality: toy", "modality: imaging")


class _OwnProfiles(Toy):
    change: tuple[str, str]

    def profile_folder(self):
        folder = (
            Path(tempfile.gettempdir())
            / f"sdq-toy-profiles-{os.getpid()}-{self.__class__.__name__}"
        )
        folder.mkdir(exist_ok=True)
        text = (HERE / "profiles/toy-default.yaml").read_text()
        assert self.change[0] in text
        (folder / "toy-default.yaml").write_text(text.replace(*self.change))
        return folder


@breaks("check_profiles_load")
class UnknownMeasure(_OwnProfiles):
    change = (
        "  - id: toy.completeness",
        "  - {id: toy.fidelity.nobody, at_most: 1, reason: a, reason_zh: 甲, source: b}\n"
        "  - id: toy.completeness",
    )


@breaks("check_profiles_load")
class CriterionWithoutChinese(_OwnProfiles):
    change = ("    reason_zh: 文件可以读取。\n", "")


@breaks("check_measure_ids")
class GivenTwice(ToyFidelity):
    def distance(self, cohorts):
        yield from super().distance(cohorts)
        yield from super().distance(cohorts)


@breaks("check_measures_are_documented")
class NoChinese(Toy):
    def measures(self):
        text = MeasureText(title="Distance", title_zh="Distance", says="How far.", says_zh="差距。",
                           method_zh="均值之差")  # fmt: skip
        return dict.fromkeys(super().measures(), text)


@breaks("check_measures_are_documented")
class ForgottenText(Toy):
    def measures(self):
        return dict(list(super().measures().items())[:1])


ODD = RuleBook("toy", {"odd": (Severity.INFO, "an odd number; nothing to do", "")})


@breaks("check_rules_are_documented", rule_books=(RULES, ODD))
class RuleWithoutChinese(Toy):
    pass


@breaks("check_settings_are_checked")
class AnySetting(Toy):
    def check(self, settings):
        pass


# --- reading and describing -----------------------------------------------------------------------


@breaks("check_listing")
class ShortDigest(Toy):
    def digest(self, sha256):
        return sha256[:32]


@breaks("check_place_does_not_matter")
class KnowsItsPlace(ToyDescriber):
    def metadata(self, item):
        return {"depth": str(len(item.paths[0].parts))}


@breaks("check_describer_travels")
class ForgetsVersion(ToyDescriber):
    def __reduce__(self):
        return (ForgetsVersion, (self.settings, self.name, "0"))


@breaks("check_descriptions_repeat")
class OtherElsewhere(ToyDescriber):
    def metadata(self, item):
        return {"order": os.environ.get(OTHER_PROCESS, "")}


@breaks("check_batches")
class NothingGivesSomething(ToyDescriber):
    def describe_many(self, items):
        return super().describe_many(items) or [Description()]


@breaks("check_workers")
class OtherInWorkers(ToyDescriber):
    def metadata(self, item):
        return {"worker": str(multiprocessing.parent_process() is not None)}


@breaks("check_shards_fold_in_any_order")
class DependsOnPairs(ToyDescriber):
    def describe_many(self, items):
        found = super().describe_many(items)
        if len(items) == 2:
            found = [replace(d, metadata={"beside": "one"}) for d in found]
        return found


@breaks("check_measurements_repeat")
class MeasuresOtherElsewhere(ToyFidelity):
    def distance(self, cohorts):
        for m in super().distance(cohorts):
            yield replace(m, details={"order": os.environ.get(OTHER_PROCESS, "")})


@breaks("check_network_is_not_used")
class AsksTheNetwork(ToyDescriber):
    def metadata(self, item):
        with contextlib.suppress(OSError):
            socket.getaddrinfo("localhost", 80)
        return super().metadata(item)


@breaks("check_thumbnails")
class OtherPicture(Toy):
    def thumbnail(self, item, settings):
        return b"GIF89a"


# --- what cannot be used --------------------------------------------------------------------------


@breaks("check_empty_folder")
class NeedsAnItem(Toy):
    def items(self, source, settings):
        found = super().items(source, settings)
        min(found.items, key=lambda i: i.id)
        return found


@breaks("check_empty_file")
class RaisesOnNothing(ToyDescriber):
    def values(self, text):
        int(text[0])
        return super().values(text)


@breaks("check_broken_item")
class ReadsHalf(ToyDescriber):
    def values(self, text):
        lines = text.split()
        return super().values("\n".join([str(len(lines) - 1), *lines[1:]]) if lines else text)


@breaks("check_not_a_number")
class PassesOverNaN(ToyDescriber):
    def findings(self, item, spoilt):
        return ()


@breaks("check_few_items")
class NeedsTwo(ToyFidelity):
    def distance(self, cohorts):
        if len(cohorts.synthetic) == 1:
            raise ZeroDivisionError
        yield from super().distance(cohorts)


@breaks("check_findings")
class FindsInEnglish(ToyDescriber):
    def findings(self, item, spoilt):
        always = Finding("toy.semantics.always", Severity.INFO, "is there; nothing to do")
        return (*super().findings(item, spoilt), always)


@breaks("check_findings")
class FindsWithPath(Toy):
    def items(self, source, settings):
        found = super().items(source, settings)
        path = Finding("toy.structure.place", Severity.INFO, f"lies at {source}", "在此", "folder")
        return replace(found, findings=(*found.findings, path))


# --- measuring ------------------------------------------------------------------------------------


@breaks("check_measurements_can_be_defended")
class NoSource(ToyFidelity):
    def distance(self, cohorts):
        for m in super().distance(cohorts):
            yield replace(m, method=replace(m.method, source=""))


@breaks("check_measurements_can_be_defended")
class NoSeed(ToyFidelity):
    def distance(self, cohorts):
        for m in super().distance(cohorts):
            yield replace(m, method=replace(m.method, seed=None))


@breaks("check_measurements_can_be_defended")
class OutsideItsInterval(ToyFidelity):
    def distance(self, cohorts):
        for m in super().distance(cohorts):
            yield m if m.value is None else replace(m, value=m.interval.low / 2 - 0.001)


@breaks("check_fresh_sample_does_not_fail")
class TooStrict(_OwnProfiles):
    change = ("at_least: 0.95", "at_most: 0.5")


@breaks("check_identical_cohorts_are_ideal")
class CountsNoiseTwice(ToyFidelity):
    """Adds to the distance what only real parts have, so that nothing is ever at its ideal."""

    def distance(self, cohorts):
        for m in super().distance(cohorts):
            yield m
            if m.value is not None:
                more = m.noise_floor.high
                moved = Interval(m.interval.low + more, m.interval.high + more, "moved")
                yield replace(m, variant="two", value=m.value + more, interval=moved)


@breaks("check_corruption_is_seen", worsens=("toy.completeness.readable_share",))
class SeesNothing(Toy):
    pass


@breaks("check_no_real_names")
class NamesPatients(ToyFidelity):
    def distance(self, cohorts):
        for m in super().distance(cohorts):
            yield replace(m, details={"nearest": [str(cohorts.train.groups[0])]})


@breaks("check_result_is_whole")
class HalfAnItem(ToyFidelity):
    def distance(self, cohorts):
        for m in super().distance(cohorts):
            yield replace(m, n={k: v + 0.5 for k, v in m.n.items()})


# --- planting -------------------------------------------------------------------------------------


@breaks("check_defects_are_documented")
class DefectInEnglish(ToyPlanter):
    defects = (replace(ToyPlanter.defects[0], title=("shifted", "shifted")),)


@breaks("check_defects_are_documented")
class SeenByNothing(ToyPlanter):
    defects = (
        Defect("shift", ("shifted", "偏移"), (Characteristic.FIDELITY,), (1.0,), 1.0,
               ("units", "单位"), ("toy.fidelity.nothing",), SOURCE),
    )  # fmt: skip


@breaks("check_clean_copy")
class CopyIsShifted(ToyPlanter):
    def write(self, members, folder, *, synthetic):
        return self._write(members, folder, 0.5)


@breaks("check_planted_defects")
class OtherEachTime(ToyPlanter):
    def plant(self, defect, severity, fresh, train, rng, folder):
        return self._write(fresh, folder, severity + random.random())


def remove_made_profiles() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"sdq-toy-profiles-{os.getpid()}-*"):
        shutil.rmtree(folder)
