"""Typst as the one renderer: fonts and their coverage, PDF, and drawings as pictures."""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sdq_core.documents.typography import visible
from sdq_core.errors import FontError, UsageError

if TYPE_CHECKING:
    from typst import Fonts

__all__ = ["CHINESE", "Typesetter", "printable"]

BODY: Final = "Libertinus Serif"
"""Comes with typst, so that the same Latin letters are there on every machine."""
CHINESE: Final = (
    "Noto Serif CJK SC", "Noto Serif SC", "Source Han Serif SC", "Source Han Serif CN",
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN",
    "Songti SC", "STSong", "SimSun", "PingFang SC", "Microsoft YaHei", "SimHei",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback",
)  # fmt: skip
"""Families with simplified Chinese, the one that is set best first."""
REMEDY: Final = (
    "install one, e.g. `apt-get install fonts-noto-cjk` (Noto Serif CJK SC), or name the folder "
    "of a font file by --font-path"
)
PIXELS: Final = 220.0
"""Dots per inch of pictures."""
_POINT: Final = 0.75
"""Points of a CSS pixel."""
_LACKS: Final = re.compile(r"the text `\"(.*?)\"` could not be displayed")
_ESCAPE: Final = re.compile(r"\\u\{([0-9a-f]+)\}")


def printable(words: str, missing: Collection[str] = ()) -> str:
    r"""Return a text with everything that no font shows written out.

    Parameters
    ----------
    words : str
    missing : collection of str
        Characters that no font of this machine shows.

    Returns
    -------
    str
        As `visible`; private, unassigned and missing characters are backslash escapes too.

    Examples
    --------
    >>> printable("a\u202eb \U000f0000")
    'a\\u202eb \\U000f0000'
    """
    return "".join(
        c.encode("unicode_escape").decode()
        if c in missing or unicodedata.category(c) in ("Co", "Cn")
        else c
        for c in visible(words)
    )


