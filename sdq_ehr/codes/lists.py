"""Lists of codes: the user's licensed files, and those that packages bring.

A list answers one question: at which place is a code, if it is there at all? Further columns
(active, leaf, domain, units, dates) are kept beside it where the file has them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from sdq_core.errors import InputError
from sdq_ehr.codes.fhir_json import read_fhir
from sdq_ehr.codes.verdict import ListUsed

__all__ = ["CodeList", "read_list"]

CODE_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "loinc": ("loinc_num",),
    "snomed": ("id", "conceptid", "sctid"),
    "rxnorm": ("rxcui",),
    "ndc": ("ndcpackagecode", "ndc", "ndc11", "ndc_11"),
    "cvx": ("cvxcode", "cvx"),
    "atc": ("atc", "atc_code", "atccode"),
    "omop": ("concept_id",),
}
"""System -> names of its code column, lower case; those of `_ANY_CODE` follow."""

_ANY_CODE: Final = ("code", "concept_code", "icd_code", "主要编码", "疾病编码", "诊断编码",
                    "诊断代码", "医保版编码", "编码", "代码")  # fmt: skip

_OTHERS: Final[dict[str, tuple[str, ...]]] = {
    "active": ("active", "status"),
    "suppressed": ("suppress", "invalid_reason"),
    "leaf": ("leaf", "billable", "is_leaf"),
    "domain": ("domain_id",),
    "standard": ("standard_concept",),
    "units": ("example_ucum_units",),
    "start": ("valid_start_date",),
    "end": ("valid_end_date",),
    "vocabulary": ("vocabulary_id",),
    "stated": ("effectivetime", "versionlastchanged", "version", "版本"),
}
"""What is known of a code -> names of its column, lower case."""

VOCABULARIES: Final = {
    "icd10": "ICD10", "icd10cm": "ICD10CM", "icd10cn": "ICD10CN", "icd10pcs": "ICD10PCS",
    "icd9cm": "ICD9CM", "icd9proc": "ICD9Proc", "icd9cn": "ICD9ProcCN",
    "loinc": "LOINC", "snomed": "SNOMED", "atc": "ATC", "rxnorm": "RxNorm",
    "ndc": "NDC", "cvx": "CVX", "ucum": "UCUM",
}  # fmt: skip
"""Code system -> its vocabulary in an Athena CONCEPT.csv, which may stand in for its own list."""

_NO: Final = frozenset(
    {"0", "f", "false", "no", "n", "deprecated", "inactive", "retired", "停用", "否"}
)
_SUPPRESSED: Final = frozenset({"y", "o", "e", "d", "u"})
"""SUPPRESS of RxNorm (Y, O, E) and invalid_reason of OMOP (D deleted, U upgraded)."""


_MOST_IN_DICT: Final = 2_000_000
"""Larger lists (all of Athena) are searched by Arrow, which needs no Python object a code."""


@dataclass(frozen=True, eq=False)
class CodeList:
    """A list of codes.

    Parameters
    ----------
    name, version : str
    codes : tuple of str, or pyarrow.StringArray
    sha256 : str
        Of the user's file; empty for a package's list.
    complete : bool
        Whether a code that is not in it does not exist.
    active, leaf : array of bool or None
        None: the list does not say.
    columns : mapping of str to sequence
        ``domain``, ``standard``, ``units`` (str) and ``start``, ``end`` (datetime64[D]), where the
        list has them.
    """

    name: str
    version: str
    codes: Any
    sha256: str = ""
    complete: bool = True
    active: NDArray[np.bool_] | None = None
    leaf: NDArray[np.bool_] | None = None
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def used(self) -> ListUsed:
        """What the method text says of the list."""
        return ListUsed(self.name, self.version, self.sha256, len(self.codes))

    def find(self, codes: Sequence[str]) -> NDArray[np.intp]:
        """Return the place of each code; -1 where it is not in the list.

        Examples
        --------
        >>> CodeList("mine", "1", ("A", "B")).find(["B", "C"]).tolist()
        [1, -1]
        """
        if len(self.codes) > _MOST_IN_DICT:
            places = pc.index_in(pa.array(codes, pa.string()), value_set=self.codes)
            return np.asarray(places.fill_null(-1), dtype=np.intp)
        place = self._places.get
        return np.fromiter((place(code, -1) for code in codes), np.intp, len(codes))

    @cached_property
    def _places(self) -> dict[str, int]:
        """Code -> its first place."""
        # Not Arrow's search, as below: `pyarrow.array` imports pandas where it is installed.
        texts = self.texts()
        return dict(zip(reversed(texts), range(len(texts) - 1, -1, -1), strict=True))

    def texts(self) -> list[str]:
        """Return the codes."""
        return list(self.codes) if isinstance(self.codes, tuple) else self.codes.to_pylist()


def read_list(path: Path, system: str) -> CodeList:
    """Read the user's list of a code system.

    Parameters
    ----------
    path : Path
        CSV, TSV, Parquet, SNOMED CT RF2 concept snapshot, LOINC table, RXNCONSO.RRF, FDA package
        table, Athena CONCEPT.csv, or a FHIR CodeSystem or ValueSet in JSON. Kept per process until
        the file changes.
    system : str
        Code system: which column holds the codes.

    Returns
    -------
    CodeList

    Raises
    ------
    InputError
        Where there is no such file, it has no code column, or it cannot be parsed.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise InputError(
            f"list of {system} codes {path.name}: the file cannot be opened; check the path"
        ) from error
    return _read(path, system, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=32)
