"""The three documents: complete, escaped, the same every time, in every language and format."""

import hashlib
import io
import json
import re
import zipfile
from collections import Counter
from functools import cache, partial
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import docx
import pypdf
import pytest
from sample_result import NASTY, sample
from typer.testing import CliRunner

from sdq_core.cli import app
from sdq_core.documents.model import Drawing, drawings
from sdq_core.documents.naming import word
from sdq_core.documents.parts import Source
from sdq_core.documents.standalone import badge, standalone
from sdq_core.documents.typesetting import Typesetter
from sdq_core.documents.typography import visible
from sdq_core.documents.writing import (
    DOCUMENTS,
    FORMATS,
    evidence_beside,
    make_documents,
    write_documents,
)
from sdq_core.errors import FontError, StoreError, UsageError
from sdq_core.generator import Generator
from sdq_core.requirements import checklist, requirements, trace
from sdq_core.result import Result, dump_result
from sdq_core.vocabulary import TERMS, Characteristic

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
NAMES = ("synthesis-description", "validation-report", "quality-assessment-report")
FONTS = Path(find_spec("pylopdf_fonts_zh_cn").origin).parent
# Only the fonts of the test extra: the same on every machine.
OWN_FONTS = Typesetter.for_language
OWN = cache(partial(Typesetter.for_language, font_path=FONTS, system=False))

GENERATOR = {
    "dataset": {"name": {"en": "radiographs", "zh": "胸片"}, "version": "4", "type": ["train"]},
    "algorithm": {"name": "a <b>flow</b>", "family": "flow", "parameters": {"steps": 50}},
    "training_data": {"items": 900, "digest": "cd" * 32, "legal_basis": "consent"},
    "privacy": {"differential_privacy": "none", "deidentification": "=HYPERLINK(\"http://x\")"},
    "changes": [{"version": "4", "date": "2026-01-02", "what": "first"}],
    "compliance": {"PIPL-IMPACT": {"answer": "yes", "evidence": "PIA-7"}},
}  # fmt: skip


def study(data, generator=GENERATOR):
    """The result with a generator's description of the present schema."""
    stated = None if generator is None else Generator.model_validate(generator)
    data["study"]["generator"] = None if stated is None else stated.model_dump(mode="json")
    return Result.model_validate(data)


@pytest.fixture(scope="module")
def result():
    return study(sample())


@pytest.fixture(scope="module")
def folder(tmp_path_factory, result):
    place = tmp_path_factory.mktemp("out")
    (place / "result.json").write_bytes(dump_result(result))
    (place / "findings.csv").write_text("rule\n")
    return place


