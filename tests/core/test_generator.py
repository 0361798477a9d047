"""The generator's description: what is accepted, how it is refused, what it states."""

import datetime as dt
import json

import pytest
import yaml
from described import complete
from pydantic import BaseModel
from toy import by_key, cohorts

from sdq_core import cli
from sdq_core.characteristics.explainability import Explainability
from sdq_core.errors import StoreError, StudyError
from sdq_core.finding import Finding
from sdq_core.generator import (
    Generator,
    contradictions,
    definitions,
    facts_of,
    generator_of,
    load_generator,
    template,
)
from sdq_core.generator.model import DifferentialPrivacy
from sdq_core.manifest import cohort_digest
from sdq_core.result import Result
from sdq_core.study import load_study
from sdq_core.vocabulary import Role

TODAY = dt.date(2026, 6, 1)
STUDY = """\
schema: sdq.study/1
modality: imaging
cohorts:
  train: {path: train}
  synthetic: {path: synthetic}
"""


def write(folder, text, name="generator.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def result(**study):
    return Result.model_validate(
        {
            "schema": "sdq.result/1",
            "study": study,
            "profile": {},
            "modality": {},
            "cohorts": {"train": {"items": 1, "readable": 1, "subjects": 1, "digest": "cd" * 32}},
            "measurements": [],
            "verdicts": {},
            "findings": {"total": 0},
            "exit_code": 3,
            "environment": {},
        }
    )


def run(*arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.app([str(a) for a in arguments], standalone_mode=True)
    return caught.value.code, capsys.readouterr().out


# --- the table of facts ---------------------------------------------------------------------------


def leaves(model, path=()):
    """Yield the keys of a schema that hold a value of their own."""
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, (*path, name))
        else:
            yield ".".join((*path, name))


def test_every_key_of_the_schema_is_a_fact_and_every_fact_a_key():
    keys = [d.key for d in definitions()]
    assert len(set(keys)) == len(keys)
    assert set(leaves(Generator)) - {"schema_", "compliance"} == set(keys)


def test_a_complete_description_states_everything():
    made = Generator.model_validate(complete())
    assert [f.key for f in made.facts() if f.value is None] == []
    assert isinstance(made.privacy.differential_privacy, DifferentialPrivacy)
    again = Generator.model_validate(json.loads(json.dumps(made.model_dump(mode="json"))))
    assert again == made
    assert again.facts() == made.facts()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_template_loads_and_states_nothing(tmp_path, language):
    text = template(language)
    made = load_generator(write(tmp_path, text))
    assert all(f.value is None for f in made.facts())
    for fact in definitions():
        assert f"[{fact.requirement}]" in text
        assert fact.wanted[language == "zh"] in text


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("algorithm:\n  nmae: x\n", 2, "algorithm.nmae: unknown key"),
        ("algoritm: {}\n", 1, "algoritm: unknown key"),
        ("algorithm:\n  weights_sha256: abc\n", 2, "R-DES-03; Part 6 proposal, synthesis"),
        ("algorithm:\n  version: 1.10\n", 2, "put it in quotes"),
        ("algorithm:\n  family: magic\n", 2, "algorithm.family (R-DES-03"),
        ("training_data:\n  digest: none\n", 2, "as in result.json"),
        ("training_data:\n  items: -1\n", 2, "greater than or equal to 0"),
        ("training_data:\n  items: 3.5\n", 2, "training_data.items"),
        ("privacy:\n  differential_privacy: some\n", 2, "the word none"),
        ("privacy:\n  differential_privacy: {epsilon: 1}\n", 2, "delta (R-DES-07"),
        ("privacy:\n  differential_privacy: {epsilon: .nan, delta: 0}\n", 2, "epsilon"),
        ("dataset:\n  date: 2026-02-31\n", 2, "must be a date"),
        ("dataset:\n  date: 2026-07-01\n", 2, "lies in the future"),
        ("changes:\n  - {date: 2030-01-01}\n", 2, "changes.0.date (R-DES-08"),
        ("conditioning: {fr: classe}\n", 1, "en and zh"),
        ("conditioning: [a]\n", 1, "must be a text"),
        ("algorithm:\n  parameters: {x: .inf}\n", 2, "not finite"),
        ("compliance:\n  WP216-INFERENC: {answer: yes}\n", 2, "is WP216-INFERENCE meant?"),
        ("compliance:\n  WP216-INFERENCE: {answer: maybe}\n", 2, "compliance.WP216-INFERENCE"),
        ("schema: sdq.generator/2\n", 1, "schema"),
        ("lineage: [a.csv]\n", 1, "path of a table"),
        ("labels: a\nlabels: b\n", 2, "stands twice"),
    ],
)
def test_an_error_names_the_key_the_line_and_who_asks(tmp_path, text, line, words):
    with pytest.raises(StudyError) as caught:
        load_generator(write(tmp_path, text), today=TODAY)
    assert words in str(caught.value)
    assert f"line {line}" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "just text",
        "- a\n",
        "a: [1, 2",
        "labels: &a [*a]\n",
        "x: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
            f"x{k}: &b{k} [{', '.join([f'*b{k - 1}' if k else '*a'] * 9)}]\n" for k in range(9)
        ),
        "name: !!python/object/apply:os.system ['true']\n",
        "labels: " + "[" * 2000 + "]" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_description_is_refused_without_harm(tmp_path, text):
    with pytest.raises(StudyError):
        load_generator(write(tmp_path, text))


