"""The Chinese of the documents: complete, current, and never silently missing."""

import re
import sys
from pathlib import Path

import pytest

from sdq_core.errors import TranslationError, UsageError
from sdq_core.translation import catalogue, translator

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import messages

CHINESE = re.compile("[\u3400-\u9fff]")


def test_every_message_of_the_source_has_its_chinese_and_no_other_does():
    assert messages.problems() == []
    assert len(list(messages.extracted())) > 60


def test_the_catalogue_is_as_the_tool_writes_it():
    assert messages.CATALOGUE.read_bytes() == messages.written(messages.updated())


def test_the_check_sees_what_is_missing_and_what_is_old(monkeypatch):
    known = messages.current()
    known.delete("Evidence")
    known.get("Signature").string = ""
    known.add("a message of yesterday", "昨日的语句")
    monkeypatch.setattr(messages, "current", lambda: known)
    found = messages.problems()
    assert found[:2] == ["no Chinese: 'Evidence'", "no Chinese: 'Signature'"]
    assert found[2:] == ["not in the source any more: 'a message of yesterday'"]


def test_both_languages_name_the_same_fields():
    for message in catalogue():
        if message.id:
            fields = [sorted(re.findall(r"\{(\w+)\}", t)) for t in (message.id, message.string)]
            assert fields[0] == fields[1], message.id
            assert CHINESE.search(message.string), message.id
            assert not CHINESE.search(message.id)


def test_says_a_message_in_each_language():
    assert translator("en").gettext("Evidence") == "Evidence"
    assert translator("zh").gettext("Evidence") == "证据"


def test_a_message_without_chinese_is_an_error_never_english():
    for say in (translator("zh").gettext, lambda m: translator("zh").pgettext("here", m)):
        with pytest.raises(TranslationError, match="'no such message'"):
            say("no such message")
    assert translator("en").pgettext("here", "no such message") == "no such message"


def test_refuses_another_language():
    with pytest.raises(UsageError, match="'fr'"):
        translator("fr")