def made_of(result, folder, languages=("zh", "en"), formats=FORMATS):
    path = folder / "result.json"
    return make_documents(
        result, path.read_bytes(), languages=languages, formats=formats,
        evidence=evidence_beside(path), typesetter=OWN,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(result, folder):
    return made_of(result, folder)


@pytest.fixture(params=["zh", "en"])
def language(request):
    return request.param


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


class Page(HTMLParser):
    """Elements and texts of a page, and whether tags are closed in order."""

    VOID = frozenset(
        {"meta", "br", "col", "rect", "path", "circle", "polyline", "polygon", "use", "img"}
    )

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.errors, self.texts = [], [], [], []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.errors.append(tag)

    def handle_data(self, data):
        if data.strip() and "style" not in self.open:
            self.texts.append((tuple(self.open), " ".join(data.split())))

    def words(self):
        return " ".join(words for _, words in self.texts)


def word_parts(content):
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {info.filename: file.read(info) for info in file.infolist()}


def word_text(content):
    root = ET.fromstring(word_parts(content)["word/document.xml"])
    return " ".join(t.text or "" for t in root.iter(f"{W}t"))


def squeezed(words):
    return re.sub(r"\s", "", words)


def pdf_text(content, pages):
    shown = pypdf.PdfReader(io.BytesIO(content)).pages[:pages]
    return squeezed("".join(page.extract_text() for page in shown))


# --- every format ---------------------------------------------------------------------------------


def test_makes_every_document_in_every_language_and_format(made):
    assert list(made) == [
        f"{n}.{lang}.{f}" for lang in ("zh", "en") for n in NAMES for f in FORMATS
    ]


def test_the_same_result_gives_the_same_bytes(made, result, folder, monkeypatch):
    from sdq_core.documents import writing

    monkeypatch.setattr(writing, "DOCUMENTS", DOCUMENTS[1:2])
    again = made_of(result, folder, languages=("zh",))
    assert again == {name: made[name] for name in again}
    assert len(again) == len(FORMATS)


def test_every_format_says_the_same(made, name, language):
    page = squeezed(Page(made[f"{name}.{language}.html"]).words())
    text = squeezed(word_text(made[f"{name}.{language}.docx"]))
    outline = pypdf.PdfReader(io.BytesIO(made[f"{name}.{language}.pdf"])).outline
    pdf = squeezed(" ".join(entry["/Title"] for entry in outline if isinstance(entry, dict)))
    pdf += pdf_text(made[f"{name}.{language}.pdf"], 1)
    headings = [
        squeezed(words)
        for where, words in Page(made[f"{name}.{language}.html"]).texts
        if where[-2:-1] == ("h2",) and where[-1] == "bdi"
    ]
    assert len(headings) >= 10
    title = TERMS[name.replace("-", "_")][language == "zh"]
    for words in [squeezed(title), *headings]:
        assert words in page
        assert words in text
        assert words in pdf


def test_writes_no_empty_number(made, language, name):
    for _, words in Page(made[f"{name}.{language}.html"]).texts:
        assert not re.search(r"\b(nan|NaN|inf|None|null|undefined)\b", words), words


# --- HTML -----------------------------------------------------------------------------------------


def test_html_holds_no_script_and_leads_nowhere_else(made, name, language):
    page = Page(made[f"{name}.{language}.html"])
    assert not page.errors
    assert not page.open
    ids = Counter(a["id"] for _, a in page.elements if "id" in a)
    assert max(ids.values()) == 1
    for tag, attributes in page.elements:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form", "image"}
        for key, value in attributes.items():
            assert not key.startswith("on")
            if key in {"href", "src", "action", "data"}:
                assert key == "href"
                assert value[0] == "#"
                assert value[1:] in ids
    policy = [a["content"] for _, a in page.elements if "http-equiv" in a]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert dict(page.elements)["html"]["lang"] == {"zh": "zh-CN", "en": "en"}[language]


# --- DOCX -----------------------------------------------------------------------------------------


def test_docx_has_named_styles_with_fonts_of_both_scripts(made, name, language):
    file = docx.Document(io.BytesIO(made[f"{name}.{language}.docx"]))
    used = {p.style.name for p in file.paragraphs}
    assert {"Title", "Heading 1", "Caption", "toc 1", "Note"} <= used
    assert {t.style.name for t in file.tables} <= {
        "sdq Grid", "sdq Facts", "sdq Form", "sdq Plain"
    }  # fmt: skip
    for style in ("Normal", "Heading 1", "Table Text", "Caption"):
        fonts = file.styles[style].element.find(f".//{W}rFonts")
        assert fonts.get(f"{W}eastAsia") in ("SimSun", "SimHei")
        assert not [key for key in fonts.attrib if "Theme" in key]
    assert file.core_properties.author == "sdq"
    assert file.core_properties.created.year == 2026
    foot = file.sections[0].footer.paragraphs[0]._p.xml
    assert " PAGE " in foot
    assert " NUMPAGES " in foot


def test_docx_contents_lead_to_the_headings(made, name, language):
    parts = word_parts(made[f"{name}.{language}.docx"])
    root = ET.fromstring(parts["word/document.xml"])
    marks = [e.get(f"{W}name") for e in root.iter(f"{W}bookmarkStart")]
    assert len(marks) == len(set(marks))
    assert all(len(mark) <= 40 for mark in marks)
    links = [e.get(f"{W}anchor") for e in root.iter(f"{W}hyperlink")]
    assert set(links) <= set(marks)
    asked = [e.text.split() for e in root.iter(f"{W}instrText")]
    pages = [code[1] for code in asked if code[0] == "PAGEREF"]
    assert len(pages) > 10
    assert set(pages) <= set(marks)
    ids = [e.get(f"{W}id") for e in root.iter(f"{W}bookmarkStart")]
    assert len(ids) == len(set(ids))


def test_docx_holds_nothing_that_acts_or_leads_out(made, name, language):
    parts = word_parts(made[f"{name}.{language}.docx"])
    assert list(parts) == sorted(parts)
    for file, content in parts.items():
        assert b'TargetMode="External"' not in content or not file.endswith(".rels")
    assert not [file for file in parts if "vba" in file.lower() or "embed" in file.lower()]
    root = ET.fromstring(parts["word/document.xml"])
    codes = {e.text.split()[0] for e in root.iter(f"{W}instrText")}
    assert codes <= {"PAGEREF", "SEQ"}
    with zipfile.ZipFile(io.BytesIO(made[f"{name}.{language}.docx"])) as file:
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_docx_figures_are_pictures_with_words(made, language):
    parts = word_parts(made[f"validation-report.{language}.docx"])
    root = ET.fromstring(parts["word/document.xml"])
    alts = [e.get("descr") for e in root.iter() if e.tag.endswith("}docPr")]
    assert len(alts) > 20
    assert sum(bool(alt) for alt in alts) > 20
    pngs = [c for f, c in parts.items() if f.startswith("word/media/")]
    assert all(c.startswith(b"\x89PNG") for c in pngs)


# --- PDF ------------------------------------------------------------------------------------------


def test_pdf_is_pdf_a_3_with_the_result_attached(made, folder, name, language):
    reader = pypdf.PdfReader(io.BytesIO(made[f"{name}.{language}.pdf"]))
    about = reader.trailer["/Root"]["/Metadata"].get_data().decode()
    assert re.search(r"<pdfaid:part>3</pdfaid:part>", about)
    assert re.search(r"<pdfaid:conformance>B</pdfaid:conformance>", about)
    (attached,) = reader.attachments.items()
    assert attached == ("result.json", [(folder / "result.json").read_bytes()])
    (file,) = reader.trailer["/Root"]["/AF"]
    assert file.get_object()["/AFRelationship"] == "/Data"
    assert reader.metadata.title.startswith(TERMS[name.replace("-", "_")][language == "zh"])
    assert reader.metadata.creation_date.year == 2026
    assert reader.trailer["/Root"]["/Lang"][:2] == language
    assert len(reader.outline) >= 10


def test_pdf_holds_nothing_that_acts_or_leads_out(made, name, language):
    reader = pypdf.PdfReader(io.BytesIO(made[f"{name}.{language}.pdf"]))
    for page in reader.pages:
        for mark in page.get("/Annots", []):
            action = mark.get_object().get("/A", {})
            assert action.get("/S", "/GoTo") == "/GoTo"
    assert "/OpenAction" not in reader.trailer["/Root"]
    assert "/JavaScript" not in reader.trailer["/Root"].get("/Names", {})


# --- what the documents must contain --------------------------------------------------------------


def test_describes_what_is_stated_and_shows_what_is_missing(made, result, language):
    page = Page(made[f"synthesis-description.{language}.html"])
    facts = Generator.model_validate(GENERATOR).facts()
    missing = [fact for fact in facts if fact.value is None]
    shown = [w for where, w in page.texts if where[-2] == "strong" and where[-1] == "bdi"
             and w == TERMS["not_provided"][language == "zh"]]  # fmt: skip
    assert len(shown) >= len(missing) > 30
    words = page.words()
    for fact in facts:
        assert (fact.label_zh if language == "zh" else fact.label) in words
        assert fact.requirement in words
    assert "a <b>flow</b>" in words
    assert '=HYPERLINK("http://x")' in words
    assert ("胸片" if language == "zh" else "radiographs") in words
    # The data contradict the digest that was stated.
    assert ("ab" * 32 in words) is True
    assert f"{len(facts) - len(missing)}" in words


def test_says_that_nothing_is_provided(folder, language):
    pages = made_of(study(sample(), None), folder, (language,), ("html",))
    page = Page(pages[f"synthesis-description.{language}.html"])
    expected = {"en": "0 of 48 facts", "zh": "48 项中的 0 项"}[language]
    assert len(Generator().facts()) == 48
    assert expected in page.words()


def test_validation_report_has_every_measure_of_fidelity_in_full(made, result, language):
    page = Page(made[f"validation-report.{language}.html"])
    words = page.words()
    wanted = [m for m in result.measurements if m.characteristic is Characteristic.FIDELITY]
    subgroups = [m for m in result.measurements if m.aspect == "bias_explained"]
    for measurement in [*wanted, *subgroups]:
        assert words.count(measurement.id) >= 1
        if measurement.method:
            assert measurement.method.source in words
    axes = sum(tag == "svg" and a.get("viewbox", "").endswith("330 66") for tag, a in page.elements)
    assert axes >= sum(m.interval is not None or m.noise_floor is not None for m in wanted)
    assert words.count("imaging.balance") == 0
    missing = next(m for m in wanted if m.value is None)
    assert (missing.reason_zh or "") in words or language == "en"


def test_quality_report_traces_every_requirement_to_its_evidence(made, result, folder, language):
    page = Page(made[f"quality-assessment-report.{language}.html"])
    words = page.words()
    own = [r for r in requirements() if "quality_assessment_report" in r.documents]
    for requirement in own:
        assert words.count(requirement.id) >= 2
        assert (requirement.zh if language == "zh" else requirement.en) in words
    for file in ("result.json", "findings.csv"):
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        assert digest in words
        assert words.count(digest[:8]) > 3
    for row in checklist(result):
        assert row.id in words
        assert (row.zh if language == "zh" else row.en) in words
    assert "PIA-7" in words
    for characteristic in Characteristic:
        assert word(characteristic, language) in words
    said = {"en": ("Not carried out", "Prepared by"), "zh": ("未开展", "编制")}[language]
    assert all(sentence in words for sentence in said)
    assert words.count("imaging.") > 20


def test_a_status_in_the_document_is_that_of_the_trace(result, folder):
    page = made_of(result, folder, ("en",), ("html",))["quality-assessment-report.en.html"].decode()
    for row in trace(result):
        if "quality_assessment_report" in row.requirement.documents:
            cells = re.findall(
                rf"<bdi>{row.requirement.id}</bdi></strong><br>.*?</tr>", page, re.DOTALL
            )
            said = TERMS[row.status][0]
            assert cells
            assert any(said in cell for cell in cells)


def test_unread_clauses_are_marked_informative(made):
    words = Page(made["quality-assessment-report.en.html"]).words()
    assert words.count("(informative, text not checked)") > 5
    assert "conforms to" not in words.lower()
    for name in NAMES:
        assert "Structured after the Part 6 proposal" in Page(made[f"{name}.en.html"]).words()
        assert "结构参照第 6 部分" in Page(made[f"{name}.zh.html"]).words()


def test_leaves_no_english_sentence_in_chinese_documents(folder):
    """No two English words side by side but in sources, parameters, and what data say."""
    data = sample(nasty="名称")
    data["study"].update(name="研究", description="说明", purpose={"description": "训练"})
    data["measures"] = {k: {**t, "method_zh": "方法"} for k, t in data["measures"].items()}
    data["measures"]["imaging.utility.tstr_auc"] = data["measures"]["imaging.fidelity.mmd"]
    for m in data["measurements"]:
        m["method"].update(source="Smith 2012", parameters={"alpha": 0.05})
        if m["criterion"]:
            m["criterion"].update(source="Smith 2012", reason_zh="理由")
        for key in ("interval", "noise_floor"):
            if m[key]:
                m[key]["method"] = "half-sampling of subjects"
        if "suspects" in m["details"]:
            m["details"]["suspects"][0]["transform"] = "rotate 2 deg"
        if "bars" in m["details"]:
            m["details"]["bars"] = [{"label": "名称", "synthetic": 0.5}]
        if m["reason"]:
            m["reason_zh"] = "原因"
    found = study(data, None)
    for content in made_of(found, folder, ("zh",), ("html",)).values():
        for where, words in Page(content).texts:
            if where[-1] == "p" or "header" in where:  # the English title
                continue
            plain = re.sub("GB/T|YY/T|HIPAA|CFR|SHA|ISO|IEC|WP216|Annex(es)?|and|PIPL|AIGC|UCUM",
                           "", words)  # fmt: skip
            assert not re.search("[A-Za-z]{3,} [A-Za-z]{3,}", plain), words


# --- hostile values -------------------------------------------------------------------------------

HOSTILE = (
    NASTY,
    "</title></style></svg><img src=x onerror=alert(1)>",
    "#import \"@preview/x:1.0.0\": *; #eval(\"1\") $x$ *b* _i_ @r <l> \\ `c`",
    "=HYPERLINK(\"http://x\",\"y\") +cmd|' /C calc'!A0 {{ 7*7 }} {% raw %} ${x}",
    "]]>--><!--&lt;&amp; w:fldSimple {HYPERLINK \"x\"}",
    "\u202egnp.exe\u2066\u200b\u00ad\ufeff\x00\x07\x1b[31m\udc80\U000e0041 \U000f0000 😀",
)  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    text = " | ".join(HOSTILE)
    data = sample(nasty=text)
    data["study"]["name"] = text
    stated = text.replace("\udc80", "")
    generator = {"algorithm": {"name": stated, "parameters": {stated: stated}},
                 "dataset": {"name": stated}}  # fmt: skip
    found = study(data, generator)
    place = tmp_path_factory.mktemp("hostile")
    (place / "result.json").write_bytes(b"{}")
    return made_of(found, place, ("en",))


def test_hostile_text_is_text_in_html(hostile, made):
    for name in NAMES:
        page, harmless = Page(hostile[f"{name}.en.html"]), Page(made[f"{name}.en.html"])
        assert not page.errors
        assert {t for t, _ in page.elements} <= {t for t, _ in harmless.elements} | {"thead", "th"}
        words = squeezed(page.words())
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x00-\x08\x1b]", page.words())
        for text in HOSTILE:
            assert squeezed(visible(text)) in words