def test_a_file_that_is_too_large_or_no_text_is_refused(tmp_path):
    with pytest.raises(StudyError, match="larger than"):
        load_generator(write(tmp_path, "labels: a\n#" + "x" * 2**20))
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(StudyError, match="cannot be read"):
        load_generator(tmp_path / "b.yaml")


def test_the_future_is_asked_only_when_a_file_is_loaded(tmp_path):
    """A result stays readable: nothing in it depends on the day on which it is read."""
    stated = complete(dataset__date="2030-01-01")
    with pytest.raises(StudyError, match="future"):
        load_generator(write(tmp_path, yaml.safe_dump(stated)), today=TODAY)
    made = load_generator(write(tmp_path, yaml.safe_dump(stated)), today=dt.date(2031, 1, 1))
    assert generator_of(result(generator=made.model_dump(mode="json"))) == made


def test_today_is_not_the_future(tmp_path):
    text = yaml.safe_dump({"dataset": {"date": dt.datetime.now(dt.UTC).date().isoformat()}})
    assert load_generator(write(tmp_path, text)).dataset.date


def test_words_that_yaml_reads_otherwise_are_taken_as_they_are_meant(tmp_path):
    text = (
        "dataset: {type: train, date: 2026-01-05}\nalgorithm: {weights_sha256: NONE}\n"
        "privacy: {differential_privacy: 无}\nsampling:\nchanges:\nlineage: none\n"
        "compliance: {PIPL-CLAIM: {answer: yes}, PIPL-MINORS: {answer: }}\nlabels: {zh: 标签}\n"
    )
    made = load_generator(write(tmp_path, text), today=TODAY)
    assert (made.dataset.type, made.dataset.date) == (("train",), "2026-01-05")
    assert made.algorithm.weights_sha256 == made.privacy.differential_privacy == "none"
    assert made.compliance["PIPL-CLAIM"].answer == "yes"
    assert made.compliance["PIPL-MINORS"].answer is None
    assert made.labels == {"en": "", "zh": "标签"}


# --- in a study and in a result -------------------------------------------------------------------


def test_a_study_holds_the_description_or_names_its_file(tmp_path):
    stated = complete(lineage="tables/l.csv")
    write(tmp_path, yaml.safe_dump(stated))
    named = load_study(write(tmp_path, STUDY + "generator: generator.yaml\n", "study.yaml"))
    inside = load_study(
        write(tmp_path, STUDY + yaml.safe_dump({"generator": stated}), "inside.yaml")
    )
    assert named.generator == inside.generator == Generator.model_validate(stated)
    for study in (named, inside):
        assert study.cohorts[Role.SYNTHETIC].lineage == tmp_path / "tables/l.csv"
        assert study.model_dump(mode="json", by_alias=True)["generator"]["schema"]


def test_an_error_inside_a_study_names_who_asks(tmp_path):
    path = write(tmp_path, STUDY + "generator:\n  algorithm: {weights_sha256: x, b: 1}\n", "s.yaml")
    with pytest.raises(StudyError) as caught:
        load_study(path)
    first, second = str(caught.value).splitlines()
    assert "line 7: generator.algorithm.weights_sha256 (R-DES-03;" in first
    assert second.endswith("(allowed keys: sdq init generator)")


