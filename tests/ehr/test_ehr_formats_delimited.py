"""Delimited files: encodings, delimiters, ragged lines, quotation marks, size."""

import csv
import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdq_core.errors import UnreadableItem
from sdq_ehr.formats import delimited


def read(folder, data, name="t.csv", **how):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    raw = delimited.read(path, **how)
    rules = [(f.rule.removeprefix("ehr.structure."), f.where) for f in raw.findings]
    return raw.table.to_pydict(), rules


TEXT = "编号,姓名\n1,张三\n2,李四\n"
COLUMNS = {"编号": ["1", "2"], "姓名": ["张三", "李四"]}


@pytest.mark.parametrize(
    ("encoding", "rules"),
    [
        ("utf-8", []),
        ("utf-8-sig", []),
        ("utf-16", []),
        ("utf-16-le", ["encoding_guessed"]),
        ("gb18030", ["encoding_guessed"]),
    ],
)
def test_encodings(tmp_path, encoding, rules) -> None:
    text = TEXT if encoding != "utf-16-le" else "id,name_of_something\n1,x\n2,y\n"
    found, given = read(tmp_path, text.encode(encoding))
    assert [r for r, _ in given] == rules
    if encoding != "utf-16-le":
        assert found == COLUMNS
    else:
        assert found == {"id": ["1", "2"], "name_of_something": ["x", "y"]}


def test_stated_encoding(tmp_path) -> None:
    assert read(tmp_path, TEXT.encode("gb18030"), encoding="gb18030") == (COLUMNS, [])
    _, rules = read(tmp_path, TEXT.encode("gb18030"), encoding="utf-8")
    assert "encoding_unknown" in [r for r, _ in rules]
    _, rules = read(tmp_path, b"a,b\n1,\x81\xff\xff\n")
    assert ("encoding_unknown", "t.csv") in rules


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_delimiters(tmp_path, sign) -> None:
    rows = [["id", "value"], ["1", "2,5" if sign != "," else "2"], ["3", "4"]]
    text = "\r\n".join(sign.join(r) for r in rows) + "\r\n"
    found, rules = read(tmp_path, text)
    assert list(found) == ["id", "value"]
    assert found["id"] == ["1", "3"]
    assert [r for r, _ in rules] == ([] if sign == "," else ["delimiter_guessed"])
    assert read(tmp_path, text.replace(sign, "\t"), "t.tsv")[1] == []


def test_ragged_lines_are_named_and_the_rest_is_read(tmp_path) -> None:
    text = 'a,b\n1,2\n3\n"x\ny",4\n5,6,7\n\n8,9\n'
    found, rules = read(tmp_path, text)
    assert found == {"a": ["1", "x\ny", "8"], "b": ["2", "4", "9"]}
    # A cell that holds a line break moves the lines behind it.
    assert rules == [("ragged_row", "t.csv, line 3"), ("ragged_row", "t.csv, line 6")]
    _, rules = read(tmp_path, "a,b\n" + "1,2\n" * 50 + "1\n" * 30)
    assert len(rules) == 21
    assert rules[-1] == ("ragged_rows", "t.csv, 10 lines")


def test_row_names(tmp_path) -> None:
    found, rules = read(tmp_path, "a,b\nx,1,2\ny,3,4\n")
    assert found == {"column 1": ["x", "y"], "a": ["1", "3"], "b": ["2", "4"]}
    assert [r for r, _ in rules] == ["row_names"]


def test_open_quotation_mark(tmp_path) -> None:
    found, rules = read(tmp_path, 'a,b\n1,"2\n3,4\n5,6\n')
    assert found["a"] == ["1", "3", "5"]
    assert ("quote_open", "t.csv") in rules
    # An inch mark inside a cell is none.
    assert read(tmp_path, 'a,b\n5" x,2\n7,8\n') == ({"a": ['5" x', "7"], "b": ["2", "8"]}, [])


def test_names(tmp_path) -> None:
    found, rules = read(tmp_path, "a,a,,a\n1,2,3,4\n")
    assert list(found) == ["a", "a.2", "column 3", "a.3"]
    assert rules == [
        ("duplicate_column", "t.csv, column 2"),
        ("duplicate_column", "t.csv, column 4"),
    ]


def test_header_only_one_column_ten_thousand_columns(tmp_path) -> None:
    assert read(tmp_path, "a,b\n") == ({"a": [], "b": []}, [("header_only", "t.csv")])
    assert read(tmp_path, "a\n1\n2\n") == ({"a": ["1", "2"]}, [])
    names = [f"c{k}" for k in range(10_000)]
    found, rules = read(tmp_path, ",".join(names) + "\n" + ",".join("1" * 10_000) + "\n")
    assert (len(found), rules) == (10_000, [])


@pytest.mark.parametrize(
    ("data", "rule"),
    [(b"", "empty_file"), (b"\n\n", "empty_file"), (b"\xef\xbb\xbf", "empty_file"),
     (bytes(range(256)) * 4, "not_a_table")],
)  # fmt: skip
def test_no_table(tmp_path, data, rule) -> None:
    with pytest.raises(UnreadableItem) as caught:
        read(tmp_path, data)
    assert caught.value.rule == f"ehr.structure.{rule}"
    with pytest.raises(UnreadableItem, match="cannot be opened"):
        delimited.read(tmp_path / "none.csv")


def test_gzip_and_a_cut_gzip(tmp_path) -> None:
    packed = gzip.compress(TEXT.encode())
    assert read(tmp_path, packed, "t.csv.gz") == (COLUMNS, [])
    with pytest.raises(UnreadableItem):
        read(tmp_path, packed[:-12], "t.csv.gz")


def test_blocks_that_have_to_grow(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK", 64)
    long = "x" * 5000
    rows = [(str(k), long if k == 40 else "y") for k in range(80)]
    text = "a,b\n" + "".join(f"{a},{b}\n" for a, b in rows)
    found, rules = read(tmp_path, text)
    assert found == {"a": [a for a, _ in rows], "b": [b for _, b in rows]}
    assert rules == []


cells = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=8
)


@settings(max_examples=60)
@given(st.lists(st.tuples(cells, cells, cells), max_size=6), st.sampled_from(",;\t|"))
def test_what_the_standard_library_writes_is_read(tmp_path_factory, rows, sign) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=sign, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b", "c"), *rows])
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    raw = delimited.read(path, delimiter=sign)
    assert list(zip(*raw.table.to_pydict().values(), strict=True)) == rows
    streamed = [r for b in delimited.iter_batches(delimited.layout(path, delimiter=sign))
                for r in b.to_pylist()]  # fmt: skip
    assert streamed == raw.table.to_pylist()