def test_hostile_text_is_text_in_docx(hostile):
    for name in NAMES:
        parts = word_parts(hostile[f"{name}.en.docx"])
        root = ET.fromstring(parts["word/document.xml"])
        assert {e.text.split()[0] for e in root.iter(f"{W}instrText")} <= {"PAGEREF", "SEQ"}
        assert not any(b"http://x" in c for f, c in parts.items() if f.endswith(".rels"))
        words = squeezed(word_text(hostile[f"{name}.en.docx"]))
        for text in HOSTILE:
            assert squeezed(visible(text)) in words


def test_hostile_text_is_text_in_pdf(hostile):
    for name in NAMES:
        words = pdf_text(hostile[f"{name}.en.pdf"], 1)
        for shown in ("#import\"@preview/x:1.0.0\":*;#eval(\"1\")$x$*b*_i_@r<l>\\`c`", "{{7*7}}",
                      "=HYPERLINK(\"http://x\",\"y\")", "\\u202egnp.exe", "\\U000f0000",
                      "\\U0001f600", "<script>alert('x')</script>"):  # fmt: skip
            assert squeezed(shown) in words
        reader = pypdf.PdfReader(io.BytesIO(hostile[f"{name}.en.pdf"]))
        assert list(reader.attachments) == ["result.json"]