@pytest.mark.parametrize(
    "text", ["generator: ../g.yaml\n", "generator: {lineage: ../l.csv}\n", "generator: [a]\n"]
)
def test_a_relative_path_may_not_leave_the_folder(tmp_path, text):
    with pytest.raises(StudyError, match=r"leaves the|valid dictionary"):
        load_study(write(tmp_path, STUDY + text, "study.yaml"))


def test_a_result_of_another_schema_is_an_error_and_none_is_none():
    assert generator_of(result()) is generator_of(result(generator=None)) is None
    assert all(f.value is None for f in facts_of(result()))
    with pytest.raises(StoreError, match=r"sdq\.generator/1"):
        generator_of(result(generator={"algorithm": "a text"}))


def test_a_digest_that_is_not_the_training_cohorts_is_visible():
    right = Generator.model_validate(complete())
    wrong = Generator.model_validate(complete(training_data__digest="ef" * 32))
    assert contradictions(right, {Role.TRAIN: "cd" * 32}) == {}
    facts = {f.key: f for f in facts_of(result(generator=wrong.model_dump(mode="json")))}
    assert "cd" * 32 in facts["training_data.digest"].contradicted
    assert "cd" * 32 in facts["training_data.digest"].contradicted_zh
    facts = facts_of(result(generator=right.model_dump(mode="json")))
    assert not any(f.contradicted for f in facts)


def test_a_digest_that_is_not_the_training_cohorts_is_a_finding_and_counts_as_missing():
    made = cohorts()
    digest = cohort_digest(i.digest for i in made.train.table.items)
    found = {}
    for name, stated in (("right", digest), ("wrong", "0" * 64)):
        values = {"generator": complete(training_data__digest=stated)}
        outputs = list(Explainability("imaging").process(cohorts(study_values=values)))
        rules = [o for o in outputs if isinstance(o, Finding)]
        found[name] = (by_key(outputs)["imaging.explainability.process_traceability"], rules)
    measured, rules = found["right"]
    assert (measured.value, rules) == (1.0, [])
    measured, rules = found["wrong"]
    assert measured.value == pytest.approx(47 / 48)
    assert measured.details["refuted"] == ["training_data.digest"]
    assert [(r.rule, str(r.severity), r.role) for r in rules] == [
        ("imaging.lineage.training_digest", "error", "train")
    ]
    assert digest in rules[0].message


# --- the command line -----------------------------------------------------------------------------


def test_init_writes_a_template_that_check_finds_incomplete(tmp_path, capsys):
    path = tmp_path / "g.yaml"
    code, said = run("init", "generator", "--language", "zh", "-o", path, capsys=capsys)
    assert code == 0
    assert "sdq check" in said
    assert path.read_text(encoding="utf-8") == template("zh")
    code, said = run("check", path, capsys=capsys)
    assert code == 1
    assert "48 of 48 facts are not provided" in said
    for fact in definitions():
        assert f"  {fact.key}  {fact.label[0]}: {fact.wanted[0]}" in said
    assert "R-DES-03" in said
    assert "Part 6 proposal, synthesis description" in said
    assert "[CMDE guideline No. 8 of 2022" in said, "what was not read is in brackets"


def test_check_says_complete_missing_and_invalid_by_its_exit_code(tmp_path, capsys):
    path = write(tmp_path, yaml.safe_dump(complete()))
    code, said = run("check", path, capsys=capsys)
    assert code == 0
    assert "complete" in said
    path = write(tmp_path, yaml.safe_dump(complete(training_data__ethics=None)))
    code, said = run("check", path, "--language", "zh", capsys=capsys)
    assert code == 1
    assert "training_data.ethics  伦理" in said
    assert "R-PRI-01" in said
    assert "algorithm.name" not in said
    write(tmp_path, "algorithm: {nmae: x}\n")
    with pytest.raises(StudyError):
        cli.app(["check", str(path)], standalone_mode=False)


@pytest.mark.parametrize("arguments", [["init", "generator", "data"], ["init", "x", "--language",
                                                                       "zh"]])  # fmt: skip
def test_init_refuses_what_has_no_meaning(arguments):
    from sdq_core.errors import UsageError

    with pytest.raises(UsageError):
        cli.app(arguments, standalone_mode=False)
