"""The named styles of a DOCX file: fonts of both scripts, headings, tables, captions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from docx.document import Document as Docx

__all__ = ["STYLES", "set_styles"]

LATIN: Final = "Times New Roman"
CHINESE: Final = "SimSun"
HEAD_LATIN: Final = "Arial"
HEAD_CHINESE: Final = "SimHei"
MONO: Final = "Courier New"
SOFT: Final = "555E66"

STYLES: Final = {
    "pass": "17633A",
    "fail": "A3181D",
    "inconclusive": "7A4F00",
    "not_assessed": SOFT,
}
"""Colour of each verdict; the character styles ``Verdict pass`` and so on have them."""


def set_styles(docx: Docx, language: str) -> None:
    """Give a new file its styles.

    Parameters
    ----------
    docx : docx.document.Document
    language : {"en", "zh"}
        Of the proofing marks.
    """
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Pt, RGBColor

    _defaults(docx, language)
    styles = docx.styles

    def paragraph(name: str, base: str = "Normal") -> Any:
        known = [s.name for s in styles]
        style = styles[name] if name in known else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        if name != base:
            style.base_style = styles[base]
        return style

    def character(name: str) -> Any:
        return styles.add_style(name, WD_STYLE_TYPE.CHARACTER)

    normal = styles["Normal"]
    _fonts(normal, LATIN, CHINESE)
    normal.font.size = Pt(10.5)
    normal.paragraph_format.space_after = Pt(5)
    normal.paragraph_format.line_spacing = 1.15
    for name, size, before in (
        ("Title", 24, 0), ("Heading 1", 15, 20), ("Heading 2", 12, 14), ("Heading 3", 10.5, 12),
    ):  # fmt: skip
        style = styles[name]
        _fonts(style, HEAD_LATIN, HEAD_CHINESE)
        style.font.size = Pt(size)
        style.font.bold = True
        style.font.italic = False
        style.font.color.rgb = RGBColor.from_string("1D2226")
        style.paragraph_format.space_before = Pt(before)
        style.paragraph_format.space_after = Pt(5)
        style.paragraph_format.keep_with_next = True
        for border in style.element.findall(".//" + _name("pBdr")):
            border.getparent().remove(border)
    for name, size, base in (
        ("Subtitle", 11, "Normal"), ("Subject", 13, "Normal"), ("Statement", 10.5, "Normal"),
        ("Note", 9, "Normal"), ("Says", 9, "Note"),
        ("Legend", 9, "Normal"), ("Caption", 9, "Normal"),
        ("Table Text", 8.5, "Normal"), ("Table Head", 8, "Table Text"),
        ("Table Number", 8.5, "Table Text"), ("Panel Caption", 8, "Normal"),
        ("Gap", 3, "Normal"), ("Contents Heading", 12, "Normal"), ("toc 1", 10, "Normal"),
        ("toc 2", 9.5, "Normal"),
    ):  # fmt: skip
        style = paragraph(name, base)
        for spacing in style.element.findall(f"{_name('rPr')}/{_name('spacing')}"):
            spacing.getparent().remove(spacing)
        heading = name in ("Table Head", "Contents Heading")
        _fonts(style, HEAD_LATIN if heading else LATIN, HEAD_CHINESE if heading else CHINESE)
        style.font.size = Pt(size)
        style.font.bold = name in ("Statement", "Table Head", "Contents Heading")
        style.font.italic = False
        style.font.color.rgb = RGBColor.from_string(
            SOFT if name in ("Subtitle", "Note", "Says", "Legend", "Table Head") else "1D2226"
        )
        style.paragraph_format.space_after = Pt(1 if name.startswith(("Table", "toc")) else 4)
    styles["Caption"].paragraph_format.keep_with_next = True
    styles["Caption"].paragraph_format.space_before = Pt(6)
    styles["Legend"].paragraph_format.keep_with_next = True
    styles["Says"].paragraph_format.keep_with_next = True
    for name in ("toc 1", "toc 2", "Gap"):
        styles[name].paragraph_format.line_spacing = 1.0
        styles[name].paragraph_format.space_after = Pt(0)
    styles["Legend"].paragraph_format.space_before = Pt(9)
    styles["Table Number"].paragraph_format.alignment = 2  # right
    styles["toc 2"].paragraph_format.left_indent = Pt(14)
    for name in ("List Bullet", "List Number"):
        styles[name].paragraph_format.space_after = Pt(3)
    for kind, colour in STYLES.items():
        style = character(f"Verdict {kind}")
        style.font.bold = True
        style.font.color.rgb = RGBColor.from_string(colour)
    character("Soft").font.color.rgb = RGBColor.from_string(SOFT)
    missing = character("Not Provided")
    missing.font.bold = True
    missing.font.color.rgb = RGBColor.from_string(STYLES["inconclusive"])
    mono = character("Identifier")
    _fonts(mono, MONO, CHINESE)
    mono.font.size = Pt(8)
    _table_styles(docx)


def _name(tag: str) -> str:
    from docx.oxml.ns import qn

    return str(qn(f"w:{tag}"))


def _fonts(style: Any, latin: str, chinese: str) -> None:
    """Set the fonts of both scripts; those of the theme would win and have to go."""
    style.font.name = latin
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(_name(theme), None)
    for script, font in (("ascii", latin), ("hAnsi", latin), ("cs", latin), ("eastAsia", chinese)):
        fonts.set(_name(script), font)


def _defaults(docx: Docx, language: str) -> None:
    """Set fonts and languages of everything that has no style of its own."""
    run = docx.styles.element.find(f".//{_name('rPrDefault')}/{_name('rPr')}")
    for tag in ("rFonts", "lang"):
        for old in run.findall(_name(tag)):
            run.remove(old)
    fonts = run.makeelement(
        _name("rFonts"),
        {_name("ascii"): LATIN, _name("hAnsi"): LATIN, _name("cs"): LATIN,
         _name("eastAsia"): CHINESE},
    )  # fmt: skip
    run.insert(0, fonts)
    latin = "en-GB" if language == "en" else "en-US"
    run.append(run.makeelement(_name("lang"), {_name("val"): latin, _name("eastAsia"): "zh-CN"}))


_TABLE: Final = """
<w:style xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
 w:type="table" w:customStyle="1" w:styleId="{id}">
