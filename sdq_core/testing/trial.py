"""The made cohorts of one example, and their evaluations, each made once for all checks."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from sdq_core.characteristics import CharacteristicEvaluation
from sdq_core.cohort import Cohorts
from sdq_core.description import Description, Item
from sdq_core.evaluate import describe_cohorts
from sdq_core.finding import Finding
from sdq_core.hashing import canonical_json
from sdq_core.judging import Judgement, judge_all
from sdq_core.measurement import Measurement
from sdq_core.modality import Modality
from sdq_core.profiles import Profile, load_profile
from sdq_core.study import Study
from sdq_core.testing.example import Example
from sdq_core.testing.probe import Probe, Task, probe
from sdq_core.vocabulary import Characteristic, Role

__all__ = [
    "FEW",
    "Read",
    "Run",
    "Trial",
    "as_text",
    "cohorts_of",
    "fingerprint",
    "fingerprints",
    "measured",
]

FEW: Final = 12
"""Items of the small cohorts, on which most measures say that these are too few."""


@dataclass(frozen=True)
class _Made:
    """How a cohort is made: seed beside the example's, role, severity."""

    seed: int
    synthetic: bool = False
    severity: float = 0.0
    small: bool = False


_COHORTS: Final = {
    "train": _Made(0),
    "holdout": _Made(1),
    "fresh": _Made(2, synthetic=True),
    "identical": _Made(1, synthetic=True),
    "half": _Made(2, synthetic=True, severity=0.5),
    "gross": _Made(2, synthetic=True, severity=1.0),
    "small-train": _Made(0, small=True),
    "small-holdout": _Made(1, small=True),
    "small": _Made(2, synthetic=True, small=True),
}
"""Cohort -> how it is made. Its real cohorts are those of the same size."""


@dataclass(frozen=True)
class Run:
    """One evaluation.

    Parameters
    ----------
    cohorts : Cohorts
        With the prepared study.
    measurements : tuple of Measurement
    findings : tuple of Finding
        Of listing, labels, items and comparing.
    judgements : tuple of Judgement
    prints : mapping of str to str
        ``"<role> <item>"`` -> fingerprint of its description.
    """

    cohorts: Cohorts
    measurements: tuple[Measurement, ...]
    findings: tuple[Finding, ...]
    judgements: tuple[Judgement, ...]
    prints: Mapping[str, str]