# --- what cannot be done --------------------------------------------------------------------------


def bare(language):
    """A machine without any font of its own."""
    return Typesetter.for_language(language, None, system=False)


def test_a_missing_chinese_font_is_an_error_that_says_what_to_install():
    with pytest.raises(FontError, match=r"no font with Chinese .*fonts-noto-cjk.*--font-path"):
        bare("zh")


def test_english_documents_need_no_chinese_font_but_for_chinese_names(folder, monkeypatch):
    from sdq_core.documents import writing

    path = folder / "result.json"
    plain = study(sample(nasty="a name"), {})
    make = partial(make_documents, content=path.read_bytes(), languages=("en",),
                   evidence=evidence_beside(path), typesetter=bare)  # fmt: skip
    assert len(make(plain, formats=("pdf",))) == 3
    named = study(sample(nasty="肺炎"), {})
    with pytest.raises(FontError, match=r"炎 \(U\+708E\)"):
        make(named, formats=("pdf",))
    monkeypatch.setattr(writing, "DOCUMENTS", DOCUMENTS[2:])
    with pytest.raises(FontError, match=r"炎 \(U\+708E\)"):
        make(named, formats=("docx",))


def test_nothing_is_written_where_a_font_is_missing(tmp_path, result, monkeypatch):
    (tmp_path / "result.json").write_bytes(dump_result(result))
    monkeypatch.setattr(Typesetter, "for_language", partial(OWN_FONTS, system=False))
    ran = CliRunner().invoke(app, ["document", str(tmp_path)])
    assert isinstance(ran.exception, FontError)
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]
    ran = CliRunner().invoke(app, ["document", str(tmp_path), "--format", "html"])
    assert ran.exit_code == 0, ran.output
    assert len(list(tmp_path.glob("*.zh.html"))) == 3


