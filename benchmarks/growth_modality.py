"""A modality for growth curves: small files, and descriptions as large as those of radiographs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sdq_core.characteristics.attacks import AttackSimulation
from sdq_core.characteristics.balance import Balance
from sdq_core.characteristics.completeness import Completeness
from sdq_core.characteristics.explainability import Explainability
from sdq_core.characteristics.fidelity import Fidelity
from sdq_core.characteristics.metadata import Metadata
from sdq_core.characteristics.privacy import Privacy
from sdq_core.description import Description, Item
from sdq_core.finding import Finding
from sdq_core.hashing import hash_files
from sdq_core.listing import relative, walk
from sdq_core.modality import Listing, Modality
from sdq_core.statistics import nearest_neighbours
from sdq_core.statistics.matches import CopySearch, Matches
from sdq_core.vocabulary import Severity

SCALARS = tuple(f"family{k // 10}.feature_{k}" for k in range(90))
EMBEDDINGS = {"radiomic": 90, "network": 512}
SIDE = 64
CLASSES = ("a", "b")


@dataclass
class GrowthDescriber:
    """90 scalars, 90 and 512 dimensions, a signature of 64 x 64, 12 header values, 2 findings."""

    name: str = "growth"
    version: str = "1"
    settings: dict = field(default_factory=dict)

    def __call__(self, item: Item) -> Description:
        rng = np.random.default_rng(int(item.digest[:16], 16))
        x = rng.standard_normal(90)
        x[0] += item.digest[0] > "7"
        noise = rng.standard_normal(SIDE * SIDE + 512, np.float32)
        shown = {k: f"value {int(item.digest[k], 16)}" for k in range(8)}
        finding = Finding(
            "growth.semantics.odd", Severity.WARNING, "odd", "不符", f"tag {x[1] > 0}"
        )
        other = Finding("growth.metadata.thin", Severity.INFO, "thin", "不足", item.digest[:1])
        return Description(
            scalars=dict(zip(SCALARS, x.tolist(), strict=True)),
            embeddings={
                "radiomic": x.astype(np.float32),
                "network": noise[:512] + np.float32(0.5) * np.float32(x[0]),
            },
            signature=noise[512:].reshape(SIDE, SIDE).astype(np.float16),
            metadata={
                **{f"Tag{k}": value for k, value in shown.items()},
                "content:sha256": item.digest[::-1],
                "StudyInstanceUID": item.digest[1:] + "0",
                "SeriesInstanceUID": item.digest[2:] + "00",
                "text:Generator": "growth",
            },
            findings=(finding, other),
        )


def matches(query, reference, *, top=20, query_groups=None, reference_groups=None) -> Matches:
    """Nearest rows of a 64-dimensional reading of the signatures, exact over all references."""
    a, b = (np.ascontiguousarray(v[:, ::8, ::8]).reshape(len(v), -1) for v in (query, reference))
    a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
    distance, index = nearest_neighbours(a, b, min(top, len(b)))
    return Matches(1 - distance**2 / 2, index, ("none",) * len(a))


def planted(signatures, n, rng):
    rows = rng.choice(len(signatures), n, replace=False)
    return signatures[rows] + 0.01 * rng.standard_normal((n, SIDE, SIDE), np.float32), rows


class GrowthFidelity(Fidelity):
    def embedding_facts(self, cohorts):
        return {name: {"dimension": d} for name, d in EMBEDDINGS.items()}


class GrowthMetadata(Metadata):
    def declares_synthetic(self, metadata, attributes):
        return "text:Generator" in metadata


class GrowthPrivacy(Privacy, AttackSimulation):
    search = CopySearch(matches, planted, 0.02)
    search_name = signature_name = "noise"
    disguises = ("noised", "加噪")
    mixed = separate = ("several shapes", "多种形状")


class Growth(Modality):
    name = "growth"
    default_profile = "none"

    def items(self, source, settings) -> Listing:
        def report(rule, path):
            return Finding(f"growth.structure.{rule}", Severity.WARNING, rule)

        root, files, findings = walk(source, lambda name: name.endswith(".g"), report)
        hashes = dict(zip(files, hash_files(files), strict=True))
        items = tuple(
            Item(relative(f, root), (f,), digest=digest, attributes={"class": _class(digest)})
            for f, digest in hashes.items()
        )
        return Listing(items, tuple(findings), hashes)

    def describer(self, study):
        return GrowthDescriber()

    def characteristics(self, study):
        kinds = (
            GrowthFidelity, Balance, Completeness, GrowthMetadata, GrowthPrivacy, Explainability
        )  # fmt: skip
        return tuple(kind(self.name) for kind in kinds)

    def profile_folder(self):
        raise NotImplementedError("growth curves are not judged")

    def study_template(self):
        raise NotImplementedError("growth curves have no study file")

    def measures(self) -> dict:
        return {}


def contents(n: int, seed: int) -> Iterator[bytes]:
    """Files of 64 bytes."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        yield rng.bytes(64)


def _class(digest: str) -> str:
    return CLASSES[digest[0] > "7"]