<w:name w:val="{name}"/><w:basedOn w:val="TableNormal"/><w:uiPriority w:val="99"/>
<w:tblPr><w:tblBorders>{borders}</w:tblBorders><w:tblCellMar>
<w:top w:w="40" w:type="dxa"/><w:left w:w="60" w:type="dxa"/>
<w:bottom w:w="40" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar></w:tblPr>
</w:style>"""
_BORDER: Final = '<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="{colour}"/>'
_LOOKS: Final[dict[str, tuple[tuple[str, int, str], ...]]] = {
    "Grid": (("top", 6, SOFT), ("bottom", 4, "C9CED3"), ("insideH", 4, "C9CED3")),
    "Facts": (("top", 6, SOFT), ("bottom", 4, "C9CED3"), ("insideH", 4, "C9CED3")),
    "Form": (("top", 6, SOFT), ("bottom", 4, "C9CED3"), ("insideH", 4, "C9CED3"),
             ("insideV", 4, "C9CED3")),
    "Plain": (),
}  # fmt: skip


def _table_styles(docx: Docx) -> None:
    from docx.oxml import parse_xml

    for look, sides in _LOOKS.items():
        borders = "".join(_BORDER.format(side=s, size=z, colour=c) for s, z, c in sides)
        xml = _TABLE.format(id=f"Sdq{look}", name=f"sdq {look}", borders=borders)
        docx.styles.element.append(parse_xml(xml))
