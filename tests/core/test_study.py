"""study.yaml: what is accepted, and how it is refused."""

from pathlib import Path

import pytest

from sdq_core.errors import StudyError, UsageError
from sdq_core.study import load_study, study_from_options
from sdq_core.vocabulary import Role

GOOD = """\
schema: sdq.study/1
name: a study
modality: imaging
cohorts:
  train: {path: train, labels: train/labels.csv}
  synthetic: {path: synthetic}
classes: [0, 1]
seed: 7
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_resolve_beside_the_file(tmp_path):
    study = load_study(write(tmp_path, GOOD))
    assert study.cohorts[Role.TRAIN].path == tmp_path / "train"
    assert study.cohorts[Role.TRAIN].labels == tmp_path / "train/labels.csv"
    assert study.classes == ("0", "1"), "classes are compared as text"


@pytest.mark.parametrize(
    ("change", "key", "line"),
    [
        ("seed: 7\nsead: 8\n", "sead", 9),
        ("seed: -1\n", "seed", 8),
        ("seed: many\n", "seed", 8),
        ("seed: 7\npurpose:\n  target_auc: 3\n", "purpose.target_auc", 10),
        ("seed: 7\npurpose:\n  intended_distribution: {a: 0.5, b: 0.4}\n", "sum to 1", 10),
        ("seed: 7\ncohorts:\n  train: {path: x}\n", "cohorts", 9),
    ],
)
def test_an_error_names_the_key_and_the_line(tmp_path, change, key, line):
    with pytest.raises(StudyError) as caught:
        load_study(write(tmp_path, GOOD.replace("seed: 7\n", change)))
    assert key in str(caught.value)
    assert f"line {line}" in str(caught.value)


def test_every_error_is_listed_at_once(tmp_path):
    with pytest.raises(StudyError) as caught:
        load_study(write(tmp_path, GOOD.replace("seed: 7", "seed: -1\nsead: 8\nnaem: x")))
    assert len(str(caught.value).splitlines()) == 3


def test_a_missing_cohort_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"cohorts\.synthetic is missing"):
        load_study(write(tmp_path, GOOD.replace("  synthetic: {path: synthetic}\n", "")))


def test_a_relative_path_may_not_leave_the_folder(tmp_path):
    with pytest.raises(StudyError, match="leaves the study folder"):
        load_study(write(tmp_path, GOOD.replace("path: synthetic", "path: ../elsewhere")))


def test_an_absolute_path_is_the_users_own_choice(tmp_path):
    study = load_study(write(tmp_path, GOOD.replace("path: synthetic", f"path: {tmp_path}")))
    assert study.cohorts[Role.SYNTHETIC].path == tmp_path


@pytest.mark.parametrize("text", ["[1, 2", "just text", "", "- a\n- b\n", "a: 1\na: 2\n"])
def test_what_is_no_study_is_refused(tmp_path, text):
    with pytest.raises(StudyError):
        load_study(write(tmp_path, text))


def test_a_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(StudyError, match="cannot be read"):
        load_study(tmp_path / "none.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(StudyError, match="cannot be read"):
        load_study(tmp_path / "b.yaml")


def test_yaml_cannot_run_code(tmp_path):
    with pytest.raises(StudyError):
        load_study(write(tmp_path, "name: !!python/object/apply:os.system ['true']\n"))


def test_options_make_a_study(tmp_path):
    study = study_from_options(
        None,
        {"modality": "imaging", "seed": 3},
        {"train": tmp_path / "a", "synthetic": tmp_path / "b"},
        ["train=a.csv"],
    )
    assert study.seed == 3
    assert study.cohorts[Role.TRAIN].labels == Path("a.csv")
    assert study.cohorts[Role.SYNTHETIC].labels is None


def test_options_override_a_file(tmp_path):
    base = load_study(write(tmp_path, GOOD))
    study = study_from_options(base, {"seed": 9}, {"synthetic": Path("other")}, [])
    assert study.seed == 9
    assert study.cohorts[Role.SYNTHETIC].path == Path("other")
    assert study.cohorts[Role.TRAIN].path == tmp_path / "train"


def test_wrong_options_are_refused():
    with pytest.raises(UsageError, match="--modality"):
        study_from_options(None, {}, {"train": Path("a"), "synthetic": Path("b")}, [])
    with pytest.raises(UsageError, match="holdout"):
        study_from_options(
            None, {"modality": "imaging"}, {"train": Path("a")}, ["holdout=labels.csv"]
        )
