"""The environment lock: which packages, system and hardware an evaluation ran on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sdq_core.result import Result

__all__ = ["environment_lock"]

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_VERSION = re.compile(r"[A-Za-z0-9.!+_-]+")


def environment_lock(result: Result) -> bytes:
    """Return the lock of a result, a file of requirements that ``pip install -r`` reads.

    Examples
    --------
    >>> result = Result(study={"seed": 7}, profile={}, modality={}, cohorts={}, measurements=(),
    ...                 verdicts={}, findings={"total": 0}, exit_code=3,
    ...                 environment={"python": "3.11.7", "distributions": {"numpy": "2.4.6"}})
    >>> print(environment_lock(result).decode().split("#")[-1])
     seed: 7
    numpy==2.4.6
    <BLANKLINE>
    """
    return "".join(f"{line}\n" for line in _lines(result)).encode()


def _lines(result: Result) -> Iterator[str]:
    facts = result.environment
    yield "# What the evaluation ran on; packages are those of the whole environment."
    yield "# 评价的运行环境; 所列为整个环境的软件包。"
    for key in ("python", "system"):
        if key in facts:
            yield _remark(key, facts[key])
    for key, value in sorted((facts.get("hardware") or {}).items()):
        yield _remark(key, value)
    if "seed" in result.study:
        yield _remark("seed", result.study["seed"])
    found = facts.get("distributions") or {
        name: version for name, version in (facts.get("packages") or {}).items() if version
    }
    for name, version in sorted(found.items()):
        # A line of another form could be an option of pip.
        if _NAME.fullmatch(str(name)) and _VERSION.fullmatch(str(version)):
            yield f"{name}=={version}"
        else:
            yield _remark("not a package", f"{name} {version}")


def _remark(key: str, value: object) -> str:
    return f"# {key.replace('_', ' ')}: {' '.join(str(value).split())}"
