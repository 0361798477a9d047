"""The Chinese of what documents say: a gettext catalogue, whose messages are the English."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from sdq_core.errors import TranslationError, UsageError
from sdq_core.vocabulary import Language

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

__all__ = ["CATALOGUE", "Translator", "catalogue", "translator"]

CATALOGUE: Final = "locale/zh/LC_MESSAGES/sdq.po"
"""Where the catalogue lies in the package; `tools/messages.py` brings it up to date."""


class Translator:
    """Says the messages of the program in one language.

    Parameters
    ----------
    language : {"en", "zh"}

    Examples
    --------
    >>> Translator("en").gettext("Evidence"), Translator("zh").gettext("Evidence")
    ('Evidence', '证据')
    """

    def __init__(self, language: Language | str) -> None:
        self.language = Language(language)

    def gettext(self, message: str) -> str:
        """Return a message in the language.

        Parameters
        ----------
        message : str
            English, as it stands in the source.

        Raises
        ------
        TranslationError
            The catalogue has no Chinese for it. A document that a regulator reads is not written
            half in another language, and a test keeps this from happening.
        """
        return message if self.language is Language.EN else _chinese(message, None)

    def pgettext(self, context: str, message: str) -> str:
        """Return a message that means different things in different places.

        Parameters
        ----------
        context : str
            Which of its meanings.
        message : str

        Raises
        ------
        TranslationError
            The catalogue has no Chinese for it.
        """
        return message if self.language is Language.EN else _chinese(message, context)


def translator(language: Language | str) -> Translator:
    """Return the translator of a language.

    Parameters
    ----------
    language : {"en", "zh"}

    Raises
    ------
    UsageError
        The language is none that sdq writes.
    """
    if language not in set(Language):
        raise UsageError(
            f"language: {language!r} is none that sdq writes; use one of {', '.join(Language)}"
        )
    return _translator(Language(language))


@cache
def _translator(language: Language) -> Translator:
    return Translator(language)


@cache
def catalogue() -> Catalog:
    """Return the catalogue of the Chinese messages.

    Examples
    --------
    >>> str(catalogue().locale)
    'zh'
    """
    from babel.messages.pofile import read_po

    with (files("sdq_core") / CATALOGUE).open("rb") as file:
        return read_po(file, locale="zh")


def _chinese(message: str, context: str | None) -> str:
    found = catalogue().get(message, context)
    if found is None or not found.string or found.fuzzy:
        raise TranslationError(
            f"translation: the catalogue {CATALOGUE} has no Chinese for {message!r}; no document "
            f"is written half in English: please report this, or write it in English"
        )
    return str(found.string)