class Trial:
    """What all checks of one example share.

    Parameters
    ----------
    example : Example
    """

    def __init__(self, example: Example) -> None:
        self.example = example
        self._runs: dict[str, Run] = {}

    @cached_property
    def modality(self) -> Modality:
        """The plugin."""
        return self.example.modality()

    @cached_property
    def folder(self) -> Path:
        """A folder that is removed with the trial."""
        folder = Path(tempfile.mkdtemp(prefix="sdq-conforms-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    def no_folder(self, name: str) -> Path:
        """Return the path of a folder that does not exist, any more or yet."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def empty_folder(self, name: str) -> Path:
        """Return a new empty folder."""
        folder = self.no_folder(name)
        folder.mkdir()
        return folder

    def cohort(self, name: str) -> Path:
        """Return the folder of a cohort, made at first use.

        Parameters
        ----------
        name : str
            ``train``, ``holdout``, ``fresh`` (another sample), ``identical`` (the items of the
            holdout), ``half`` and ``gross`` (corrupted); ``small-train``, ``small-holdout``,
            ``small``.
        """
        folder = self.folder / name
        if not folder.exists():
            made = _COHORTS[name]
            folder.mkdir()
            self.example.make(
                folder,
                self.example.seed + made.seed,
                FEW if made.small else self.example.items,
                synthetic=made.synthetic,
                severity=made.severity,
            )
        return folder

    def damaged(self, name: str, damage: Callable[[Path], object]) -> Path:
        """Return a copy of the small synthetic cohort after some damage, made at first use."""
        folder = self.folder / name
        if not folder.exists():
            shutil.copytree(self.cohort("small"), folder)
            damage(folder)
        return folder

    def study(self, synthetic: Path, *, small: bool, holdout: bool = True) -> Study:
        """Return a study of a synthetic cohort beside the real ones, not yet prepared."""
        prefix = "small-" if small else ""
        paths = {Role.TRAIN: self.cohort(f"{prefix}train")}
        if holdout:
            paths[Role.HOLDOUT] = self.cohort(f"{prefix}holdout")
        paths[Role.SYNTHETIC] = synthetic
        cohorts = {
            str(role): {"path": path, "labels": _labels(path)} for role, path in paths.items()
        }
        return Study.model_validate(
            {
                "modality": self.modality.name,
                "cohorts": cohorts,
                "classes": self.example.classes,
                "settings": dict(self.example.settings),
            }
        )

    @cached_property
    def profile(self) -> Profile:
        """The modality's default profile."""
        return load_profile(
            "default",
            self.modality.profile_folder(),
            self.modality.name,
            self.modality.default_profile,
        )

    def run(
        self,
        synthetic: str | Path,
        only: Collection[str] | None = None,
        *,
        holdout: bool = True,
    ) -> Run:
        """Evaluate a synthetic cohort, once.

        Parameters
        ----------
        synthetic : str or Path
            Name of a cohort, or the folder of a damaged one, which is small.
        only : collection of str, optional
            Ids of the measures whose parts are computed; everything by default.
        holdout : bool
            Whether there is one.
        """
        key = f"{synthetic} {None if only is None else sorted(only)} {holdout}"
        if key not in self._runs:
            small = isinstance(synthetic, Path) or _COHORTS[synthetic].small
            path = synthetic if isinstance(synthetic, Path) else self.cohort(synthetic)
            study = self.modality.prepared(self.study(path, small=small, holdout=holdout))
            read = cohorts_of(self.modality, study, self.folder / "store")
            cohorts = read.cohorts
            measurements, findings = measured(self.modality, cohorts, only)
            own = (f for c in cohorts.all for f in c.table.findings)
            judgements = judge_all(measurements, self.profile)
            self._runs[key] = Run(
                cohorts,
                tuple(measurements),
                (*read.findings, *own, *findings),
                judgements,
                read.prints,
            )
        return self._runs[key]

    @cached_property
    def corruption(self) -> tuple[Run, Run, Run]:
        """The evaluations of the fresh sample, of half and of gross corruption.

        Of the latter only what the example says sees it.
        """
        wanted = self.example.worsens
        return self.run("fresh"), self.run("half", wanted), self.run("gross", wanted)

    @cached_property
    def fidelity_ids(self) -> tuple[str, ...]:
        """Ids of the measures of fidelity."""
        evaluations = self.modality.characteristics(self.run("small").cohorts.study)
        return tuple(
            i for e in evaluations if e.characteristic is Characteristic.FIDELITY for i in e.ids
        )

    @cached_property
    def probe(self) -> Probe:
        """What a fresh process finds in the fresh sample and in the small cohorts."""
        return probe([self.task])[0]

    @property
    def task(self) -> Task:
        """What the fresh process is asked to do."""
        plugin = self.example.modality
        studies = (
            self.study(self.cohort("fresh"), small=False),
            self.study(self.cohort("small"), small=True),
        )
        return Task(
            plugin.__module__,
            plugin.__qualname__,
            tuple(study.model_dump(mode="json", by_alias=True) for study in studies),
            (tuple(self.example.worsens), None),
        )


@dataclass(frozen=True)
class Read:
    """The cohorts of a study, listed, described and joined.

    Parameters
    ----------
    cohorts : Cohorts
    findings : tuple of Finding
        Of listing and labels.
    prints : mapping of str to str
        ``"<role> <item>"`` -> fingerprint of its description.
    """

    cohorts: Cohorts
    findings: tuple[Finding, ...]
    prints: Mapping[str, str]


def cohorts_of(modality: Modality, study: Study, store: Path) -> Read:
    """List, describe and join the cohorts of a prepared study in this process."""
    roles = [role for role in Role if role in study.cohorts]
    found = describe_cohorts(study, modality, roles, store, engine="serial")
    prints: dict[str, str] = {}
    start = 0
    for role, cohort in found.cohorts.items():
        part = found.report.descriptions[start : start + len(cohort)]
        prints |= fingerprints(cohort.table.items, part, f"{role} ")
        start += len(cohort)
    made = found.cohorts
    cohorts = Cohorts(study, made[Role.TRAIN], made[Role.SYNTHETIC], made.get(Role.HOLDOUT))
    return Read(cohorts, found.findings, prints)


def measured(
    modality: Modality, cohorts: Cohorts, only: Collection[str] | None = None
) -> tuple[list[Measurement], list[Finding]]:
    """Measure cohorts.

    Parameters
    ----------
    modality : Modality
    cohorts : Cohorts
    only : collection of str, optional
        Ids of measures: only the parts that give one of them are computed. An error in one of
        these is not caught, as it is where everything is measured.
    """
    from sdq_core.statistics import single_thread_blas

    measurements: list[Measurement] = []
    findings: list[Finding] = []
    with single_thread_blas():
        for output in _outputs(modality.characteristics(cohorts.study), cohorts, only):
            if isinstance(output, Measurement):
                measurements.append(output)
            else:
                findings.append(output)
    return measurements, findings


def _outputs(
    evaluations: Sequence[CharacteristicEvaluation], cohorts: Cohorts, only: Collection[str] | None
) -> Iterator[Measurement | Finding]:
    for evaluation in evaluations:
        if only is None:
            yield from evaluation.measure(cohorts)
            continue
        for part in evaluation.parts():
            if any(evaluation.id(m) in only for m in part.measures):
                yield from part.function(cohorts)


def fingerprint(description: Description) -> str:
    """Return the SHA-256 of a description, to the last bit."""
    arrays = {**description.embeddings, "signature of the item": description.signature}
    known = {k: np.ascontiguousarray(v) for k, v in sorted(arrays.items()) if v is not None}
    facts = [
        description.readable,
        dict(description.scalars),
        dict(description.metadata),
        [asdict(f) for f in description.findings],
        [[name, array.dtype.str, array.shape] for name, array in known.items()],
    ]
    # Not `canonical_json`: what breaks its contract by NaN has a fingerprint too.
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=float).encode())
    for array in known.values():
        digest.update(array.tobytes())
    return digest.hexdigest()


def as_text(measurement: Measurement) -> str:
    """Return a measurement as one JSON text: equal texts, equal measurements."""
    return canonical_json(asdict(measurement)).decode()


def fingerprints(
    items: Sequence[Item], descriptions: Sequence[Description], prefix: str = ""
) -> dict[str, str]:
    """Return the SHA-256 of each item's description by id, with a prefix."""
    return {f"{prefix}{i.id}": fingerprint(d) for i, d in zip(items, descriptions, strict=True)}


def _labels(folder: Path) -> Path | None:
    path = folder / "labels.csv"
    return path if path.is_file() else None
