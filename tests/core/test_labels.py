"""Label tables: joined by path, every problem a finding, nothing leaves the folder."""

from pathlib import Path

import pytest

from sdq_core.description import Description, DescriptionTable, Item
from sdq_core.errors import StudyError
from sdq_core.labels import join, read_labels
from sdq_core.vocabulary import Role


def table(*ids, **attributes):
    items = [Item(i, (Path(i),), attributes=attributes) for i in ids]
    return DescriptionTable(items, [Description()] * len(items), "synthetic")


def labels(folder, text):
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return read_labels(path)


def rules(findings):
    return sorted(f.rule for f in findings)


def test_join_gives_subjects_classes_and_attributes(tmp_path):
    found = labels(tmp_path, "item,subject,class,sex\na.png,s1,x,F\nb.png,s1,y,\n")
    cohort, findings = join(table("a.png", "b.png"), Role.SYNTHETIC, tmp_path, found)
    assert cohort.subjects.tolist() == ["s1", "s1"]
    assert cohort.classes.tolist() == ["x", "y"]
    assert cohort.attributes["sex"].tolist() == ["F", ""]
    assert findings == ()


def test_item_paths_are_relative_to_the_tables_folder(tmp_path):
    (tmp_path / "images").mkdir()
    found = labels(tmp_path, "item,class\nimages/a.png,x\n")
    cohort, findings = join(table("a.png"), Role.TRAIN, tmp_path / "images", found)
    assert cohort.classes.tolist() == ["x"]
    assert findings == ()


def test_unknown_items_and_missing_labels_are_findings_and_the_rest_goes_on(tmp_path):
    found = labels(tmp_path, "item,class\na.png,x\nghost.png,y\n")
    cohort, findings = join(table("a.png", "b.png"), Role.TRAIN, tmp_path, found)
    assert rules(findings) == ["core.labels.missing", "core.labels.unknown_item"]
    assert cohort.classes.tolist() == ["x", ""]


def test_rows_that_leave_the_folder_or_stand_twice_are_left_out(tmp_path):
    found = labels(tmp_path, "item,class\n../a.png,x\n/etc/passwd,x\nb.png,x\nb.png,y\n")
    assert rules(found.findings) == [
        "core.labels.item_twice",
        "core.labels.path_outside",
        "core.labels.path_outside",
    ]
    assert found.rows["b.png"]["class"] == "x"


def test_an_item_without_subject_is_its_own(tmp_path):
    found = labels(tmp_path, "item,subject\na.png,s1\nb.png,\n")
    cohort, _ = join(table("a.png", "b.png"), Role.TRAIN, tmp_path, found)
    assert cohort.subjects.tolist() == ["s1", "train:b.png"]


def test_without_a_table_the_containers_own_attributes_count(tmp_path):
    cohort, findings = join(table("s.npz#0", **{"class": "3"}), Role.TRAIN, tmp_path, None)
    assert cohort.classes.tolist() == ["3"]
    assert cohort.subjects is None
    assert findings == ()


def test_the_order_of_the_rows_does_not_matter(tmp_path):
    one = labels(tmp_path, "item,class\na.png,x\nb.png,y\n")
    cohort, _ = join(table("a.png", "b.png"), Role.TRAIN, tmp_path, one)
    two = labels(tmp_path, "class,item\ny,b.png\nx,a.png\n")
    other, _ = join(table("a.png", "b.png"), Role.TRAIN, tmp_path, two)
    assert cohort.classes.tolist() == other.classes.tolist()


def test_a_part_takes_the_row_of_its_file_when_it_has_none_of_its_own(tmp_path):
    found = labels(
        tmp_path,
        "item,class,subject\nrec.hea,x,s1\nrec.hea#t=10-20,y,s1\ns.npz#3,z,\ns.npz,w,\n",
    )
    made = table("rec.hea#t=0-10", "rec.hea#t=10-20", "s.npz#3,t=0-5", "s.npz#4", subject="inside")
    cohort, findings = join(made, Role.TRAIN, tmp_path, found)
    assert cohort.classes.tolist() == ["x", "y", "z", "w"]
    assert cohort.subjects.tolist() == ["s1", "s1", "inside", "inside"]
    assert findings == ()


def test_a_part_takes_the_row_of_its_file_relative_to_the_tables_folder(tmp_path):
    (tmp_path / "ecg").mkdir()
    found = labels(tmp_path, "item,class\necg/rec.hea,x\n")
    cohort, findings = join(table("rec.hea#t=0-10"), Role.TRAIN, tmp_path / "ecg", found)
    assert cohort.classes.tolist() == ["x"]
    assert findings == ()


@pytest.mark.parametrize("text", ["name,class\na.png,x\n", ""])
def test_a_table_without_item_is_refused(tmp_path, text):
    with pytest.raises(StudyError, match="item"):
        labels(tmp_path, text)


def test_a_table_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(StudyError, match="cannot be read"):
        read_labels(tmp_path / "none.csv")
    (tmp_path / "bad.csv").write_bytes(b"item\n\xff\xff")
    with pytest.raises(StudyError, match="cannot be read"):
        read_labels(tmp_path / "bad.csv")
    (tmp_path / "bad.parquet").write_bytes(b"not parquet")
    with pytest.raises(StudyError, match="cannot be read"):
        read_labels(tmp_path / "bad.parquet")


def test_parquet_equals_csv(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"item": ["a.png"], "class": ["x"]}), tmp_path / "labels.parquet")
    found = read_labels(tmp_path / "labels.parquet")
    assert found.rows == labels(tmp_path, "item,class\na.png,x\n").rows
