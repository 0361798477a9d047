"""The one exception tree of sdq.

    SdqError
    |-- UsageError          the command line or an argument is wrong            (exit code 2)
    |-- StudyError          study.yaml, a label table or a profile is wrong     (exit code 2)
    |-- InputError          a cohort or an item cannot be used
    |   `-- UnreadableItem  one item cannot be read: becomes a finding, the run goes on
    |-- PluginError         a modality cannot be found or used
    |-- StoreError          the store or an output file cannot be written or read
    |-- BundleError         a key or an evidence bundle cannot be made or read
    |-- ReviewError         the manual review does not allow what was asked of it
    |-- TranslationError    a message of the program lacks its Chinese
    `-- FontError           no font shows a character that a document needs

Every message names the object, the rule, what was found, and the remedy.
"""

from __future__ import annotations

__all__ = [
    "BundleError",
    "FontError",
    "InputError",
    "PluginError",
    "ReviewError",
    "SdqError",
    "StoreError",
    "StudyError",
    "TranslationError",
    "UnreadableItem",
    "UsageError",
]


class SdqError(Exception):
    """Base of every error that sdq raises on purpose."""


class UsageError(SdqError):
    """An argument or a command-line option cannot be used."""


class StudyError(SdqError):
    """A study file, a label table or a profile breaks its schema."""


class InputError(SdqError):
    """A cohort cannot be used."""


class UnreadableItem(InputError):
    """One item cannot be read.

    Parameters
    ----------
    rule : str
        Identifier of the finding that this becomes, e.g. ``"imaging.structure.truncated"``.
    message : str
        What was found and what to do; must not quote values of the item's content.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule

    def __reduce__(self) -> tuple[type[UnreadableItem], tuple[str, str]]:
        # Exceptions with more than one argument need this to travel between processes.
        return (type(self), (self.rule, str(self)))


class PluginError(SdqError):
    """A modality plugin is missing, broken or claimed twice."""


class StoreError(SdqError):
    """The store or an output file cannot be written or read."""


class BundleError(SdqError):
    """A signing key or an evidence bundle cannot be made or read."""


class ReviewError(SdqError):
    """The manual review is not in the state that was needed, or does not allow what was asked."""


class TranslationError(SdqError):
    """A message of the program lacks its Chinese: a fault of the program, found before writing."""


class FontError(SdqError):
    """No font of this machine shows a character that a document needs."""
