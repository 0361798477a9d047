"""The report: self-contained, escaped, complete in both languages, and true to the verdicts."""

import ast
import base64
import io
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console
from sample_result import encoded, measurement, png, sample, sample_result
from typer.testing import CliRunner

import sdq_core
import sdq_core.documents
from sdq_core.cli import app
from sdq_core.documents import labels, texts
from sdq_core.documents.console import verdict_table
from sdq_core.documents.report import render_report, write_report
from sdq_core.documents.typography import visible
from sdq_core.errors import StoreError, UsageError
from sdq_core.modality import load_modality
from sdq_core.phrases import PHRASES, in_chinese
from sdq_core.profiles import load_profile
from sdq_core.reasons import REASONS, why
from sdq_core.result import Result, load_result, save_result
from sdq_core.vocabulary import TERMS, Characteristic

VOID = {"meta", "img", "br", "use", "circle", "rect", "path", "polyline", "polygon", "link", "hr"}
CHINESE = re.compile("[\u3400-\u9fff]")


class Page(HTMLParser):
    """The elements of a page, its text by element, and whether every tag is closed in order."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.errors, self.texts = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.errors.append(tag)

    def handle_data(self, data):
        if data.strip():
            self.texts.append((tuple(self.open), " ".join(data.split())))

    def words(self):
        return " ".join(words for where, words in self.texts if "style" not in where)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("result")


@pytest.fixture(scope="module")
def result(folder):
    return sample_result(folder)


@pytest.fixture(scope="module")
def pages(folder, result):
    return {language: render_report(result, folder, language=language) for language in ("en", "zh")}


@pytest.fixture(scope="module")
def parsed(pages):
    return {language: Page(page) for language, page in pages.items()}


@pytest.fixture(params=["en", "zh"])
def language(request):
    return request.param


def small(measurements=(), verdicts=None, **changes):
    """A result of a few measurements."""
    data = sample()
    data.update(measurements=list(measurements), gallery=[], **changes)
    data["verdicts"] = {c.value: "not_assessed" for c in Characteristic} | (verdicts or {})
    return Result.model_validate(data)


# --- one file, no script, no network --------------------------------------------------------------


def test_holds_no_script_and_no_address_outside_itself(language, pages, parsed):
    allowed = {"a": {"href"}, "use": {"href"}, "img": {"src"}}
    for tag, attributes in parsed[language].elements:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form", "image"}
        for key, value in attributes.items():
            assert not key.startswith("on"), (tag, key)
            if key in {"href", "src", "srcset", "xlink:href", "action", "data", "poster"}:
                assert key in allowed[tag]
                assert value.startswith("#" if key == "href" else "data:image/png;base64,")
    style = re.search("<style>(.*?)</style>", pages[language], re.DOTALL)[1]
    assert not re.search(r"url\(|@import|expression|behavior", style)


def test_tells_the_browser_to_fetch_nothing(parsed, language):
    policy = [a for t, a in parsed[language].elements if a.get("http-equiv")]
    assert policy[0]["content"].startswith("default-src 'none'")


def test_is_well_formed_with_unique_ids_and_no_dead_link(language, parsed):
    page = parsed[language]
    assert not page.errors
    assert not page.open
    ids = Counter(a["id"] for _, a in page.elements if "id" in a)
    assert max(ids.values()) == 1
    targets = {a["href"][1:] for _, a in page.elements if "href" in a}
    assert targets <= set(ids)


def test_renders_the_same_bytes_twice(folder, result, pages, language):
    assert render_report(result, folder, language=language) == pages[language]


def test_names_its_language(parsed):
    found = {key: dict(page.elements)["html"]["lang"] for key, page in parsed.items()}
    assert found == {"en": "en", "zh": "zh-CN"}


def test_refuses_another_language(folder, result):
    with pytest.raises(UsageError, match="'fr'"):
        render_report(result, folder, language="fr")


# --- nothing from data acts on the page -----------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>",
    "</title></style></svg><img src=x onerror=alert(1)>",
    "\"'><b onmouseover=x>",
    "{{ 7*7 }}{% if %}{# #}{0}{count}%s",
    "]]>--><!--&lt;&amp;",
    "javascript:alert(1)",
    "url(https://example.org/x);}body{display:none",
    "\u202egnp.exe\u2066\u200b\u00ad\ufeff\x00\x07\x1b[31m\udc80\U000e0041",
    "x" * 3000,
)


def everywhere(data, text):
    """Replace every text of a result that can come from data."""
    free = {"name", "description", "title", "title_zh", "says", "says_zh", "method_zh", "message",
            "message_zh", "reason", "reason_zh", "source", "en", "zh", "why", "why_zh", "item",
            "label", "feature", "direction", "synthetic", "real", "transform", "unit", "aspect",
            "variant", "rule", "version", "digest", "severity", "role", "x_label", "y_label",
            "bands", "distance_unit", "ranking_unit", "note", "extra", "method", "file", "csv",
            "timestamp", "python", "system", "algorithm", "device", "code_"}  # fmt: skip

    def change(value, key=""):
        if isinstance(value, dict):
            inside = {k: change(v, k) for k, v in value.items()}
            if key == "classes":
                return {text: 5, **inside}
            if key == "n" and inside:
                return {text: 5, **inside}
            return {**inside, text: text} if key in {"parameters", "rule"} else inside
        if isinstance(value, list):
            return [change(v, key) for v in value]
        return text if isinstance(value, str) and key in free else value

    return change(data)


@pytest.mark.parametrize("text", HOSTILE)
def test_shows_hostile_text_as_text(tmp_path, text):
    data = sample(nasty=text)
    gallery, roles = data.pop("gallery"), ["severity", "role"]
    changed = everywhere(data, text)
    changed["gallery"] = [{**image, "item": text, "why": text, "why_zh": text} for image in gallery]
    changed["measures"] = {key: everywhere(t, text) for key, t in data["measures"].items()}
    assert all(rule[key] == text for rule in changed["findings"]["by_rule"] for key in roles)
    found = Result.model_validate(changed)
    harmless = Page(render_report(sample_result(tmp_path), tmp_path))
    for language in ("en", "zh"):
        page = render_report(found, tmp_path, language=language)
        page.encode()
        read = Page(page)
        assert not read.errors
        assert {t for t, _ in read.elements} <= {t for t, _ in harmless.elements}
        assert {k for _, a in read.elements for k in a} <= {
            k for _, a in harmless.elements for k in a
        }
        assert dict(read.elements)["title"] == {}
        shown = visible(text)
        # Once in the head, in the cohorts, for each measure, rule and picture at least.
        assert read.words().count(" ".join(shown.split())) > 60
        assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]", page)


def test_draws_what_is_hostile_only_as_a_title(pages):
    for svg in re.findall("<svg.*?</svg>", pages["en"], re.DOTALL):
        outside = re.sub("<title>.*?</title>", "", svg)
        assert "script" not in outside


# --- both languages -------------------------------------------------------------------------------


def test_every_text_has_both_languages_with_the_same_fields():
    # Sentences have their Chinese in the catalogue: test_translation.py.
    tables = (texts.MARKS, labels.UNITS, labels.RULES, labels.PURPOSE, REASONS)
    for table in tables:
        for key, (english, chinese) in table.items():
            fields = [sorted(re.findall(r"\{(\w+)\}", t)) for t in (english, chinese)]
            assert fields[0] == fields[1] or key == "not_applicable", key
            assert english
            assert not CHINESE.search(english), key
    for english, chinese in PHRASES.items():
        assert english.count("{}") == chinese.count("{}")
    exempt = {"sample_of", "estimate", "python", "aside", "bracketed", "list", "comma",
              "semicolon", "colon", "stop", "not_applicable", "class_count"}  # fmt: skip
    for table in (texts.MARKS, REASONS, TERMS):
        for key, (_, chinese) in table.items():
            assert key in exempt or CHINESE.search(chinese), key


def test_every_text_is_used():
    source = "".join(
        p.read_text(encoding="utf-8")
        for p in sorted(Path(sdq_core.documents.__file__).parent.rglob("*"))
        if p.suffix in {".py", ".j2"} and p.name not in {"texts.py", "labels.py"}
    )
    indirect = re.compile("exit_|n_|how_")
    unused = [k for k in texts.TEXTS if f'"{k}"' not in source and not indirect.match(k)]
    assert not unused


def test_leaves_no_english_sentence_in_the_chinese_report(tmp_path):
    """No two English words side by side but in sources, and in what the data say of themselves."""
    data = sample(nasty="名称")
    data["study"].update(name="研究", description="说明", generator={"algorithm": {"name": "算法"}})
    data["study"]["purpose"] = {"description": "训练"}
    data["measures"] = {key: {**t, "method_zh": "方法"} for key, t in data["measures"].items()}
    data["measures"]["imaging.utility.tstr_auc"] = data["measures"]["imaging.fidelity.mmd"]
    for m in data["measurements"]:
        m["method"].update(source="Smith 2012", parameters={"alpha": 0.05})
        if m["criterion"]:
            m["criterion"].update(source="Smith 2012", reason_zh="理由")
        if m["interval"]:
            m["interval"]["method"] = "half-sampling of subjects"
        if m["noise_floor"]:
            m["noise_floor"]["method"] = "real training parts of 88 items"
            m["noise_floor"]["method"] = "train and holdout pooled, re-split by subject"
        if "suspects" in m["details"]:
            m["details"]["suspects"][0]["transform"] = "rotate 2 deg, flip yx, shift (3.0, -2.0)"
        if "bars" in m["details"]:
            m["details"]["bars"] = [{"label": "名称", "synthetic": 0.5}]
    (tmp_path / "gallery").mkdir()
    page = Page(render_report(Result.model_validate(data), tmp_path, language="zh"))
    for where, words in page.texts:
        if where[-1] in ("style", "small") or where[-2:] == ("h2", "span"):
            continue
        assert not re.search("[A-Za-z]{2,} [A-Za-z]{2,}", words.replace("SHA", "")), words


def literals(node):
    """The text of a constant, an f-string with 7 in its gaps, or of both arms of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(p.value if isinstance(p, ast.Constant) else "7" for p in node.values)
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def phrases_in_the_source():
    """What the measures say of their intervals, and of what is missing."""
    root = Path(sdq_core.__file__).parents[1]
    parts = ("core", "imaging", "signals", "ehr")
    for path in sorted(p for part in parts for p in root.glob(f"sdq_{part}/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = getattr(getattr(node, "func", None), "id", "")
            if called == "Interval" and len(node.args) > 2:
                yield from ((path.name, text) for text in literals(node.args[2]))
            elif called == "why":
                wanted = [k.value for k in node.keywords if k.arg in ("what", "cohorts")]
                yield from ((path.name, text) for value in wanted for text in literals(value))


def test_every_phrase_in_the_source_has_its_chinese():
    found = dict.fromkeys(phrases_in_the_source())
    assert len(found) > 20
    missing = [where for where in found if not CHINESE.search(in_chinese(where[1]))]
    assert not [where for where in missing if where[1] != "DeLong"]


def test_translates_the_fixed_phrases_of_measurements():
    assert in_chinese("real IQR") == "倍真实数据四分位距"
    floor = "disjoint parts of train by subject (no holdout)"
    floor += "; items taken as independent (no subject ids)"
    assert not re.search("[a-z]", in_chinese(floor))
    assert why("too_few", needed=3, what="holdout items", found=1)["reason_zh"].endswith(
        "（留出样本）"
    )
    assert in_chinese("Patient, 7") == "Patient, 7"


def test_shipped_profile_says_its_reasons_in_both_languages():
    imaging = load_modality("imaging", check_requirements=False)
    profile = load_profile("default", imaging.profile_folder(), "imaging", imaging.default_profile)
    measures = imaging.measures()
    for criterion in profile.criteria:
        assert CHINESE.search(criterion.reason_zh), criterion.id
        assert criterion.id in measures
    for said in measures.values():
        assert CHINESE.search(said.says_zh)
        assert CHINESE.search(said.method_zh)
        assert said.says.endswith(".")
        assert said.says_zh.endswith("。")


# --- every measurement, verdicts first ------------------------------------------------------------


def test_shows_every_measurement_with_a_value_or_a_reason(pages, result, language):
    page = Page(pages[language])
    assert sum(tag == "article" for tag, _ in page.elements) == len(result.measurements)
    articles = re.findall(r'<article class="measure".*?</article>', pages[language], re.DOTALL)
    assert len(articles) == len(result.measurements)
    label = texts.text("value", language)
    for article in articles:
        words = Page(article)
        why = words.words().split(texts.text("how_measured", language))[0]
        has_value = any(w.startswith(label) for where, w in words.texts if where[-1] == "dt")
        has_reason = re.search('class="why">[^<]{4,}<', article)
        assert has_reason, why
        (identifier,) = {m.id for m in result.measurements if f">{m.id}<" in article}
        values = {m.value is not None for m in result.measurements if m.id == identifier}
        assert values == {has_value} or len(values) == 2


def test_writes_no_empty_number(parsed, language):
    for where, words in parsed[language].texts:
        if where[-1] != "style":
            assert not re.search(r"\b(nan|NaN|inf|Infinity|None|null)\b", words), words


def test_opens_with_the_verdicts_in_the_standards_order(pages, language):
    page = pages[language]
    table = page[page.index('<table class="overview">') :]
    table = table[: table.index("</table>")]
    order = re.findall(r'<tr><th scope="row"><a href="#(\w+)">', table)
    assert order == [c.value for c in Characteristic]
    sections = re.findall(r'<h2 id="([\w-]+)"', page)
    assert sections == ["verdicts", "cohorts", *order, "findings", "gallery", "calibration",
                        "limits", "traceability", "references"]  # fmt: skip


def test_gives_each_verdict_as_a_word(pages, result, language):
    for characteristic, verdict in result.verdicts.items():
        head = re.search(f'<h2 id="{characteristic}">.*?</h2>', pages[language], re.DOTALL)[0]
        words = TERMS[verdict][language == "zh"]
        assert Page(head).texts[-1][1] == words


def test_overview_names_every_criterion_that_is_not_met():
    rule = {"mandatory": False, "rule": {"at_most": 1.0}, "reason": "r", "source": "s", "high": 1.0}
    failed = measurement("fidelity.density", 2.0, rule=rule, verdict="fail",
                         code="interval_outside")  # fmt: skip
    found = small([failed], {"fidelity": "pass"}, exit_code=1)
    page = render_report(found, Path())
    table = page[page.index('<table class="overview">') : page.index("</table>")]
    assert "Density (not mandatory)" not in table  # nothing names it here: its id stands
    assert "imaging.fidelity.density (not mandatory)" in table
    assert "2; acceptable: at most 1" in table


@pytest.mark.parametrize(
    ("verdict", "glyph"), [("fail", "✗"), ("inconclusive", "?"), ("not_assessed", "–")]
)
def test_console_lists_every_mandatory_measure_that_does_not_pass(result, verdict, glyph):
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(verdict_table(result, "en"))
    listed = re.findall(rf"│ {re.escape(glyph)} [^│]*: ", console.export_text())
    judged = [m for m in result.measurements if m.criterion and m.criterion.mandatory]
    assert len(listed) == sum(m.verdict == verdict for m in judged) > 0


def test_says_why_too_few_items_are_inconclusive_where_the_numbers_look_fine(pages):
    table = pages["en"][: pages["en"].index("</table>")]
    assert "There are fewer items than this criterion needs." in table


@pytest.mark.parametrize("role", ["holdout", None])
def test_renders_results_that_lack_almost_everything(folder, role, language):
    data = sample()
    data.update(gallery=[], limits=[], measures={}, environment={}, profile={}, study={},
                modality={}, verdicts={}, findings={"total": 0}, exit_code=3)  # fmt: skip
    data["measurements"] = [
        measurement("fidelity.mmd", rule=None, reason="needs a holdout", n={}),
    ]
    data["cohorts"] = {} if role is None else {role: data["cohorts"][role]}
    page = Page(render_report(Result.model_validate(data), folder, language=language))
    assert not page.errors
    assert page.words().count(TERMS["not_assessed"][language == "zh"]) >= 14


@pytest.mark.parametrize("value", [0.0, -0.0, 5e-324, 1e-300, -1e-12, 1e15, 1.7e308, -1.7e308])
def test_draws_extreme_values(folder, value, language):
    interval = {"low": value, "high": value, "level": 0.95, "method": "m", "centre": value}
    found = small([
        measurement("fidelity.mmd", value, ci=interval, floor=interval,
                    rule={"mandatory": True, "rule": {}, "reason": "", "source": "", "low": 0.0,
                          "high": 1.0}, verdict="pass", code="interval_inside"),
        measurement("fidelity.coverage", value, unit="share", ci=interval),
    ])  # fmt: skip
    page = Page(render_report(found, folder, language=language))
    assert not page.errors
    assert "nan" not in page.words()


def test_a_figure_of_another_form_is_named_and_the_rest_goes_on(pages):
    assert "The figure “Attack curve” is not drawn" in pages["en"]


def test_draws_panels_in_one_scale_with_the_axes_named_once(pages, result, language):
    (figure,) = re.findall(
        '<figure class="figure figure-curves">.*?</figure>\n</div>.*?</figure>',
        pages[language], re.DOTALL)  # fmt: skip
    drawings = re.findall('<svg viewBox="0 0 204.*?</svg>', figure, re.DOTALL)
    (curves,) = (m.details["curves"] for m in result.measurements if "curves" in m.details)
    assert len(drawings) == 24 == len(curves["panels"]) - 2
    rest = {"en": "and 2 more in result.json", "zh": "另有 2 项"}
    assert rest[language] in figure
    for key in ("x_label", "y_label", "bands"):
        words = curves[key] if language == "en" else in_chinese(curves[key])
        assert figure.lower().count(words.lower()) == 1
    assert ("各导联平均" if language == "zh" else "average of leads") in figure
    grids = [re.findall('class="grid" points="[^"]*,(.*?)"', drawing) for drawing in drawings]
    assert all(grid == grids[0] for grid in grids)
    count = [drawing.count('"synthetic-edge"') for drawing in drawings]
    assert count == [2, 2, 0, 0] + [2] * 20
    assert all('"synthetic-band"' not in drawing for drawing in drawings)
    assert ["real-line" in drawing for drawing in drawings] == [True, True, False] + [True] * 21


def test_panels_of_their_own_scale_and_without_bands(folder):
    panel = {"title": "a", "x": [0, 1], "synthetic": [0, 1], "real": [0, 2]}
    curves = {"panels": [panel, {**panel, "real": [0, 900]}], "shared_y": False}
    page = render_report(small([measurement("fidelity.mmd", details={"curves": curves})]), folder)
    assert ">Curves<" in page
    assert 'class="synthetic-edge"' not in page
    assert 'class="real-band"' not in page
    own = re.findall('<svg viewBox="0 0 204.*?</svg>', page, re.DOTALL)
    assert ">500<" in own[1]
    assert ">500<" not in own[0]


@pytest.mark.parametrize("changed", [{"x": [0]}, {"real": [1]}, {"title": None}, {"x": ["a", 2]}])
def test_panels_of_another_form_are_not_drawn(folder, changed):
    panel = {"title": "a", "x": [0, 1], "synthetic": [0, 1], **changed}
    details = {"curves": {"panels": [panel]}}
    page = render_report(small([measurement("fidelity.mmd", details=details)]), folder)
    assert "The figure “Curves” is not drawn" in page


# --- pictures -------------------------------------------------------------------------------------


def test_embeds_the_pictures_of_synthetic_items(folder, pages):
    assert encoded(folder, 1) in pages["en"]
    assert encoded(folder, 2) in pages["en"]


def test_shows_no_picture_where_real_items_are_among_them_unless_asked(tmp_path):
    found = sample_result(tmp_path, real=True)
    hidden = render_report(found, tmp_path)
    assert "data:image" not in hidden
    assert "withheld" in hidden
    shown = render_report(found, tmp_path, show_real=True)
    assert all(encoded(tmp_path, k) in shown for k in (1, 2, 3, 4))
    assert "handle it like the real data" in shown


def test_withholds_a_synthetic_item_that_may_be_a_copy(tmp_path):
    found = sample_result(tmp_path, gallery=[
        {"item": "s/0002.png", "role": "synthetic", "file": "gallery/03.png", "why": "w",
         "why_zh": "w"}])  # fmt: skip
    assert "data:image" not in render_report(found, tmp_path)


@pytest.mark.parametrize("file", ["../secret.png", "/etc/hostname", "gallery/text.png"])
def test_embeds_no_file_from_elsewhere_and_nothing_but_png(tmp_path, file):
    outside = base64.b64decode("iVBORw0KGgo=")
    (tmp_path / "secret.png").write_bytes(outside)
    inside = tmp_path / "out"
    inside.mkdir()
    (inside / "gallery").mkdir()
    (inside / "gallery/text.png").write_text("no picture")
    image = {"item": "a", "role": "synthetic", "file": file, "why": "w", "why_zh": "w"}
    found = sample_result(inside, gallery=[image])
    with pytest.raises(StoreError):
        render_report(found, inside)


def test_says_which_picture_is_missing(tmp_path, language):
    found = sample_result(tmp_path)
    (tmp_path / "gallery/01.png").unlink()
    page = Page(render_report(found, tmp_path, language=language))
    assert "gallery/01.png" in page.words()


def test_embeds_no_more_than_the_report_can_carry(tmp_path, monkeypatch):
    from sdq_core.documents import pictures

    monkeypatch.setattr(pictures, "MOST_BYTES", 300)
    page = render_report(sample_result(tmp_path), tmp_path)
    assert page.count("data:image/png") < 2
    assert "Not embedded" in page


def test_shows_a_picture_at_the_size_that_it_needs(tmp_path):
    found = sample_result(tmp_path)
    (tmp_path / "gallery/01.png").write_bytes(png(900, height=500))
    shown = re.findall("<figure.*?<img", render_report(found, tmp_path).split('id="gallery"')[1])
    assert shown == ['<figure class="whole"><img', "<figure><img"]
    for width, room in ((280, "third"), (320, "half")):
        (tmp_path / "gallery/01.png").write_bytes(png(width))
        assert f'<figure class="{room}"><img' in render_report(found, tmp_path)
    (tmp_path / "gallery/01.png").write_bytes(png(300)[:10])  # cut short: no reason to stop
    assert '<figure class="' not in render_report(found, tmp_path).split('id="gallery"')[1]


# --- from a file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [[], ["--language", "zh"]])
def test_command_renders_again_what_was_written(tmp_path, flags):
    found = sample_result(tmp_path)
    save_result(found, tmp_path / "result.json")
    target = tmp_path / "again.html"
    ran = CliRunner().invoke(app, ["report", str(tmp_path), "-o", str(target), *flags])
    assert ran.exit_code == 0, ran.output
    language = flags[-1] if flags else "en"
    write_report(found, tmp_path, tmp_path / "first.html", language=language)
    assert target.read_bytes() == (tmp_path / "first.html").read_bytes()


def test_reads_a_result_that_an_earlier_version_wrote(tmp_path):
    """Without the keys that came later: the Chinese of reasons and methods."""
    data = sample()
    for key in data["measures"]:
        data["measures"][key].pop("method_zh", None)
    for m in data["measurements"]:
        if m["criterion"]:
            m["criterion"].pop("reason_zh", None)
    (tmp_path / "result.json").write_text(json.dumps(data), encoding="utf-8")
    (tmp_path / "gallery").mkdir()
    page = render_report(load_result(tmp_path / "result.json"), tmp_path, language="zh")
    assert "Lost modes show here first." in page


def test_takes_no_nan_for_a_value(tmp_path):
    text = '{"schema": "sdq.result/1", "study": {}, "profile": {}, "modality": {}, "cohorts": {}, '
    text += '"measurements": [{"id": "a.fidelity.b", "characteristic": "fidelity", "code": "x", '
    text += '"value": NaN}], "verdicts": {}, "findings": {"total": 0}, "exit_code": 0, '
    (tmp_path / "result.json").write_text(text + '"environment": {}}')
    with pytest.raises(StoreError, match="finite"):
        load_result(tmp_path / "result.json")


def test_leaves_a_report_alone_that_cannot_be_replaced(tmp_path, result, folder):
    path = tmp_path / "report.html"
    path.mkdir()
    with pytest.raises(StoreError):
        write_report(result, folder, path)


def test_a_table_without_rows_is_no_figure():
    from sdq_core.documents.figures import figures

    drawn, broken = figures({"table": {"columns": ["column", "real"], "rows": []}}, "en")
    assert (drawn, broken) == ((), [])
    drawn, _ = figures({"table": {"columns": ["column", "real"], "rows": [["sex", 0.5]]}}, "en")
    assert len(drawn) == 1