def test_nothing_is_written_where_one_document_cannot_be_made(tmp_path, result, monkeypatch):
    from sdq_core.documents import writing

    (tmp_path / "result.json").write_bytes(dump_result(result))

    def fails(source):
        raise StoreError("cannot be made")

    monkeypatch.setattr(writing, "DOCUMENTS", (DOCUMENTS[0], fails))
    ran = CliRunner().invoke(app, ["document", str(tmp_path), "--format", "html"])
    assert isinstance(ran.exception, StoreError)
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_a_result_of_a_newer_schema_is_a_clear_error(tmp_path, result):
    data = json.loads(dump_result(result))
    (tmp_path / "result.json").write_text(json.dumps({**data, "schema": "sdq.result/2"}))
    ran = CliRunner().invoke(app, ["document", str(tmp_path)])
    assert isinstance(ran.exception, StoreError)
    assert "'sdq.result/2', this version of sdq reads 'sdq.result/1'" in str(ran.exception)
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.parametrize("given", ["odt", "html,,tex", " , "])
def test_refuses_other_formats(tmp_path, given):
    ran = CliRunner().invoke(app, ["document", str(tmp_path), "--format", given])
    assert isinstance(ran.exception, UsageError)
    assert "use one or more of html, docx, pdf" in str(ran.exception)