@dataclass(frozen=True)
class Typesetter:
    """Typst with the fonts of this machine.

    Parameters
    ----------
    fonts : typst.Fonts
    families : tuple of str
        For the body, in their order.
    system : bool
        Whether fonts of the system may stand in for characters that those lack.
    """

    fonts: Fonts
    families: tuple[str, ...]

    @classmethod
    def for_language(
        cls, language: str, font_path: Path | None = None, *, system: bool = True
    ) -> Typesetter:
        """Find the fonts of one language.

        Parameters
        ----------
        language : {"en", "zh"}
        font_path : Path, optional
            Folder with font files, beside those of the system.
        system : bool
            Whether to look at the fonts of the system.

        Raises
        ------
        UsageError
            The package typst is missing, or the folder is none.
        FontError
            There is no font with Chinese characters for a Chinese document.
        """
        try:
            import typst
        except ImportError as error:
            raise UsageError(
                "documents: PDF and the pictures of DOCX need the package typst, which is not "
                "installed; pip install 'sdq[report]'"
            ) from error
        if font_path is not None and not font_path.is_dir():
            raise UsageError(f"--font-path: {font_path} is no folder; give one with font files")
        folders = [] if font_path is None else [str(font_path)]
        fonts = typst.Fonts(include_system_fonts=system, font_paths=folders)
        there = {font.family.casefold(): font.family for font in fonts.fonts()}
        own = []
        if font_path is not None:
            root = font_path.resolve()
            given = (f for f in fonts.fonts() if f.path and Path(f.path).is_relative_to(root))
            own = sorted({font.family for font in given})
        known = [there[f.casefold()] for f in CHINESE if f.casefold() in there]
        chinese = [*known, *(f for f in own if f not in known)]
        if language == "zh" and not chinese:
            raise FontError(
                f"documents: no font with Chinese characters is installed, and Chinese PDF and "
                f"pictures need one; {REMEDY}"
            )
        return cls(fonts, (BODY, *chinese))

    @property
    def drawing_family(self) -> str:
        """The family of the words in drawings: the Chinese one, where there is one."""
        return self.families[1] if len(self.families) > 1 else BODY

    def unshown(self, texts: Iterable[str], language: str) -> frozenset[str]:
        """Return the signs that no font shows, to be written out; letters must all be shown.

        Parameters
        ----------
        texts : iterable of str
            As they are printed: after `printable`.
        language : {"en", "zh"}

        Returns
        -------
        frozenset of str
            Emoji and the like, which only names from data bring along.

        Raises
        ------
        FontError
            No font shows a letter; names some of them.
        """
        # Spaces of all kinds and line ends need no glyph.
        characters = {c for text in texts for c in text if not c.isspace()}
        given = {"characters": sorted(characters), "language": language}
        try:
            self._compile("glyphs.typ", given, format="pdf", pdf_standards=["a-3b"], timestamp=0)
        except _UnshownError as error:
            letters = [c for c in error.characters if unicodedata.category(c)[0] in "LM"]
            if letters:
                raise FontError(_lacks(letters)) from error
            return frozenset(error.characters)
        return frozenset()

    def pdf(self, document: dict[str, Any], attachment: bytes, made: dt.datetime) -> bytes:
        """Typeset a document as PDF/A-3b.

        Parameters
        ----------
        document : dict
            The blocks as plain data.
        attachment : bytes
            ``result.json``, which is attached.
        made : datetime
            Creation date of the file.

        Raises
        ------
        FontError
            A character cannot be shown.
        """
        found = self._compile(
            "document.typ", document, attachment=attachment.decode(), format="pdf",
            pdf_standards=["a-3b"], timestamp=made,
        )  # fmt: skip
        assert isinstance(found, bytes)
        return found

    def pictures(self, drawings: Sequence[tuple[str, float, float]]) -> list[bytes]:
        """Draw SVG files as PNG.

        Parameters
        ----------
        drawings : sequence of (str, float, float)
            SVG, width and height in CSS pixels.
        """
        if not drawings:
            return []
        pages = [
            {"svg": svg, "width": width * _POINT, "height": height * _POINT}
            for svg, width, height in drawings
        ]
        found = self._compile("pictures.typ", {"pages": pages}, format="png", ppi=PIXELS)
        return [found] if isinstance(found, bytes) else found

    def _compile(
        self, source: str, data: dict[str, Any], *, attachment: str = "", **options: Any
    ) -> bytes | list[bytes]:
        """Compile one of our own sources; what is in the data reaches it as JSON only."""
        import typst

        given = {"families": list(self.families), **data}
        try:
            found: bytes | list[bytes] = typst.compile(
                (files("sdq_core.documents") / "templates" / source).read_bytes(),
                font_paths=self.fonts,
                sys_inputs={
                    "data": json.dumps(given, ensure_ascii=False), "attachment": attachment,
                },
                **options,
            )  # fmt: skip
        except typst.TypstError as error:
            lacking = _LACKS.findall(error.diagnostic)
            if not lacking:
                raise
            texts = (_ESCAPE.sub(lambda m: chr(int(m[1], 16)), text) for text in lacking)
            characters = sorted({c for text in texts for c in text if not c.isspace()})
            raise _UnshownError(_lacks(characters), characters) from error
        return found


class _UnshownError(FontError):
    """No font shows some characters."""

    def __init__(self, message: str, characters: Sequence[str]) -> None:
        super().__init__(message)
        self.characters = tuple(characters)


def _lacks(characters: Sequence[str]) -> str:
    """Say which characters no font shows."""
    named = ", ".join(f"{c} (U+{ord(c):04X})" for c in characters[:5])
    more = f" and {len(characters) - 5} more" if len(characters) > 5 else ""
    return (
        f"documents: no font on this machine shows {named}{more}, and PDF and pictures need one "
        f"for every character; {REMEDY}"
    )
