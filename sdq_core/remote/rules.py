"""Findings about members of archives and objects that were left out."""

from __future__ import annotations

from typing import Final

from sdq_core.finding import Finding
from sdq_core.vocabulary import Severity

__all__ = ["RULES", "left_out"]

RULES: Final[dict[str, tuple[str, str]]] = {
    "member_outside": (
        "the member's name leads out of the cohort's folder; it was left out, pack it anew",
        "成员名称指向数据集文件夹之外，已忽略；请重新打包",
    ),
    "member_not_a_file": (
        "the member is a link or a device, not a file; it was left out, pack the file itself",
        "成员为链接或设备而非文件，已忽略；请打包文件本身",
    ),
    "member_encrypted": (
        "the member is encrypted; it was left out, pack it without a password",
        "成员已加密，已忽略；请不设密码重新打包",
    ),
    "member_twice": (
        "a member of this name came before (capital letters aside, where the disk ignores them); "
        "the first one counts, remove or rename the other",
        "此前已有同名成员（若磁盘不区分大小写则忽略大小写），以第一个为准；请删除或改名",
    ),
    "member_damaged": (
        "the member does not match its checksum or its length; it was left out, pack it anew",
        "成员与其校验和或长度不符，已忽略；请重新打包",
    ),
    "object_changed": (
        "the object changed each time that it was fetched; it was left out, run again when the "
        "cohort is at rest",
        "对象每次获取时均发生变化，已忽略；请在数据集不再变动后重新运行",
    ),
    "object_unreadable": (
        "the object cannot be fetched; it was left out, check that you may read it, and run again",
        "对象无法获取，已忽略；请检查读取权限后重新运行",
    ),
}
"""Rule -> message in English and in Chinese."""


def left_out(rule: str, name: str) -> Finding:
    """Return the finding that something was left out.

    Parameters
    ----------
    rule : str
        Key of `RULES`.
    name : str
        Of the member, relative to the cohort.

    Examples
    --------
    >>> left_out("member_outside", "../a.png").rule
    'core.structure.member_outside'
    """
    english, chinese = RULES[rule]
    # A name may hold anything: what cannot be printed is escaped.
    shown = (
        name.encode("unicode_escape", "backslashreplace").decode()
        if not name.isprintable()
        else name
    )
    return Finding(f"core.structure.{rule}", Severity.ERROR, english, chinese, item=shown)
