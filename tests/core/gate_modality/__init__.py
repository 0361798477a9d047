"""A modality whose verdicts a test steers by its data: files with one number each.

Each evaluation adds a line to the file that GATE_LOG names; GATE_DIE ends the process instead,
the first time or always.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sdq_core.characteristics import CharacteristicEvaluation, Part
from sdq_core.characteristics.completeness import Completeness
from sdq_core.characteristics.rates import rate
from sdq_core.description import Description, Item
from sdq_core.hashing import hash_file
from sdq_core.measurement import Interval, Measurement, Method
from sdq_core.modality import Listing, Modality
from sdq_core.vocabulary import Characteristic

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Describer:
    name: str = "gate"
    version: str = "1"
    settings: dict = field(default_factory=dict)

    def __call__(self, item):
        return Description(scalars={"value": float(item.paths[0].read_text())})


def values(cohort):
    return cohort.table.scalar("value")


class Fidelity(CharacteristicEvaluation):
    characteristic = Characteristic.FIDELITY

    def parts(self):
        return (Part(("distance", "other"), self.distance),)

    def distance(self, cohorts):
        half = cohorts.study.settings.get("half", 0.1)
        distance = abs(float(values(cohorts.synthetic).mean() - values(cohorts.train).mean()))
        for variant, factor in (("raw", 1.0), ("scaled", 0.5)):
            value = factor * distance
            yield Measurement(
                self.id("distance"),
                value,
                variant=variant,
                better="lower",
                interval=Interval(max(value - half, 0), value + half, "given"),
                n={"synthetic": len(cohorts.synthetic)},
                method=Method("difference of means", "example"),
            )
        yield Measurement(
            self.id("other"), applicable=False, reason="no other here", reason_zh="无"
        )


class Privacy(CharacteristicEvaluation):
    characteristic = Characteristic.PRIVACY

    def parts(self):
        return (Part(("memorised_share",), self.memorised),)

    def memorised(self, cohorts):
        copied = np.isin(values(cohorts.synthetic), values(cohorts.train))
        ids = cohorts.synthetic.table.ids[copied]
        suspects = [{"synthetic": str(i), "real": "SECRET", "score": 1.0} for i in ids]
        yield rate(
            self.id("memorised_share"),
            copied,
            better="lower",
            name="equal values",
            source="example",
            details={"suspects": suspects},
        )


class Balance(CharacteristicEvaluation):
    characteristic = Characteristic.BALANCE

    def parts(self):
        return (Part(("items",), self.items),)

    def items(self, cohorts):
        count = float(len(cohorts.synthetic))
        yield Measurement(self.id("items"), count, better="higher", unit="items")


class Gate(Modality):
    name = "gate"
    default_profile = "gate-default"

    def items(self, source, settings):
        paths = sorted(source.glob("*.txt"))
        return Listing(tuple(Item(p.name, (p,), digest=hash_file(p)) for p in paths))

    def describer(self, study):
        return Describer()

    def characteristics(self, study):
        with Path(os.environ["GATE_LOG"]).open("a") as log:
            log.write(f"{os.getpid()}\n")
        asked = os.environ.get("GATE_DIE")
        died = Path(os.environ["GATE_LOG"]).read_text().count("\n") > 1
        if asked == "always" or (asked == "once" and not died):
            os._exit(9)
        return [Fidelity("gate"), Balance("gate"), Completeness("gate"), Privacy("gate")]

    def profile_folder(self):
        return HERE / "profiles"

    def study_template(self):
        return "schema: sdq.study/1\n"

    def measures(self):
        return {}