def _read(path: Path, system: str, changed: int, size: int) -> CodeList:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if path.suffix.lower() == ".json":
        found = read_fhir(path)
        return CodeList(
            found.name, found.version, tuple(found.codes), sha256, found.complete,
            np.array(found.active, bool), np.array(found.leaf, bool),
        )  # fmt: skip
    try:
        columns = _columns(path, system)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"list of {system} codes {path.name}: it cannot be parsed as a table; save it as UTF-8 "
            "text with a header, or as Parquet"
        ) from error
    return _assemble(path, system, sha256, columns)


def _columns(path: Path, system: str) -> dict[str, Any]:
    """Return what is needed of the file: name of `_OTHERS` or ``code`` -> Arrow column."""
    if path.name.upper().startswith("RXNCONSO"):
        # No header, and a delimiter behind the last column (RxNorm documentation, section 12.4).
        table = _delimited(path, "|", [f"c{i}" for i in range(19)])
        kept = table.filter(pc.equal(table["c11"], "RXNORM")).sort_by("c16")
        return {"code": kept["c0"], "suppressed": kept["c16"]}
    if path.suffix.lower() in {".parquet", ".pq"}:
        names = pyarrow.parquet.read_schema(path).names
        chosen = _choose(names, system, path)
        table = pyarrow.parquet.read_table(path, columns=list(dict.fromkeys(chosen.values())))
    else:
        delimiter, names = _header(path)
        chosen = _choose(names, system, path)
        table = _delimited(path, delimiter, None, list(dict.fromkeys(chosen.values())))
    return {role: _text(table[name]) for role, name in chosen.items()}


def _text(column: Any) -> Any:
    """Return a column as text; whole numbers that were read as floats become whole again."""
    if pa.types.is_floating(column.type):
        column = pc.cast(column, pa.int64(), safe=False)
    return pc.utf8_trim_whitespace(pc.cast(column, pa.string()))


def _header(path: Path) -> tuple[str, list[str]]:
    with pa.input_stream(str(path), compression="detect") as stream:
        head = stream.read(1 << 16)
    line = _decoded(head.split(b"\n", 1)[0]).rstrip("\r")
    delimiter = max("\t,;|", key=line.count)
    return delimiter, [name.strip().strip('"') for name in line.split(delimiter)]


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")


