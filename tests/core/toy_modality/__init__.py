"""A modality as small as can be, good in every respect: files of numbers.

A file has the number of its values in the first line, then one value a line. `broken` spoils one
thing at a time.
"""

from __future__ import annotations

import csv
import math
import shutil
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sdq_core.calibration.defect import Defect, Planter
from sdq_core.characteristics import CharacteristicEvaluation, Part
from sdq_core.characteristics.comparison import compare_scalars
from sdq_core.characteristics.completeness import Completeness
from sdq_core.description import Description, Item
from sdq_core.errors import StudyError, UnreadableItem
from sdq_core.hashing import hash_files
from sdq_core.listing import relative, walk
from sdq_core.measurement import Measurement, Method
from sdq_core.modality import Listing, Modality
from sdq_core.reasons import why
from sdq_core.result import MeasureText
from sdq_core.rule_book import RuleBook
from sdq_core.study import CohortSource
from sdq_core.testing import Example
from sdq_core.vocabulary import Characteristic, Severity

HERE = Path(__file__).parent

RULES = RuleBook(
    "toy",
    {
        "no_numbers": (Severity.ERROR, "the file holds no numbers; write it again", "文件不含数值"),
        "cut_off": (Severity.ERROR, "the file is cut off; write it again", "文件不完整"),
        "not_finite": (Severity.ERROR, "a value is no number; replace it", "存在非数值"),
        "link_outside": (Severity.WARNING, "the link leads out; remove it", "链接指向外部"),
    },
)

MEASURES = ("toy.fidelity.mean_distance", "toy.completeness.readable_share")

SOURCE = "Student 1908, doi:10.2307/2331554"


@dataclass(frozen=True)
class ToyDescriber:
    settings: dict = field(default_factory=dict)
    name: str = "toy"
    version: str = "1"

    def __call__(self, item):
        return self.describe_many([item])[0]

    def describe_many(self, items):
        return [self.describe(item) for item in items]

    def describe(self, item):
        try:
            values = self.values(item.paths[0].read_text(errors="replace"))
        except UnreadableItem as error:
            return Description(readable=False, findings=(RULES.finding_for(error),))
        good = [v for v in values if math.isfinite(v)]
        return Description(
            scalars={"mean": float(np.mean(good)), "deviation": float(np.std(good))},
            metadata=self.metadata(item),
            findings=self.findings(item, len(good) < len(values)),
        )

    def metadata(self, item):
        return {"form": "text"}

    def findings(self, item, spoilt):
        return (RULES.finding("not_finite"),) if spoilt else ()

    def values(self, text):
        lines = text.split()
        try:
            count, values = int(lines[0]), [float(x) for x in lines[1:]]
        except (IndexError, ValueError):
            raise RULES.unreadable("no_numbers") from None
        if len(values) != count:
            raise RULES.unreadable("cut_off")
        return values


class ToyFidelity(CharacteristicEvaluation):
    characteristic = Characteristic.FIDELITY

    def parts(self):
        return (Part(("mean_distance",), self.distance),)

    def distance(self, cohorts):
        id_ = self.id("mean_distance")
        found = compare_scalars(cohorts, ["mean", "deviation"], cohorts.seed(id_))
        if found is None or min(found.sizes) < 4:
            yield Measurement(id_, **why("too_few", needed=4, what="items in each cohort", found=0))
            return
        value, interval, floor = found.mean_difference(found.values)
        yield Measurement(
            id_,
            value=value,
            better="lower",
            interval=interval,
            noise_floor=floor,
            n=found.n,
            method=Method("root mean square difference of means", SOURCE, seed=found.seed),
        )


class ToyCompleteness(Completeness):
    def parts(self):
        return (Part(("readable_share",), self.readable),)


class ToyPlanter(Planter):
    defects = (
        Defect("shift", ("shifted values", "数值偏移"), (Characteristic.FIDELITY,), (1.0, 5.0), 5.0,
               ("units", "单位"), ("toy.fidelity.mean_distance",), SOURCE),
    )  # fmt: skip

    def unavailable(self, defect, members):
        return None

    def write(self, members, folder, *, synthetic):
        return self._write(members, folder, 0.0)

    def plant(self, defect, severity, fresh, train, rng, folder):
        return self._write(fresh, folder, severity + float(rng.normal()))

    def _write(self, members, folder, shift):
        folder.mkdir()
        with (folder / "labels.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, ["item", *members[0].row])
            table.writeheader()
            for k, member in enumerate(members):
                target = folder / f"copy{k}.toy"
                if shift:
                    count, *rest = member.item.paths[0].read_text().split()
                    lines = [count, *(f"{float(x) + shift:.6f}" for x in rest)]
                    target.write_text("\n".join(lines))
                else:
                    shutil.copyfile(member.item.paths[0], target)
                table.writerow({"item": target.name, **member.row})
        return CohortSource(path=folder, labels=folder / "labels.csv")


class Toy(Modality):
    name = "toy"
    default_profile = "toy-default"
    describing = ToyDescriber
    evaluations = (ToyFidelity, ToyCompleteness)
    planting = ToyPlanter

    def items(self, source, settings):
        root, files, findings = walk(
            source, lambda name: name.endswith(".toy"), lambda rule, path: RULES.finding(rule, path)
        )
        items = sorted(
            (Item(relative(p, root), (p,), digest=self.digest(h)) for p, h in
             zip(files, hash_files(files), strict=True)), key=lambda i: i.id,
        )  # fmt: skip
        return Listing(tuple(items), tuple(findings))

    def digest(self, sha256):
        return sha256

    def describer(self, study):
        self.check(study.settings)
        return self.describing(dict(study.settings))

    def check(self, settings):
        for key in settings:
            raise StudyError(f"study: settings.{key} is unknown; remove it")

    def characteristics(self, study):
        return tuple(evaluation(self.name) for evaluation in self.evaluations)

    def profile_folder(self):
        return HERE / "profiles"

    def study_template(self):
        return (
            "schema: sdq.study/1\nmodality: toy\n"
            "cohorts: {train: {path: train}, synthetic: {path: synthetic}}\n"
        )

    def measures(self):
        text = MeasureText(
            title="A title", title_zh="标题", says="How far.", says_zh="差距。", method_zh="方法"
        )
        return dict.fromkeys(MEASURES, text)

    def thumbnail(self, item, settings):
        data = zlib.compress(b"\0\0")
        parts = ((b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0])), (b"IDAT", data),
                 (b"IEND", b""))  # fmt: skip
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            len(d).to_bytes(4, "big") + k + d + zlib.crc32(k + d).to_bytes(4, "big")
            for k, d in parts
        )

    def planter(self, study):
        return self.planting()


class ToyExample(Example):
    modality = Toy
    worsens = ("toy.fidelity.mean_distance",)
    items = 20
    rule_books = (RULES,)

    def make(self, folder, seed, items, *, synthetic, severity):
        rng = np.random.default_rng(seed)
        lines = ["item,subject"]
        for k in range(items):
            values = rng.normal(size=8) + 5 * severity
            text = "\n".join(["8", *(f"{v:.6f}" for v in values)])
            (folder / f"r{seed}-{k:03d}.toy").write_text(text)
            lines.append(f"r{seed}-{k:03d}.toy,person-{seed}-{k}")
        (folder / "labels.csv").write_text("\n".join(lines))

    def put_not_a_number(self, folder):
        path = self.first_file(folder)
        count, _, *rest = path.read_text().split()
        path.write_text("\n".join([count, "nan", *rest]))
        return True
