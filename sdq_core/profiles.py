"""Profiles: named, versioned sets of criteria, each with its reason and source."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sdq_core.errors import StudyError
from sdq_core.hashing import canonical_json

__all__ = ["Criterion", "Profile", "load_profile"]


class Criterion(BaseModel):
    """The rule that turns a measurement into a verdict.

    Parameters
    ----------
    id : str
        Measurement id; without `variant` it judges every variant.
    except_variants : tuple of str
        Variants that a criterion without `variant` leaves alone.
    mandatory : bool
        Whether the characteristic's verdict depends on it.
    at_most, at_least : float, optional
        Absolute limits in the measure's unit.
    within_noise_floor : float, optional
        Factor f: the margin reaches from the noise floor's centre c to c + f (high - c), on the
        lower side likewise.
    slack : float
        Added to the margin of the noise floor, in the measure's unit: what does not matter for
        the purpose however precisely it is measured.
    relative_to_real : bool
        With an absolute limit and a noise floor: the more lenient of the two counts, so that the
        real data's own flaw is not punished in the synthetic data.
    declared_target : {"at_least", "at_most"}, optional
        What the study declares for this number takes the place of the limit above.
    minimum_n : int
        Below this many items in any cohort used, the verdict is inconclusive.
    reason, reason_zh, source : str
        Why this criterion, in English and in Chinese, and where it comes from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    variant: str | None = None
    except_variants: tuple[str, ...] = ()
    mandatory: bool = False
    at_most: float | None = None
    at_least: float | None = None
    within_noise_floor: float | None = Field(default=None, gt=0)
    slack: float = Field(default=0.0, ge=0)
    relative_to_real: bool = False
    declared_target: Literal["at_least", "at_most"] | None = None
    minimum_n: int = Field(default=0, ge=0)
    reason: str
    reason_zh: str = ""
    source: str

    @model_validator(mode="after")
    def _has_a_rule(self) -> Criterion:
        if self.at_most is None and self.at_least is None and self.within_noise_floor is None:
            raise ValueError("needs one of at_most, at_least, within_noise_floor")
        return self


class Profile(BaseModel):
    """A named, versioned set of criteria.

    Parameters
    ----------
    name, version, modality, description : str
    extends : str
        Name and version of the profile whose criteria it takes over; empty for none. In a file:
        ``default``, the name of a shipped profile, or the path of a file beside it.
    criteria : tuple of Criterion
        Those of the extended profile among them; one of the same id and variant takes the place of
        the one that it finds there.
    unacceptable : mapping of str to float
        Defect of the modality's catalogue -> severity from which on a study must not pass, in the
        place of the catalogue's own; see `sdq_core.calibration`. Those of the extended profile
        among them.
    compared : int or "all", optional
        Most items of a cohort that kernel, neighbour and classifier measures compare: a uniform
        subsample by content digests, or all of them, exactly, in blocks. By default 2,000, and
        10,000 for a learner.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["sdq.profile/1"] = Field(alias="schema")
    name: str
    version: str
    modality: str
    description: str = ""
    extends: str = ""
    criteria: tuple[Criterion, ...]
    unacceptable: dict[str, float] = Field(default_factory=dict)
    compared: Annotated[int, Field(ge=100)] | Literal["all"] | None = None

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what the profile asks: criteria, unacceptable severities, items."""
        asked = self.model_dump(mode="json", include={"criteria", "unacceptable"})
        if self.compared is not None:
            asked["compared"] = self.compared
        return hashlib.sha256(canonical_json(asked)).hexdigest()

    @model_validator(mode="after")
    def _once_each(self) -> Profile:
        seen: set[tuple[str, str | None]] = set()
        for criterion in self.criteria:
            key = (criterion.id, criterion.variant)
            if key in seen:
                raise ValueError(f"criteria: {criterion.id} is judged twice")
            if not criterion.id.startswith(f"{self.modality}."):
                raise ValueError(f"criteria: {criterion.id} is not of modality {self.modality}")
            seen.add(key)
        return self


def load_profile(name: str, folder: Path, modality: str, default: str) -> Profile:
    """Load a profile by name or by path.

    Parameters
    ----------
    name : str
        ``"default"``, the name of a shipped profile, or the path of a YAML file.
    folder : Path
        Folder of the modality's shipped profiles.
    modality : str
        The profile must be of this modality.
    default : str
        What ``"default"`` stands for.

    Returns
    -------
    Profile

    Raises
    ------
    StudyError
        No such profile, or it breaks the schema.
    """
    profile = _load(name, folder, default, ())
    if profile.modality != modality:
        raise StudyError(
            f"profile {name!r}: is for modality {profile.modality!r}, the study is {modality!r}"
        )
    return profile


def _load(name: str, folder: Path, default: str, above: tuple[Path, ...]) -> Profile:
    """Load a profile with those that it extends; `above` are the files that led here."""
    shipped = {p.stem: p for p in sorted(folder.glob("*.yaml"))}
    chosen = default if name == "default" else name
    path = shipped.get(chosen)
    if path is None:
        path = above[-1].parent / chosen if above else Path(chosen)
    if path.resolve() in above:
        raise StudyError(
            f"profile {path}: extends itself, by way of {len(above)} others; break the circle"
        )
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        own = Profile.model_validate(data)
    except OSError as error:
        raise StudyError(
            f"profile {name!r}: there is no shipped profile of that name "
            f"(shipped: {', '.join(shipped)}) and no readable file of that path"
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise StudyError(f"profile {path}: {error}") from error
    if not own.extends:
        return own
    base = _load(own.extends, folder, default, (*above, path.resolve()))
    if base.modality != own.modality:
        raise StudyError(
            f"profile {path}: is for modality {own.modality!r} and extends one for "
            f"{base.modality!r}; extend one of its own modality"
        )
    merged = {(c.id, c.variant): c for c in (*base.criteria, *own.criteria)}
    return own.model_copy(
        update={
            "extends": f"{base.name} {base.version}",
            "criteria": tuple(merged.values()),
            "unacceptable": {**base.unacceptable, **own.unacceptable},
            "compared": base.compared if own.compared is None else own.compared,
        }
    )