def _delimited(
    path: Path, delimiter: str, names: list[str] | None, chosen: list[str] | None = None
) -> Any:
    """Read a delimited file as text: UTF-8, else GB18030."""
    # RF2, RRF and Athena write quotes as they are; only commas need them as a frame.
    quote = '"' if delimiter in ",;" else False
    for encoding in ("utf8", "gb18030"):
        try:
            return pa.csv.read_csv(
                path,
                pa.csv.ReadOptions(column_names=names, encoding=encoding),
                pa.csv.ParseOptions(
                    delimiter=delimiter, quote_char=quote, newlines_in_values=bool(quote)
                ),
                pa.csv.ConvertOptions(
                    include_columns=chosen,
                    column_types=dict.fromkeys(names or chosen or [], pa.string()),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowException:
            if encoding == "gb18030":
                raise
    raise AssertionError("unreachable")


def _choose(names: Sequence[str], system: str, path: Path) -> dict[str, str]:
    """Return role -> column of the file."""
    lower = {name.lower().strip().lstrip("\ufeff"): name for name in reversed(names)}
    wanted = CODE_COLUMNS.get(system, ()) + _ANY_CODE
    if "concept_code" in lower and system != "omop":
        wanted = ("concept_code",)
    code = next((lower[name] for name in wanted if name in lower), None)
    if code is None:
        expected = ", ".join((*CODE_COLUMNS.get(system, ())[:1], "code", "编码"))
        raise InputError(
            f"list of {system} codes {path.name}: it has no column of codes; name one of its "
            f"columns one of: {expected}"
        )
    chosen = {"code": code}
    for role, candidates in _OTHERS.items():
        if found := next((lower[name] for name in candidates if name in lower), None):
            chosen[role] = found
    return chosen


def _assemble(path: Path, system: str, sha256: str, columns: dict[str, Any]) -> CodeList:
    keep = pc.not_equal(columns["code"], "")
    vocabulary = columns.pop("vocabulary", None)
    if vocabulary is not None and system in VOCABULARIES:
        keep = pc.and_(keep, pc.equal(vocabulary, VOCABULARIES[system]))
    columns = {role: column.filter(keep) for role, column in columns.items()}
    if not len(columns["code"]):
        raise InputError(
            f"list of {system} codes {path.name}: it holds no code of {system}; give the system's "
            "own file"
        )
    stated = columns.pop("stated", None)
    active, leaf = _states(columns)
    further: dict[str, NDArray[Any]] = {}
    for role in ("domain", "standard", "units"):
        if role in columns:
            further[role] = columns[role].to_numpy(zero_copy_only=False)
    for role in ("start", "end"):
        if role in columns:
            further[role] = _dates(columns[role])
    codes = columns["code"].combine_chunks()
    return CodeList(
        path.name,
        _version(path, stated),
        codes,
        sha256,
        active=active,
        leaf=leaf,
        columns=further,
    )


def _states(
    columns: dict[str, Any],
) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
    """Return which codes are active and which are leaves; take their columns away."""
    suppressed = columns.pop("suppressed", None)
    active = columns.pop("active", None)
    leaf = columns.pop("leaf", None)
    alive: NDArray[np.bool_] | None = None
    if active is not None:
        alive = ~_in_words(active, _NO)
    elif suppressed is not None:
        alive = ~_in_words(suppressed, _SUPPRESSED)
    return alive, None if leaf is None else ~_in_words(leaf, _NO)


def _in_words(column: Any, words: frozenset[str]) -> NDArray[np.bool_]:
    found = pc.is_in(pc.utf8_lower(column), value_set=pa.array(sorted(words)))
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _dates(column: Any) -> NDArray[Any]:
    """Return dates of the forms 20240131 and 2024-01-31; others become NaT."""
    digits = pc.replace_substring_regex(column, r"[^0-9]", "")
    parsed = pc.strptime(pc.utf8_slice_codeunits(digits, 0, 8), "%Y%m%d", "s", error_is_null=True)
    return np.asarray(parsed.to_numpy(zero_copy_only=False)).astype("datetime64[D]")


def _version(path: Path, stated: Any) -> str:
    """Return the version that the file's name or content states; empty where none does."""
    if days := re.findall(r"(?<![0-9])(?:19|20)[0-9]{6}(?![0-9])", path.name):
        return str(days[-1])
    if found := re.search(r"(?<![0-9])([0-9]{1,2}[._][0-9]{1,3})(?![0-9])", path.stem):
        return found[1].replace("_", ".")
    if stated is not None and len(values := pc.unique(stated)):
        plain = [v for v in values.to_pylist() if v]
        # "2.9" is older than "2.73": compare the numbers in a version, not its letters.
        return max(plain, key=lambda v: [int(d) for d in re.findall("[0-9]+", v)], default="")
    return ""
