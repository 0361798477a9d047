"""A document as DOCX: named styles, fields for numbers and contents, the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sdq_core.documents.model import (
    Badge,
    Break,
    Bullets,
    Document,
    Drawing,
    Heading,
    Inline,
    Paragraph,
    Pictures,
    Span,
    Table,
    contents,
    drawings,
)
from sdq_core.documents.pdf import moment
from sdq_core.documents.standalone import standalone
from sdq_core.documents.typesetting import Typesetter, printable
from sdq_core.documents.typography import visible
from sdq_core.documents.word_styles import set_styles
from sdq_core.documents.word_xml import bookmark, element, qualified, repacked
from sdq_core.errors import UsageError

if TYPE_CHECKING:
    from docx.document import Document as Docx

__all__ = ["write_docx"]

WIDTH: Final = 170.0
"""Millimetres of text between the margins."""
_PIXEL: Final = 25.4 / 96
_SMALL: Final = 26.0
_STYLES: Final[dict[str, str]] = {
    "strong": "Strong", "soft": "Soft", "mono": "Identifier", "missing": "Not Provided",
}  # fmt: skip
_LOOKS: Final = {"grid": "sdq Grid", "facts": "sdq Facts", "form": "sdq Form",
                 "reading": "sdq Plain"}  # fmt: skip


def write_docx(document: Document, typesetter: Typesetter) -> bytes:
    """Write a document as DOCX.

    Parameters
    ----------
    document : Document
    typesetter : Typesetter
        Draws the figures.

    Returns
    -------
    bytes
        The same for the same document and fonts.

    Raises
    ------
    UsageError
        The package python-docx is missing.
    FontError
        No font shows a character of a figure.
    """
    try:
        import docx
    except ImportError as error:
        raise UsageError(
            "documents: DOCX needs the package python-docx, which is not installed; "
            "pip install 'sdq[report]'"
        ) from error
    pictures = _pictures(document, typesetter)
    file = docx.Document()
    set_styles(file, document.language)
    _Writer(file, document, pictures).write()
    buffer = io.BytesIO()
    file.save(buffer)
    return repacked(buffer.getvalue())


def _pictures(document: Document, typesetter: Typesetter) -> dict[Drawing, bytes]:
    """Draw every figure, after making sure that the fonts show its words."""
    found = drawings(document)
    sources = [printable(standalone(d, typesetter.drawing_family)) for d in found]
    missing = typesetter.unshown(sources, document.language)
    sizes = (
        (printable(s, missing), d.width, d.height) for s, d in zip(sources, found, strict=True)
    )
    return dict(zip(found, typesetter.pictures(list(sizes)), strict=True))


class _Writer:
    def __init__(self, file: Docx, document: Document, pictures: Mapping[Drawing, bytes]) -> None:
        self.file, self.document, self.pictures = file, document, pictures
        self.bookmarks = 0
        # Looked up once: python-docx searches all styles each time that one is set.
        self.ids = {style.name: style.style_id for style in file.styles}

    # --- the whole --------------------------------------------------------------------------------
    def write(self) -> None:
        self._properties()
        self._page()
        document = self.document
        self._paragraph("Title", document.title)
        if document.other_title:
            self._paragraph("Subtitle", document.other_title)
        self._paragraph("Subject", document.subject)
        rows = tuple(((Span(label),), said) for label, said in document.facts)
        self._grid(rows, (1.0, 3.0), "facts", (False, False), ())
        self._contents()
        first = True
        for block in document.blocks:
            if isinstance(block, Heading):
                self._heading(block, new_page=first)
                first = False
            elif isinstance(block, Paragraph):
                style = {"body": "Normal", "note": "Note", "statement": "Statement",
                         "legend": "Legend", "says": "Says"}[block.style]  # fmt: skip
                self._fill(self._paragraph(style), block.content)
            elif isinstance(block, Bullets):
                style = "List Number" if block.ordered else "List Bullet"
                number = self._new_list() if block.ordered else None
                for item in block.items:
                    paragraph = self._paragraph(style)
                    if number is not None:
                        self._numbered(paragraph, number)
                    self._fill(paragraph, item)
            elif isinstance(block, Table):
                self._table(block)
            elif isinstance(block, Pictures):
                self._figure(block)

    def _properties(self) -> None:
        document = self.document
        made = moment(document.made).replace(tzinfo=None, microsecond=0)
        known = self.file.core_properties
        known.title = visible(f"{document.title} – {document.subject}")[:255]
        known.author = known.last_modified_by = "sdq"
        known.created = known.modified = made
        known.language = {"en": "en", "zh": "zh-CN"}[document.language]
        known.comments = f"result.json SHA-256 {document.digest}" if document.digest else ""
        known.revision = 1

    def _page(self) -> None:
        from docx.enum.text import WD_TAB_ALIGNMENT
        from docx.shared import Mm

        section = self.file.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin = section.right_margin = Mm(20)
        section.top_margin, section.bottom_margin = Mm(24), Mm(22)
        section.header_distance = section.footer_distance = Mm(11)
        head, foot = section.header.paragraphs[0], section.footer.paragraphs[0]
        for paragraph in (head, foot):
            paragraph._p.style = self.ids["Note"]
            paragraph.paragraph_format.tab_stops.clear_all()
            paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(WIDTH), WD_TAB_ALIGNMENT.RIGHT)
        subject = visible(self.document.subject)
        short = subject if len(subject) <= 60 else f"{subject[:60]} …"
        self._text(head, f"{visible(self.document.title)}\t{short}")
        if self.document.digest:
            self._text(foot, "result.json SHA-256 ")
            self._text(foot, self.document.digest, "Identifier").font.size = self._points(6.5)
        self._text(foot, "\t")
        self._field(foot, "PAGE", "1")
        self._text(foot, " / ")
        self._field(foot, "NUMPAGES", "1")

    def _points(self, size: float) -> Any:
        from docx.shared import Pt

        return Pt(size)

    # --- headings and contents --------------------------------------------------------------------
    def _heading(self, block: Heading, *, new_page: bool) -> None:
        paragraph = self._paragraph(f"Heading {min(block.level, 3)}")
        paragraph.paragraph_format.page_break_before = new_page or None
        names = [bookmark(block.number), *([block.anchor] if block.anchor else [])]
        starts = []
        for name in names:
            self.bookmarks += 1
            starts.append(str(self.bookmarks))
            start = element("bookmarkStart", id=starts[-1], name=name)
            paragraph._p.append(start)
        self._text(paragraph, f"{block.number}\u2002{visible(block.text)}")
        for number in starts:
            paragraph._p.append(element("bookmarkEnd", id=number))

    def _contents(self) -> None:
        """Write the contents: a link to each heading, and its page as a field.

        The page numbers are not known here. Word brings them up to date when it opens the file
        (the fields are marked as out of date), LibreOffice when it lays out the pages. There is no
        TOC field around them: LibreOffice would take what stands in it for final.
        """
        from docx.enum.text import WD_TAB_ALIGNMENT, WD_TAB_LEADER
        from docx.shared import Mm

        self._paragraph("Contents Heading", self.document.labels.contents)
        for heading in contents(self.document):
            paragraph = self._paragraph(f"toc {heading.level}")
            stops = paragraph.paragraph_format.tab_stops
            stops.add_tab_stop(Mm(WIDTH), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
            name = bookmark(heading.number)
            link = element("hyperlink", anchor=name, history="1")
            paragraph._p.append(link)
            words = f"{heading.number}\u2002{visible(heading.text)}\t"
            self._text(paragraph, words, parent=link)
            self._field(paragraph, f"PAGEREF {name} \\h", "", parent=link, dirty=True)

    # --- tables and figures -----------------------------------------------------------------------
    def _table(self, block: Table) -> None:
        if block.caption:
            self._caption(self.document.labels.table, block.number, block.caption)
        names = () if block.kind in ("facts", "reading") else tuple(c.name for c in block.columns)
        shares = tuple(c.share for c in block.columns)
        if block.kind == "reading":
            shares = (1.0, 1.05) if block.rows[0][1] else (1.0,)
            block_rows = tuple(row if row[1] else row[:1] for row in block.rows)
        else:
            block_rows = block.rows
        numeric = tuple(c.numeric for c in block.columns)
        self._grid(block_rows, shares, block.kind, numeric, names)

    def _grid(
        self, rows: Sequence[Sequence[Inline]], shares: Sequence[float], kind: str,
        numeric: Sequence[bool], names: Sequence[str],
    ) -> None:  # fmt: skip
        from docx.shared import Mm

        table = self.file.add_table(rows=0, cols=len(shares), style=_LOOKS[kind])
        table.autofit = False
        widths = [WIDTH * share / sum(shares) for share in shares]
        for column, width in zip(table.columns, widths, strict=True):
            column.width = Mm(width)
        filled: list[Sequence[Inline]] = []
        if names:
            filled.append([(Span(name),) for name in names])
        filled += rows
        for place, cells in enumerate(filled):
            row = table.add_row()
            properties = row._tr.get_or_add_trPr()
            head = bool(names) and place == 0
            if kind == "form" and not head:
                properties.append(element("trHeight", val="620", hRule="atLeast"))
            if sum(len(p.text) for c in cells for p in c if isinstance(p, Span)) < 1500:
                properties.append(element("cantSplit"))
            if head:
                properties.append(element("tblHeader"))
            for k, (cell, content) in enumerate(zip(row.cells, cells, strict=True)):
                cell.width = Mm(widths[k])
                paragraph = cell.paragraphs[0]
                named = "Table Number" if numeric[k] else "Table Text"
                paragraph._p.style = self.ids["Table Head" if head else named]
                if head and numeric[k]:
                    paragraph.alignment = 2
                soft = kind == "facts" and k == 0
                self._fill(paragraph, content, room=widths[k] - 3, soft=soft)
        # Two tables without a paragraph between them would become one.
        self._paragraph("Gap")

    def _figure(self, block: Pictures) -> None:
        from docx.shared import Mm

        table = self.file.add_table(rows=0, cols=block.across, style="sdq Plain")
        table.autofit = False
        width = WIDTH / block.across
        for column in table.columns:
            column.width = Mm(width)
        for start in range(0, len(block.panels), block.across):
            row = table.add_row()
            row._tr.get_or_add_trPr().append(element("cantSplit"))
            panels = block.panels[start : start + block.across]
            for cell, panel in zip(row.cells, panels, strict=False):
                cell.width = Mm(width)
                paragraph = cell.paragraphs[0]
                paragraph._p.style = self.ids["Panel Caption"]
                paragraph.paragraph_format.keep_with_next = True
                self._fill(paragraph, (panel.drawing,), room=width - 3)
                if panel.caption:
                    below = cell.add_paragraph()
                    below._p.style = self.ids["Panel Caption"]
                    below.paragraph_format.keep_with_next = True
                    self._fill(below, panel.caption)
        self._caption(self.document.labels.figure, block.number, block.caption, below=True)

    def _caption(self, label: str, number: int, words: str, *, below: bool = False) -> None:
        paragraph = self._paragraph("Caption")
        if below:
            paragraph.paragraph_format.keep_with_next = False
            paragraph.paragraph_format.space_after = self._points(10)
        self._text(paragraph, f"{visible(label)} ", "Strong")
        kind = "Figure" if below else "Table"
        self._field(paragraph, f"SEQ {kind} \\* ARABIC", str(number), style="Strong")
        self._text(paragraph, f"\u2002{visible(words)}")

    def _paragraph(self, style: str, words: str = "") -> Any:
        paragraph = self.file.add_paragraph(visible(words))
        paragraph._p.style = self.ids[style]
        return paragraph

    # --- runs -------------------------------------------------------------------------------------
    def _fill(
        self, paragraph: Any, content: Inline, *, room: float = WIDTH, soft: bool = False
    ) -> None:
        for part in content:
            if isinstance(part, Break):
                paragraph.add_run().add_break()
            elif isinstance(part, Badge):
                self._text(paragraph, visible(part.word), f"Verdict {part.kind}")
            elif isinstance(part, Drawing):
                self._picture(paragraph, part, room)
            else:
                style = _STYLES.get(part.style, "Soft" if soft else "")
                parent = None
                if part.to:
                    parent = element("hyperlink", anchor=part.to, history="1")
                    paragraph._p.append(parent)
                self._text(paragraph, visible(part.text), style, parent=parent)

    def _picture(self, paragraph: Any, drawing: Drawing, room: float) -> None:
        from docx.shared import Mm

        width = min(drawing.width * _PIXEL, room)
        if drawing.width <= _SMALL:
            width *= 0.8
        shape = paragraph.add_run().add_picture(io.BytesIO(self.pictures[drawing]), width=Mm(width))
        known = shape._inline.docPr
        known.set("descr", visible(drawing.alt))
        known.set("name", f"Picture {known.get('id')}")

    def _text(self, paragraph: Any, words: str, style: str = "", parent: Any = None) -> Any:
        run = paragraph.add_run(words)
        if style:
            run._r.style = self.ids[style]
        if parent is not None:
            parent.append(run._r)
        return run

    def _field(
        self, paragraph: Any, code: str, shown: str, *, style: str = "", parent: Any = None,
        dirty: bool = False,
    ) -> None:  # fmt: skip
        """Write a field with the text that it shows until it is brought up to date."""
        home = paragraph._p if parent is None else parent
        self._mark(home, "begin", code, dirty=dirty)
        self._mark(home, None, code)
        self._mark(home, "separate", code)
        self._text(paragraph, shown, style, parent=parent)
        self._mark(home, "end", code)

    def _mark(self, home: Any, kind: str | None, code: str, *, dirty: bool = False) -> None:
        from docx.oxml.ns import qn

        run = element("r")
        if kind is None:
            instruction = element("instrText")
            instruction.set(qn("xml:space"), "preserve")
            instruction.text = f" {code} "
            run.append(instruction)
        else:
            mark = element("fldChar", fldCharType=kind)
            if dirty:
                mark.set(qn("w:dirty"), "true")
            run.append(mark)
        home.append(run)

    # --- lists ------------------------------------------------------------------------------------
    def _new_list(self) -> str:
        """Make a list that counts from one; else all lists would be one."""
        numbering = self.file.part.numbering_part.element
        style = self.file.styles["List Number"].element
        known = style.find(f".//{qualified('numId')}")
        number = next(n for n in numbering.num_lst if str(n.numId) == known.get(qualified("val")))
        new = numbering.add_num(number.abstractNumId.val)
        override = new.add_lvlOverride(ilvl=0)
        override.add_startOverride(1)
        return str(new.numId)

    def _numbered(self, paragraph: Any, number: str) -> None:
        properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
        properties.get_or_add_ilvl().val = 0
        properties.get_or_add_numId().val = int(number)