def test_refuses_a_font_path_that_is_no_folder(tmp_path):
    with pytest.raises(UsageError, match="--font-path"):
        Typesetter.for_language("zh", tmp_path / "none", system=False)


def test_finds_fonts_that_it_does_not_know_by_name(tmp_path, monkeypatch):
    from sdq_core.documents import typesetting

    monkeypatch.setattr(typesetting, "CHINESE", ())
    found = Typesetter.for_language("zh", FONTS, system=False)
    assert found.families[1:] == ("Noto Sans SC", "Noto Serif SC")


def test_command_writes_where_it_is_told(tmp_path, folder, made):
    ran = CliRunner().invoke(
        app, ["document", str(folder / "result.json"), "--language", "en", "--format", "html",
              "-o", str(tmp_path / "new")],
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    written = {p.name: p.read_bytes() for p in (tmp_path / "new").iterdir()}
    assert written == {k: v for k, v in made.items() if k.endswith("en.html")}


def test_a_document_that_cannot_be_put_in_place_is_an_error(tmp_path):
    (tmp_path / "a.html").mkdir()
    with pytest.raises(StoreError):
        write_documents({"a.html": b"x"}, tmp_path)


@pytest.mark.parametrize(("role", "formats"), [("holdout", ("html", "docx")), (None, ("pdf",))])
def test_documents_of_a_result_that_lacks_almost_everything(role, formats, language):
    data = sample()
    data.update(
        gallery=[], limits=[], measures={}, environment={}, profile={}, study={}, modality={},
        verdicts={}, findings={"total": 0}, exit_code=3, measurements=[],
    )  # fmt: skip
    data["cohorts"] = {} if role is None else {role: data["cohorts"][role]}
    found = make_documents(
        Result.model_validate(data), b"{}", languages=(language,), formats=formats, typesetter=OWN
    )
    assert len(found) == 3 * len(formats)
    for name, content in found.items():
        assert content[:2] == b"PK" or content[:5] == b"%PDF-" or not Page(content).errors, name


# --- drawings -------------------------------------------------------------------------------------


def test_every_class_of_a_drawing_has_its_style_inside(result):
    found = {d for build in DOCUMENTS for d in drawings(build(Source(result, "en", ())))}
    assert len(found) > 30
    for drawing in found:
        svg = standalone(drawing, "Noto Sans SC")
        ET.fromstring(svg)
        used = {name for names in re.findall('class="([^"]*)"', svg) for name in names.split()}
        styled = set(re.findall(r"\.([\w-]+)\{", svg))
        assert used <= styled, used - styled
        assert "var(" not in svg


def test_a_family_name_cannot_leave_its_place():
    drawing = Drawing('<svg viewBox="0 0 1 1"></svg>', "", 1, 1)
    svg = standalone(drawing, "x'</style><script>")
    assert ET.fromstring(svg) is not None
    assert "<script" not in svg
    assert all(ET.fromstring(badge(k)) is not None for k in ("pass", "not_assessed"))
