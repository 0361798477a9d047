"""Bring the catalogue of Chinese messages up to date with the source.

    .venv/bin/python tools/messages.py            write new messages into it, drop old ones
    .venv/bin/python tools/messages.py --check    say what is missing or old; exit code 1 if any

New messages stand there with an empty translation: fill them in.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from sdq_core.documents import labels, texts

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "sdq_core"
CATALOGUE = PACKAGE / "locale" / "zh" / "LC_MESSAGES" / "sdq.po"
KEYWORDS = {"gettext": None, "_": None, "pgettext": ((1, "c"), 2)}
"""How the source marks a message; `_` is always ``translator(language).gettext``."""


def extracted() -> Catalog:
    """Return every message of the source, without translation."""
    found = Catalog(project="sdq", version="", locale="zh", fuzzy=False)
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        for _, message, _, context in extract_from_file("python", path, keywords=KEYWORDS):
            found.add(message, context=context, locations=[(place, 1)])
    # Sentences that the report asks for by key: the key is the context of the message.
    for module, table in ((texts, texts.TEXTS), (labels, labels.CODES)):
        place = f"{module.__name__.replace('.', '/')}.py"
        for key, message in table.items():
            found.add(message, context=key, locations=[(place, 1)])
    return found


def current() -> Catalog:
    """Return the catalogue as it is."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh")


def updated() -> Catalog:
    """Return the catalogue with the messages of the source and the translations that it has."""
    known = current() if CATALOGUE.exists() else Catalog(locale="zh")
    found = extracted()
    for message in found:
        if message.id:
            old = known.get(message.id, message.context)
            message.string = old.string if old is not None else ""
    return found


def written(catalogue: Catalog) -> bytes:
    """Return the bytes of a catalogue: sorted, with places but no line numbers and no time."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, omit_header=True, sort_output=True, include_lineno=False, width=98)
    head = (
        "# Chinese of what the documents say. Written by tools/messages.py from the source;\n"
        "# only the lines msgstr are to be edited. Terms of the standard: sdq_core/vocabulary.py.\n"
        'msgid ""\n'
        'msgstr ""\n'
        '"Language: zh\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    )
    return head.encode() + buffer.getvalue()


def problems() -> list[str]:
    """Say what the catalogue lacks and what it has too much."""
    known, wanted = current(), extracted()
    there = {(m.context, m.id): m for m in known if m.id}
    asked = {(m.context, m.id) for m in wanted if m.id}
    said = [f"no Chinese: {key[1]!r}" for key in sorted(asked, key=str)
            if key not in there or not there[key].string]  # fmt: skip
    said += [f"fuzzy: {key[1]!r}" for key, m in there.items() if m.fuzzy]
    said += [f"not in the source any more: {key[1]!r}" for key in there if key not in asked]
    said += [f"not in the source any more: {m.id!r}" for m in known.obsolete.values()]
    return said


def main() -> int:
    """Write the catalogue, or check it."""
    if "--check" not in sys.argv[1:]:
        CATALOGUE.write_bytes(written(updated()))
    found = problems()
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
