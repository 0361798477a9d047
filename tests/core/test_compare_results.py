"""Two results: what changed beyond its interval. Several: ranked only where intervals allow."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_result import NASTY, criterion, interval, measurement, sample_result
from typer.testing import CliRunner

from sdq_core.cli import app
from sdq_core.comparing.changes import FailOn, Missing, Outcome, VerdictChange, compare_two
from sdq_core.comparing.comparable import Entry, entries
from sdq_core.comparing.markdown import escaped, markdown
from sdq_core.comparing.page import comparison_page
from sdq_core.comparing.ranking import side_by_side
from sdq_core.documents.page import write_html
from sdq_core.errors import UsageError
from sdq_core.result import load_result, save_result
from sdq_core.statistics.interval_differences import Estimate, difference, rank_ranges

VERDICTS = {"fidelity": "pass", "privacy": "inconclusive"}


def number(name, value, half=None, *, verdict=None, mandatory=True, better="lower", **more):
    """A measurement with a symmetric interval, or an exact one."""
    ci = None if half is None else interval(value - half, value + half)
    rule = None if verdict is None else criterion(high=1.0, mandatory=mandatory, at_most=1.0)
    return measurement(name, value, ci=ci, rule=rule, verdict=verdict, better=better, **more)


@pytest.fixture
def result(tmp_path):
    def made(*measurements, name="a", **changes):
        given = {"measurements": list(measurements), "verdicts": VERDICTS, "gallery": []}
        folder = tmp_path / f"{name}-files"
        folder.mkdir(exist_ok=True)
        return Entry(name, sample_result(folder, **{**given, **changes}))

    return made


def compared(result, before, after, **options):
    return compare_two(result(*before), result(*after, name="b"), **options)


def test_equal_results_have_no_changes(result):
    rows = [number("fidelity.mmd", 0.1, 0.02, verdict="pass"), number("balance.items", 300.0)]
    found = compared(result, rows, rows)
    assert [c.outcome for c in found.changes] == [Outcome.ALIKE] * 2
    assert not any(c.notable for c in found.changes)
    assert found.mismatches == ()
    assert found.exit_code() == 0


@pytest.mark.parametrize(
    ("better", "outcome"), [("lower", Outcome.WORSE), ("higher", Outcome.BETTER)]
)
def test_a_change_beyond_the_interval_has_the_direction_of_the_measure(result, better, outcome):
    one, two = (number("fidelity.x", v, 0.02, better=better) for v in (0.1, 0.3))
    found = compared(result, [one], [two])
    assert found.changes[0].outcome is outcome
    assert found.exit_code() == (outcome is Outcome.WORSE)
    assert found.exit_code(FailOn.VERDICT) == found.exit_code(FailOn.NEVER) == 0
    assert compared(result, [two], [one]).changes[0].outcome is not outcome


def test_the_difference_is_that_of_the_normal_theory_and_of_newcombe():
    # Two means with standard errors 3 and 4: the difference has 5, and z = 10 / 5.
    z = 1.959963984540054
    found = difference(Estimate(20, 20 - 3 * z, 20 + 3 * z), Estimate(30, 30 - 4 * z, 30 + 4 * z))
    assert (found.low, found.high) == pytest.approx((10 - 5 * z, 10 + 5 * z))
    assert found.p == pytest.approx(0.0455002638963584, rel=1e-9)  # 2 (1 - Phi(2))
    # Newcombe 1998, table II, example (a), method 10: 56/70 - 48/80 = 0.2, 0.0524 to 0.3339.
    wilson = {(56, 70): (0.6918, 0.8769), (48, 80): (0.4904, 0.7001)}
    two, one = (Estimate(k / n, *ends) for (k, n), ends in wilson.items())
    found = difference(one, two)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=2e-4)
    # An interval of another level counts as wide as one of 95 %.
    narrow = 0.6744897501960817  # 50 %
    half = Estimate(20, 20 - 3 * narrow, 20 + 3 * narrow, 0.5)
    assert difference(half, half).high == pytest.approx(3 * z * np.sqrt(2))


def test_many_measures_are_corrected_together(result):
    # p = 0.0047 alone; Holm over 20 makes it 0.094.
    one, two = (number("fidelity.x", v, 0.1) for v in (0.0, 0.2))
    assert compared(result, [one], [two]).changes[0].outcome is Outcome.WORSE
    rest = [number(f"fidelity.y{k}", 1.0, 0.1) for k in range(19)]
    found = compared(result, [one, *rest], [two, *rest])
    assert found.changes[0].outcome is Outcome.ALIKE
    assert found.tested == 20
    assert found.changes[0].p_holm == pytest.approx(20 * found.changes[0].difference.p)


@pytest.mark.parametrize(("sign", "most"), [(1, 0.05), (-1, 0.17)])
def test_false_alarms_with_a_shared_real_cohort(sign, most):
    """Generators that deviate alike, and in opposite ways, by the same amount."""
    rng = np.random.default_rng(0)
    n = 4000
    real, one, two = rng.normal(size=(3, n))
    half = 1.959963984540054 * np.sqrt(2)
    first, second = 10 + one - real, 10 + two - sign * real  # distances |mean - real|
    alarms = sum(
        difference(Estimate(a, a - half, a + half), Estimate(b, b - half, b + half)).p <= 0.05
        for a, b in zip(first, second, strict=True)
    )
    assert alarms / n <= most


def test_measures_with_an_ideal_are_compared_by_their_distance_from_it(result):
    floor = interval(0.4, 0.6, centre=0.5)

    def auc(value):
        return number("privacy.auc", value, 0.05, better="closer", floor=floor)

    assert compared(result, [auc(0.52)], [auc(0.8)]).changes[0].outcome is Outcome.WORSE
    assert compared(result, [auc(0.2)], [auc(0.48)]).changes[0].outcome is Outcome.BETTER
    assert compared(result, [auc(0.3)], [auc(0.7)]).changes[0].outcome is Outcome.ALIKE
    without = number("privacy.auc", 0.8, 0.05, better="closer")
    before = number("privacy.auc", 0.5, 0.05, better="closer")
    assert compared(result, [before], [without]).changes[0].outcome is Outcome.CHANGED


def test_numbers_without_interval_are_exact_and_not_tested(result):
    found = compared(
        result,
        [number("balance.items", 300.0, better="higher"), number("fidelity.n", 1.0, better=None)],
        [number("balance.items", 299.0, better="higher"), number("fidelity.n", 2.0, better=None)],
    )
    assert [c.outcome for c in found.changes] == [Outcome.WORSE, Outcome.CHANGED]
    assert found.tested == 0


def test_what_has_no_value_or_another_method_is_not_compared(result):
    none = measurement("utility.auc", reason="no labels", reason_zh="无标签")
    some = number("utility.auc", 0.9, 0.01)
    for before, after, missing in (
        ([none], [some], Missing.BEFORE),
        ([some], [none], Missing.AFTER),
        ([none], [none], Missing.BOTH),
        ([], [some], Missing.BEFORE),
        ([some], [{**some, "unit": "share"}], Missing.METHOD),
        ([some], [{**some, "method": {**some["method"], "name": "another"}}], Missing.METHOD),
    ):
        change = compared(result, before, after).changes[0]
        assert (change.outcome, change.missing) == (Outcome.NOT_COMPARED, missing)


@pytest.mark.parametrize(
    ("one", "two", "turned"),
    [
        ("pass", "inconclusive", VerdictChange.WORSE),
        ("inconclusive", "fail", VerdictChange.WORSE),
        ("pass", "not_assessed", VerdictChange.WORSE),
        ("fail", "not_assessed", VerdictChange.WORSE),
        ("not_assessed", "fail", VerdictChange.WORSE),
        ("fail", "inconclusive", VerdictChange.BETTER),
        ("not_assessed", "pass", VerdictChange.BETTER),
        ("fail", "fail", VerdictChange.SAME),
    ],
)
def test_verdicts_that_worsen_fail_by_themselves(result, one, two, turned):
    rows = [[number("fidelity.x", 0.5, 0.1, verdict=v)] for v in (one, two)]
    found = compared(result, *rows)
    assert found.changes[0].outcome is Outcome.ALIKE
    assert found.changes[0].verdict is turned
    worse = turned is VerdictChange.WORSE
    assert found.exit_code(FailOn.VERDICT) == found.exit_code() == worse
    assert found.exit_code(FailOn.NEVER) == 0


def test_an_optional_measure_counts_when_it_fails(result):
    for verdict, expected in (("inconclusive", 0), ("fail", 1)):
        rows = [
            [number("fidelity.x", 0.5, 0.1, verdict=v, mandatory=False)] for v in ("pass", verdict)
        ]
        assert compared(result, *rows).exit_code() == expected


def test_a_characteristic_that_worsens_counts(result):
    before = result()
    after = result(name="b", verdicts={**VERDICTS, "privacy": "fail"})
    found = compare_two(before, after)
    assert [str(c) for c in found.worse_verdicts] == ["privacy"]
    assert found.exit_code(FailOn.VERDICT) == 1


def cohorts(entry, role, **changes):
    found = entry.result.model_dump(mode="json")["cohorts"]
    return {**found, role: {**found[role], **changes}}


def test_results_that_differ_in_more_than_the_synthetic_data_are_refused(result):
    row = number("fidelity.x", 0.5, 0.1, verdict="pass")
    before = result(row)
    other_rule = {**row, "criterion": {**row["criterion"], "rule": {"at_most": 2.0}}}
    study = before.result.study
    for key, changes in (
        ("modality", {"modality": {**before.result.modality, "name": "signals"}}),
        ("describer version", {"modality": {**before.result.modality, "describer_version": "99"}}),
        ("real cohort train", {"cohorts": cohorts(before, "train", digest="f" * 64)}),
        ("profile", {"profile": {**before.result.profile, "version": "99"}}),
        ("criteria", {"measurements": [other_rule]}),
        ("study: settings", {"study": {**study, "settings": {"max_pixels": 9}}}),
        ("study: classes", {"study": {**study, "classes": ["z"]}}),
    ):
        after = result(row, name="b", **changes)
        with pytest.raises(UsageError, match="cannot be compared") as caught:
            compare_two(before, after)
        assert f"{key}:" in str(caught.value)
        found = compare_two(before, after, anyway=True)
        assert any(m.key == key and m.blocks for m in found.mismatches)
        with pytest.raises(UsageError, match="cannot be compared"):
            side_by_side([before, before, after])


def test_another_seed_or_version_is_said_and_no_obstacle(result):
    before = result(number("fidelity.x", 0.5, 0.1))
    environment = {**before.result.environment, "packages": {"sdq": "9.9"}}
    after = result(
        number("fidelity.x", 0.5, 0.1), name="b",
        study={**before.result.study, "seed": 77}, environment=environment,
        cohorts=cohorts(before, "synthetic", digest="e" * 64),
    )  # fmt: skip
    found = compare_two(before, after)
    assert {m.key for m in found.mismatches} == {"study: seed", "sdq"}


# --- ranks ----------------------------------------------------------------------------------------


def test_ranks_are_ranges_and_ties_stay_ties(result):
    values = {"a": 0.1, "b": 0.12, "c": 0.5, "d": 0.9}
    given = [
        result(
            number("fidelity.x", v, 0.05),
            number("fidelity.y", -v, 0.05, better="higher"),
            number("fidelity.none", v, 0.05, better=None),
            name=name,
        )
        for name, v in values.items()
    ]
    found = side_by_side(given)
    expected = ((1, 2), (1, 2), (3, 3), (4, 4))
    assert [m.ranks for m in found.measures] == [expected, expected, (None,) * 4]
    assert [m.told_apart for m in found.measures] == [True, True, False]
    assert found.pairs == 12


def test_ranks_leave_out_who_has_no_value(result):
    none = measurement("fidelity.x", reason="no holdout", reason_zh="无留出集")
    rows = [number("fidelity.x", 0.1, 0.01), none, number("fidelity.x", 0.9, 0.01)]
    given = [result(row, name=f"g{k}") for k, row in enumerate(rows)]
    assert side_by_side(given).measures[0].ranks == ((1, 1), None, (2, 2))


def test_ranges_hold_all_true_ranks_together():
    rng = np.random.default_rng(0)
    truth = np.array([[0.0, 0.0, 1.0, 3.0], [2.0, 1.0, 0.5, 0.0]])
    half = 1.959963984540054 * 0.3
    missed = 0
    for _ in range(400):
        seen = truth + 0.3 * rng.normal(size=truth.shape)
        rows = [[Estimate(v, v - half, v + half) for v in row] for row in seen]
        ranges = rank_ranges(rows, ["lower"] * 2, [None] * 2)
        lowest = (truth[:, None, :] < truth[:, :, None]).sum(2) + 1
        highest = (truth[:, None, :] <= truth[:, :, None]).sum(2)
        # A tie has every rank of its group; a range must hold at least one of them.
        missed += not all(
            low <= highest[k, i] and high >= lowest[k, i]
            for k, row in enumerate(ranges)
            for i, (low, high) in enumerate(row)
        )
    assert missed / 400 <= 0.05


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 2)), min_size=2, max_size=6),
    st.sampled_from(["lower", "higher"]),
    st.randoms(),
)
def test_ranges_do_not_depend_on_the_order_of_the_generators(values, better, random):
    rows = [Estimate(v, v - h, v + h) for v, h in values]
    found = rank_ranges([rows], [better], [None])[0]
    order = list(range(len(rows)))
    random.shuffle(order)
    again = rank_ranges([[rows[k] for k in order]], [better], [None])[0]
    assert again == [found[k] for k in order]
    assert all(1 <= low <= high <= len(rows) for low, high in found)


# --- what people and programs read ----------------------------------------------------------------


@pytest.fixture
def saved(result, tmp_path):
    """Three results in folders: the second is worse than the first, the third like it."""
    paths = []
    for name, value in (("one", 0.1), ("two", 0.5), ("three", 0.11)):
        verdict = "fail" if value == 0.5 else "pass"
        entry = result(
            number("fidelity.mmd", value, 0.05, verdict=verdict, variant=NASTY),
            number("privacy.share", 0.01, 0.01, unit="share"),
            measurement("utility.auc", reason="no labels", reason_zh="无标签"),
            name=name,
            study={"name": name, "modality": "imaging", "seed": 0},
            verdicts={**VERDICTS, "fidelity": verdict},
        )
        path = tmp_path / name / "result.json"
        save_result(entry.result, path)
        paths.append(path)
    return paths


def run(*arguments):
    return CliRunner().invoke(app, ["compare", *map(str, arguments)], env={"COLUMNS": "160"})


def test_the_command_says_by_its_exit_code_whether_something_got_worse(saved):
    one, two, three = saved
    done = run(one, two)
    assert done.exit_code == 1
    assert "pass → fail" in done.stdout
    assert "1 measures worse" in done.stdout
    assert run(two, one).exit_code == 0
    assert run(one, three.parent).exit_code == 0
    assert run(one, two, "--fail-on", "never").exit_code == 0
    assert run(one, two, "--fail-on", "verdict").exit_code == 1


def test_unusable_results_and_options_are_errors(saved, tmp_path):
    one, two, three = saved
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    for arguments, said in (
        ([one], "give at least two"),
        ([one, broken], "has schema None"),
        ([one, tmp_path / "absent"], "cannot be read"),
        ([one, two, "--fail-on", "x"], "is none of interval"),
        ([one, two, "--json", "--markdown"], "give one of them"),
        ([one, two, three], "give -o compare.html"),
        ([one, two, three, "--markdown"], "compares two results"),
    ):
        done = run(*arguments)
        assert said in str(done.exception), done.output
        assert done.exit_code == 1  # `main` makes 2 of these errors
        assert type(done.exception).__module__ == "sdq_core.errors"


def test_names_come_from_studies_else_from_folders(saved):
    assert [e.name for e in entries(saved)] == ["one", "two", "three"]
    for path in saved:
        result = load_result(path)
        save_result(result.model_copy(update={"study": {**result.study, "name": "x"}}), path)
    assert [e.name for e in entries(saved)] == ["one", "two", "three"]
    assert [e.name for e in entries([saved[0], saved[0]])] == ["1", "2"]


def test_json_is_whole_and_the_same_every_time(saved):
    one, two, three = saved
    done = run(one, two, "--json")
    found = json.loads(done.stdout)
    assert found["schema"] == "sdq.comparison/1"
    assert found["exit_code"] == done.exit_code == 1
    change = found["changes"][0]
    assert change["outcome"] == "worse"
    assert change["difference"]["value"] == pytest.approx(0.4)
    assert change["variant"] == NASTY
    assert run(one, two, "--json").stdout == done.stdout
    several = json.loads(run(one, two, three, "--json").stdout)
    ranks = [g["rank"] for g in several["measures"][0]["generators"]]
    assert ranks == [[1, 2], [3, 3], [1, 2]]
    assert str(one.parent.parent) not in done.stdout


def test_markdown_holds_its_table_whatever_names_the_data_have(saved):
    done = run(saved[0], saved[1], "--markdown")
    assert done.exit_code == 1
    tables = [line for line in done.stdout.splitlines() if line.startswith("|")]
    cells = {len(line.replace("\\|", "").split("|")) for line in tables if "Vendi" not in line}
    assert cells == {5, 8}
    assert "<script" not in done.stdout.replace("\\<script", "")
    assert escaped("#1 @all | `x`") == "\\#1 \\@all \\| \\`x\\`"
    for language in ("en", "zh"):
        said = markdown(compare_two(*entries(saved[:2])), language)
        assert ("worse" in said) is (language == "en")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_self_contained_escaped_and_in_its_language(saved, language):
    found = side_by_side(entries(saved))
    page = write_html(comparison_page(found, language))
    assert page == write_html(comparison_page(found, language))
    words = page.decode()
    assert "<script" not in words
    assert "http" not in words.replace("http-equiv", "")
    assert ("[rank 1 to 2]" in words) is (language == "en")
    assert ("第 1 至 2 名" in words) is (language == "zh")
    assert words.count("figure-generators") == 2
    assert "doi:10.1093/restud/rdad006" in words


def test_the_page_is_written_by_the_command(saved, tmp_path):
    done = run(*saved, "-o", tmp_path / "compare.html", "--language", "zh")
    assert done.exit_code == 0, done.output
    assert "生成器比较" in (tmp_path / "compare.html").read_text()
