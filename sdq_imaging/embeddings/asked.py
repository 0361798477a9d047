"""Which embeddings a study asks for, and what stands of each in the result."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sdq_core.errors import StudyError
from sdq_core.hashing import hash_file

__all__ = ["DEFAULT", "PUBLISHED", "Asked", "Prepared", "Published"]

DEFAULT: Final = ("radiomic", "random-resnet18")
"""Embeddings that need no file."""

KINDS: Final = ("inception", "torchvision", "monai", "torchscript", "export", "python")


class Published(BaseModel):
    """A weights file that others have published, in words of no language.

    Parameters
    ----------
    file, where : str
        Names of files, and where they are found.
    sha256 : str
        Empty where no hash is known to us: the study states its own.
    """

    model_config = ConfigDict(frozen=True)

    file: str
    where: str
    sha256: str = ""


PUBLISHED: Final = {
    "inception": Published(
        file="weights-inception-2015-12-05-6726825d.pth = pt_inception-2015-12-05-6726825d.pth",
        where="github.com/toshas/torch-fidelity v0.2.0 = github.com/mseitzer/pytorch-fid",
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    ),
    "torchvision": Published(
        file="state_dict (*.pt, *.pth, *.safetensors)",
        where="docs.pytorch.org/vision/stable/models.html, github.com/BMEII-AI/RadImageNet",
    ),
    "monai": Published(
        file="state_dict (*.pt, *.pth, *.safetensors)", where="github.com/Tencent/MedicalNet"
    ),
    "torchscript": Published(file="*.pt", where="torch.jit.save"),
    "export": Published(file="*.pt2", where="torch.export.save"),
}


class Prepared(BaseModel):
    """How pixels become the network's input.

    Parameters
    ----------
    side : int, optional
        Pixels a side that images are stretched to; the network's usual one by default.
    channels : {1, 3}, optional
        By default what the first layer takes.
    mean, deviation : tuple of float
        Grey values 0..1 (or the three colours) have the mean taken off and are divided by the
        deviation; by default those of the network's family.
    scale : {"range", "zscore"}
        ``zscore`` normalises each volume by mean and deviation of its voxels above 0, as
        MedicalNet was trained.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    side: int | None = Field(default=None, ge=8, le=1024)
    channels: Literal[1, 3] | None = None
    mean: tuple[float, ...] | None = None
    deviation: tuple[float, ...] | None = None
    scale: Literal["range", "zscore"] | None = None
    dimensions: Literal[2, 3] | None = None

    @model_validator(mode="after")
    def _together(self) -> Prepared:
        lengths = {len(v) for v in (self.mean, self.deviation) if v is not None}
        if not lengths <= {1, 3}:
            raise ValueError("mean and deviation hold one number, or one for each of 3 channels")
        if self.deviation is not None and min(self.deviation) <= 0:
            raise ValueError("deviation must be positive")
        return self


class Asked(BaseModel):
    """One embedding that a study asks for.

    Parameters
    ----------
    name : str
        ``radiomic``, ``random-resnet18``, ``inception``, ``torchvision:<network>``,
        ``monai:<network>``, ``torchscript``, ``export`` or ``python:<module>:<function>``.
    label : str, optional
        What it is called in the result; its name by default.
    weights : str, optional
        Path of the file.
    sha256 : str, optional
        Hash that the file must have. Required for ``torchscript`` and ``export``, whose files are
        programs.
    input : Prepared
    dimension : int, optional
        Length of the vector; filled in when the study is prepared.

    Examples
    --------
    >>> Asked.model_validate({"name": "torchvision:resnet50", "label": "radimagenet"}).kind
    'torchvision'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    label: str = Field(default="", max_length=60)
    weights: str | None = None
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    input: Prepared = Prepared()
    dimension: int | None = Field(default=None, ge=1)

    @field_validator("label")
    @classmethod
    def _plain(cls, value: str) -> str:
        if value and not all(c.isalnum() or c in " -_.:+" for c in value):
            raise ValueError("label: letters, digits, spaces and - _ . : + alone")
        return value

    @model_validator(mode="after")
    def _known(self) -> Asked:
        kind, _, rest = self.name.partition(":")
        if self.name in DEFAULT:
            if self.weights or self.sha256:
                raise ValueError(f"{self.name} takes no weights file")
            return self
        if kind not in KINDS or (kind in ("torchvision", "monai", "python")) != bool(rest):
            raise ValueError(
                f"there is no embedder {self.name!r}; known are {', '.join(DEFAULT)}, inception, "
                "torchvision:<network>, monai:<network>, torchscript, export, "
                "python:<module>:<function>"
            )
        if kind in ("torchscript", "export") and self.weights and not self.sha256:
            raise ValueError(
                f"{self.name}: such a file is a program that will run; state the sha256 of the "
                "one that you mean"
            )
        return self

    @property
    def kind(self) -> str:
        """First part of the name."""
        return self.name.partition(":")[0]

    @property
    def called(self) -> str:
        """What the embedding is called in the result."""
        return self.label or self.name

    @property
    def expected(self) -> str:
        """Hash that the file must have, empty for any."""
        published = PUBLISHED.get(self.kind)
        return self.sha256 or (published.sha256 if published else "")

    @property
    def lacking(self) -> str:
        """Return what is missing of a file that the embedder needs, empty where it is there."""
        published = PUBLISHED.get(self.kind)
        if published is None or (self.weights and Path(self.weights).is_file()):
            return ""
        hashed = f", SHA-256 {self.expected}" if self.expected else ""
        return f"{published.file} ({published.where}{hashed})"

    def found_sha256(self) -> str:
        """Return the hash of the file.

        Raises
        ------
        StudyError
            It is not the one that is expected.
        """
        assert self.weights, "a file that is not lacking"
        path = Path(self.weights)
        stat = path.stat()
        found = _hash_of(path, stat.st_size, stat.st_mtime_ns)
        if self.expected and found != self.expected:
            origin = "settings.embeddings" if self.sha256 else PUBLISHED[self.kind].where
            raise StudyError(
                f"study: settings.embeddings: {self.called}: {path.name} has SHA-256 {found}, "
                f"expected is {self.expected} ({origin}); give that file, or state the sha256 of "
                "the one that you mean"
            )
        return found


@lru_cache(maxsize=32)
def _hash_of(path: Path, size: int, changed: int) -> str:
    return hash_file(path)
