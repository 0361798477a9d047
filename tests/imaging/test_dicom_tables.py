"""The stored table of modules against the highdicom that it was made from."""

from __future__ import annotations

import gzip
import importlib.util
import json
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

from sdq_imaging import dicom_tables

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    pytest.importorskip("highdicom")
    spec = importlib.util.spec_from_file_location("maker", ROOT / "tools" / "make_dicom_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def upstream(maker):
    return maker.source_tables()


@pytest.fixture(scope="module")
def stored() -> dict:
    path = ROOT / "sdq_imaging" / "dicom_tables" / "modules.json.gz"
    return json.loads(gzip.decompress(path.read_bytes()))


def test_the_stored_table_is_what_the_tool_makes(maker, upstream, stored):
    if version("highdicom") not in stored["source"]["through"]:
        pytest.skip("another highdicom than the one the table was made from")
    made = maker.make_tables(*upstream)
    assert made == stored
    assert maker.encode(made) == maker.encode(made)
    assert maker.encode(made)[4:8] == bytes(4)  # no time stamp (RFC 1952)


def test_every_required_attribute_of_every_image_iod_is_there(upstream):
    """Row by row, with a reading of the source that shares no code with the tool."""
    from pydicom.datadict import tag_for_keyword

    sop_classes, iods, modules = upstream
    missing, rows = [], 0
    for uid in dicom_tables._tables()["sop_classes"]:
        iod = sop_classes[uid]
        assert dicom_tables.iod_of(uid) == iod
        ours = {m.key: m for m in dicom_tables.modules_of(iod)}
        assert [(m["key"], m["usage"]) for m in iods[iod]] == [
            (m.key, m.usage) for m in ours.values()
        ]
    for key in {m.key for iod in dicom_tables.iods() for m in dicom_tables.modules_of(iod)}:
        tree = dicom_tables._module(key)
        for row in modules[key]:
            tags = [tag_for_keyword(k) for k in (*row["path"], row["keyword"])]
            if row["type"] == "3" or None in tags or tags[-1] >> 16 == 0x7FE0:
                continue
            rows += 1
            level, entry = tree, None
            for tag in tags:
                entry = level.get(tag)
                level = entry.inside if entry else {}
            if entry is None or entry.type != row["type"]:
                missing.append((key, row))
    assert rows > 30_000
    assert not missing


def test_all_image_iods_and_only_those(upstream):
    sop_classes, iods, _ = upstream
    for iod in set(sop_classes.values()):
        keys = {m["key"] for m in iods[iod]}
        assert (iod in dicom_tables.iods()) == bool(keys & {"general-image", "image-pixel"})


def test_structured_reports_and_unknown_classes_have_no_iod():
    assert dicom_tables.iod_of("1.2.840.10008.5.1.4.1.1.88.33") is None
    assert dicom_tables.iod_of("1.2.3") is None
    with pytest.raises(KeyError):
        dicom_tables.modules_of("no-such-iod")


# Conditions, from an older edition ----------------------------------------------------------------


@pytest.fixture(scope="module")
def conditions() -> dict:
    path = ROOT / "sdq_imaging" / "dicom_tables" / "conditions.json.gz"
    return json.loads(gzip.decompress(path.read_bytes()))


def rows(tree: dict, above: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], dict]]:
    found = []
    for tag, entry in tree.items():
        found.append(((*above, tag), entry))
        found += rows(entry.get("in", {}), (*above, tag))
    return found


def test_most_conditions_meet_an_attribute_that_is_conditional_today(conditions):
    met = total = 0
    for module, tree in conditions["attributes"].items():
        for path, entry in rows(tree):
            if "c" not in entry:
                continue
            level, requirement = dicom_tables._module(module), None
            for tag in path:
                requirement = level.get(int(tag, 16))
                level = requirement.inside if requirement else {}
            total += 1
            met += requirement is not None and requirement.type in ("1C", "2C")
    assert total > 1000
    assert met / total > 0.9


def test_every_expression_is_one_that_the_rules_can_read(conditions):
    from pydicom import Dataset

    from sdq_core.dicom.levels import level_of
    from sdq_imaging.dicom.conditions import Object, evaluate

    level = level_of(Dataset())
    for expression in conditions["expressions"]:
        assert evaluate(expression, level, Object("ct-image", level)) in (True, False, None)
    for iod, macros in conditions["macros"].items():
        assert iod in dicom_tables.iods()
        assert {usage for usage, _, _ in macros.values()} <= {"M", "C", "U"}


def test_the_conditions_name_their_edition(conditions):
    assert "2020" in conditions["source"]["standard"]
    assert len(conditions["source"]["wheel_sha256"]) == 64
