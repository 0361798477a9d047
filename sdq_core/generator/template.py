"""A commented description to fill in, written from the table of facts."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from sdq_core.generator.facts import definitions

__all__ = ["template"]

EMPTY: Final = {"text": '""', "number": "", "mapping": "{}", "list": "[]"}

HEAD: Final[dict[str, str]] = {
    "en": """\
# The generator's description: what the provider states of the synthesis. Fill in, then run
#   sdq check generator.yaml        what is missing, by requirement
# and name it in the study: generator: generator.yaml
#
# Every key is optional; the share that is filled in is measured. In brackets stands the requirement
# that asks for it. A text may be given in both languages: {en: ..., zh: ...}. Where something does
# not exist, write none: an empty key means "not provided".
""",
    "zh": """\
# 生成器说明：合成数据提供方对合成过程的说明。填写后运行
#   sdq check generator.yaml --language zh        按要求列出缺项
# 并在评价任务文件中写明：generator: generator.yaml
#
# 各键均可不填；已填写的比例计入评价。方括号内为提出该项的要求编号。文本可同时给出两种语言：
# {en: ..., zh: ...}。确实没有的内容请写 none：空键表示“未提供”。
""",
}
CHECKLIST: Final[dict[str, str]] = {
    "en": """
# --- Answers to the privacy checklist ----------------------------------------------------------
# answer: yes, no or not_applicable; evidence: a document. A measured failure is never overridden.
# compliance:
""",
    "zh": """
# --- 隐私合规性核查表的回答 ----------------------------------------------------------------------
# answer 取 yes、no 或 not_applicable；evidence 为证据文件。实测的不通过不会被此处的回答覆盖。
# compliance:
""",
}


def template(language: str = "en") -> str:
    """Return a commented description to fill in; as it is, it states nothing.

    Parameters
    ----------
    language : {"en", "zh"}
        Of the comments.

    Returns
    -------
    str
        YAML that `sdq_core.generator.load_generator` accepts.

    Examples
    --------
    >>> "  # Unique" in template(), template("zh").splitlines()[-1]
    (False, '#   WP216-MEMBERSHIP: {answer: , evidence: }')
    """
    from sdq_core.requirements import questions

    own = 1 if language == "zh" else 0
    lines = [HEAD[language] + "schema: sdq.generator/1"]
    for title, facts in groupby(definitions(), key=lambda d: d.section):
        lines.append(f"\n# --- {title[own]} ".ljust(99 - own * len(title[own]), "-"))
        opened = ""
        for fact in facts:
            parent, dot, name = fact.key.rpartition(".")
            indent = "  " if dot else ""
            if parent != opened and dot:
                lines.append(f"{parent}:")
            opened = parent
            lines.append(f"{indent}# {fact.wanted[own]} [{fact.requirement}]")
            if fact.choices:
                lines += [f"{indent}#   {word}: {s[own]}" for word, s in fact.choices.items()]
            lines.append(f"{indent}{name}: {EMPTY[fact.form]}".rstrip())
    answers = "".join(
        f"#   # {said[own]}\n#   {id_}: {{answer: , evidence: }}\n"
        for id_, said in questions().items()
    )
    return "\n".join(lines) + "\n" + CHECKLIST[language] + answers
