"""Generated data with the real data beside them, as `benchmarks/counterparts.py` evaluates them.

Train is what the generator saw wherever that is known, the holdout was kept away from it. Nobody
states anything of these generators, and the files declare nothing: metadata and explainability are
judged so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image as Picture
from validity import write_pictures

from sdq_core.study import Study
from sdq_ehr.proposing import propose_schema
from sdq_imaging.defects import Sample
from sdq_signals.channels import LEADS

MODALITIES = ("ehr", "signals", "imaging")
IMAGES = ("CXR", "Hand", "HeadCT")
BEATS = ("N", "V")
GIVEN_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "III", "aVR", "aVL", "aVF")
"""Order of the leads in the pairs of SSSD-ECG, as its notes say."""
REAL = "real, fresh"
THREE = ("ctgan", "datasynthesizer", "synthpop")
TABLES: tuple[tuple[str, str, str | None, str, tuple[str, ...]], ...] = (
    ("diabetes_pima", "train", "test", "Outcome", THREE),
    ("actg175_avatar", "round0/members", "round0/nonmembers", "cens",
     ("round0/ctgan", "round0/synthpop", "round0/avatar")),
    ("adult_datasynthesizer", "real", None, "income",
     ("random_mode", "independent_mode", "correlated_mode")),
    ("dermatology", "train", "test", "class", THREE),
    ("cervical_cancer", "train", "test", "Biopsy", THREE),
    ("seer_breast", "train", "test", "Status", ("synthpop",)),
)  # fmt: skip
"""Set, train, holdout, column of the class, generators."""
QUICK = {
    "ehr": ("cervical_cancer", "synthpop"),
    "signals": ("sssd_ecg_pairs", "sssd"),
    "imaging": ("insilico_ich", "simulator"),
}
SMALL = 60
"""Real items a cohort of a quick run."""

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Case:
    """One generated set beside the real one."""

    modality: str
    data: str
    generator: str
    cohorts: Mapping[str, Any]
    """Array or path of each role."""
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    recorded: Mapping[str, Any] = field(default_factory=dict)
    """Rate, unit and channels of recordings."""
    classes: tuple[str, ...] | None = None

    @property
    def key(self) -> str:
        return "-".join(f"{self.modality} {self.data} {self.generator}".replace(",", "").split())

    def study(self, folder: Path) -> Study:
        """Return the study, arrays written as files into an empty folder."""
        sources: dict[str, dict[str, Path]] = {}
        for role, data in self.cohorts.items():
            labels = np.array(self.labels[role]) if role in self.labels else None
            if isinstance(data, Path):
                sources[role] = {"path": data}
            elif self.modality == "imaging":
                write_pictures(folder / role, Sample(data, labels), None, declared=False)
                table = {} if labels is None else {"labels": folder / role / "labels.csv"}
                sources[role] = {"path": folder / role, **table}
            else:
                path = folder / f"{role}.npz"
                kinds = {} if labels is None else {"class": labels}
                folder.mkdir(parents=True, exist_ok=True)
                np.savez(path, signals=data, **self.recorded, **kinds)
                sources[role] = {"path": path}
        keys: dict[str, Any] = {
            "name": f"{self.data}, {self.generator}", "modality": self.modality, "seed": 0,
            "settings": dict(self.settings), "cohorts": sources,
        }  # fmt: skip
        return Study.model_validate(keys | ({"classes": self.classes} if self.classes else {}))


def tables(data: Path, work: Path) -> Iterator[Case]:
    """Yield tables of one row a patient, by a schema proposed from train that names the class."""
    for name, train, holdout, outcome, generators in TABLES:
        folder = data / "ehr" / name
        made = propose_schema(folder / f"{train}.csv").model_dump(
            exclude_defaults=True, mode="json"
        )
        (table,) = made["tables"].values()
        for column in table["columns"].values():
            if column.get("meaning") == "class":
                del column["meaning"]
        table["columns"][outcome] = {"type": "category", "meaning": "class"}
        schema = work / f"{name}.yaml"
        schema.write_text(yaml.safe_dump(made, sort_keys=False), encoding="utf-8")
        real = {"train": folder / f"{train}.csv"}
        if holdout is not None:
            real["holdout"] = folder / f"{holdout}.csv"
        for generator in generators:
            cohorts = {**real, "synthetic": folder / f"{generator}.csv"}
            yield Case(
                "ehr", name, Path(generator).name.removesuffix("_mode"), cohorts,
                settings={"schema": str(schema)},
            )  # fmt: skip


def pictures(data: Path) -> Iterator[Case]:
    """Yield the ladder of MedNIST, and simulated heads beside the real ones of MedNIST."""
    folder = data / "imaging"
    names = np.array(IMAGES)
    with np.load(folder / "mednist32_generated/members.npz") as stack:
        train, seen = stack["images"], names[stack["label"]]
    with np.load(folder / "mednist64/control.npz") as stack:
        kept = stack["label"] >= 2
        images, labels = stack["images"][kept], names[stack["label"][kept] - 2]
    small = np.stack([shrunk(x, 32) for x in images])
    order = np.random.default_rng(0).permutation(len(small))
    rest, fresh = order[:375], order[375:]
    made = {REAL: (small[fresh], labels[fresh])}
    for path in sorted((folder / "mednist32_generated").glob("*.npz")):
        if path.stem != "members":
            with np.load(path) as stack:
                made[path.stem] = stack["images"], names[stack["label"]]
    for name, (synthetic, drawn) in made.items():
        yield Case(
            "imaging", "mednist32", name,
            {"train": train, "holdout": small[rest], "synthetic": synthetic},
            {"train": seen.tolist(), "holdout": labels[rest].tolist(), "synthetic": drawn.tolist()},
            classes=IMAGES,
        )  # fmt: skip
    with np.load(folder / "mednist64/train.npz") as stack:
        heads = stack["images"][stack["label"] == 4]
    with np.load(folder / "insilico_ich/images.npz") as stack:
        simulated = np.stack([shrunk(x, 64) for x in stack["images"]])
    others = images[labels == "HeadCT"]
    yield Case(
        "imaging", "insilico_ich", "simulator",
        {"train": heads, "holdout": others, "synthetic": simulated},
    )  # fmt: skip


def shrunk(image: Array, side: int) -> Array:
    """Resize as the makers of the generated images did."""
    return np.asarray(Picture.fromarray(image).resize((side, side), Picture.Resampling.LANCZOS))


def recordings(data: Path) -> Iterator[Case]:
    """Yield generated heart beats, and generated and simulated electrocardiograms."""
    folder = data / "signals"
    names = np.array(BEATS)
    with np.load(folder / "mitdb_beats_generated/members.npz") as stack:
        train, seen = millivolts(stack["beats"]), names[stack["label"]]
    with (folder / "mitdb_1xx/beats256_control.csv").open(encoding="utf-8") as file:
        kinds = np.array([line.rsplit(",", 1)[1].strip() for line in file][1:])
    with np.load(folder / "mitdb_1xx/beats256_control.npz") as stack:
        kept = np.isin(kinds, names)
        control, kinds = millivolts(stack["beats"][kept].clip(300, 1800)), kinds[kept]
    order = np.random.default_rng(0).permutation(len(control))
    rest, fresh = np.array_split(order, 2)
    made = {REAL: (control[fresh], kinds[fresh])}
    for path in sorted((folder / "mitdb_beats_generated").glob("*.npz")):
        if path.stem != "members":
            with np.load(path) as stack:
                made[path.stem] = millivolts(stack["beats"]), names[stack["label"]]
    for name, (synthetic, drawn) in made.items():
        yield Case(
            "signals", "mitdb_beats", name,
            {"train": train, "holdout": control[rest], "synthetic": synthetic},
            {"train": seen.tolist(), "holdout": kinds[rest].tolist(), "synthetic": drawn.tolist()},
            recorded=recorded(360, ("MLII",)), classes=BEATS,
        )  # fmt: skip
    parts = {}
    for role, part in (("train", "train"), ("holdout", "control")):
        with np.load(folder / f"ptbxl_afib/{part}.npz") as stack:
            parts[role] = (stack["signals"] / 1000).astype(np.float32)
    with np.load(folder / "neurokit_ecg12/neurokit.npz") as stack:
        simulated = stack["signals"]
    with np.load(folder / "sssd_ecg_pairs/pairs.npz") as stack:
        given = [name.upper() for name in GIVEN_LEADS]
        order = np.array([given.index(lead.upper()) for lead in LEADS])
        pairs = {f"sssd, its {k} part": stack[k][:, order] for k in ("real", "synthetic")}
    for name, synthetic in {"neurokit": simulated, **pairs}.items():
        of = "neurokit_ecg12" if name == "neurokit" else "sssd_ecg_pairs"
        label = {"sssd, its synthetic part": "sssd", "sssd, its real part": "its real ones"}
        yield Case(
            "signals", of, label.get(name, name), {**parts, "synthetic": synthetic},
            recorded=recorded(100, LEADS),
        )  # fmt: skip


def recorded(rate: float, channels: Sequence[str]) -> dict[str, Any]:
    """Return what an array file says beside its samples."""
    return {"rate": np.array(rate), "units": np.array("mV"), "channels": np.array(channels)}


def millivolts(beats: Array) -> NDArray[np.float32]:
    """Return the ADC values of MIT-BIH in millivolts, with the axis of the one lead."""
    return ((beats.astype(np.float32) - 1024) / 200)[:, None]


def cases(data: Path, work: Path, modality: str, quick: bool = False) -> Iterator[Case]:
    """Yield the cases of a modality; of a quick run one, on some of its real items."""
    every = {
        "ehr": lambda: tables(data, work),
        "imaging": lambda: pictures(data),
        "signals": lambda: recordings(data),
    }
    for case in every[modality]():
        if not quick:
            yield case
        elif (case.data, case.generator) == QUICK[modality]:
            fewer = {
                k: v if isinstance(v, Path) else v[: SMALL // (1 if k == "train" else 2)]
                for k, v in case.cohorts.items()
            }
            yield replace(case, cohorts=fewer, labels={}, classes=None)
