"""What the review does not allow, in words for the reader."""

from __future__ import annotations

from typing import Final

from sdq_core.errors import ReviewError
from sdq_core.vocabulary import Language

__all__ = ["REFUSALS", "Refused", "refusal"]

# code -> HTTP status, English, Chinese
REFUSALS: Final[dict[str, tuple[int, str, str]]] = {
    "token": (
        403,
        "This access code is not known. Use the link that you were given, or ask the coordinator.",
        "访问码无效。请使用发给您的链接，或联系协调员。",
    ),
    "origin": (
        403,
        "This form did not come from a page of the review. Open the review again and repeat.",
        "该表单并非来自本审查页面。请重新打开审查页面后重试。",
    ),
    "host": (
        400,
        "This address does not serve the review. Use the link that you were given.",
        "该地址不提供本审查。请使用发给您的链接。",
    ),
    "key": (
        403,
        "The answers are sealed until the study is closed; nobody can see them here.",
        "研究关闭前答案处于密封状态，任何人均无法在此查看。",
    ),
    "closed": (
        409,
        "The study is closed; this answer came late. It is kept in the log but does not count.",
        "研究已关闭，该回答已迟到：已记入日志，但不计入分析。",
    ),
    "not_shown": (
        409,
        "This case was not shown to you yet. Continue with the case on the page.",
        "该样本尚未向您显示。请继续当前页面的样本。",
    ),
    "repeated": (
        409,
        "This case has another answer already; the first one is kept. Continue with the next case.",
        "该样本已有不同的回答，保留先前的回答。请继续下一个样本。",
    ),
    "revision": (
        409,
        "Only the case before this one can be changed, in the same session.",
        "仅可在同一阶段内修改前一个样本的回答。",
    ),
    "washout": (
        409,
        "The pause between two sessions is not over.",
        "两个阶段之间的间隔尚未结束。",
    ),
    "session": (
        409,
        "This session has not begun. Open the review again and begin it.",
        "该阶段尚未开始。请重新打开审查并开始。",
    ),
    "answers": (
        400,
        "An answer is missing or is none of those offered. Answer every question.",
        "有问题未作答或选项无效。请回答所有问题。",
    ),
    "too_large": (
        413,
        "This is longer than the review takes. Shorten the comment.",
        "内容超出长度限制。请缩短备注。",
    ),
    "picture": (
        404,
        "There is no such picture for you now. Continue with the case on the page.",
        "当前没有可供您查看的该图像。请继续当前页面的样本。",
    ),
    "not_found": (
        404,
        "There is no such page. Go back to the review.",
        "没有该页面。请返回审查。",
    ),
    "event": (
        400,
        "The review does not know this kind of message.",
        "无法识别该消息类型。",
    ),
    "disk_full": (
        507,
        "The answer could not be saved: the disk of the server is full. It is still on this page; "
        "tell the coordinator and confirm again when there is room.",
        "回答未能保存：服务器磁盘已满。回答仍保留在本页；请告知协调员，待空间恢复后再次确认。",
    ),
    "database": (
        503,
        "The answer could not be saved: the database does not answer. It is still on this page; "
        "confirm again in a moment.",
        "回答未能保存：数据库无响应。回答仍保留在本页，请稍后再次确认。",
    ),
    "changed": (
        500,
        "A picture is not as it was sealed at the opening. Tell the coordinator; do not go on.",
        "图像与开启时封存的内容不一致。请告知协调员，暂停阅片。",
    ),
}


class Refused(ReviewError):
    """Something asked of the review that it does not allow.

    Parameters
    ----------
    code : str
        Key of `REFUSALS`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(REFUSALS[code][1])
        self.code = code

    def __reduce__(self) -> tuple[type[Refused], tuple[str]]:
        return (type(self), (self.code,))

    @property
    def status(self) -> int:
        """HTTP status."""
        return REFUSALS[self.code][0]


def refusal(code: str, language: Language | str) -> str:
    """Return the message of a refusal in one language.

    Examples
    --------
    >>> refusal("not_found", "zh")
    '没有该页面。请返回审查。'
    """
    _, english, chinese = REFUSALS[code]
    return chinese if Language(language) is Language.ZH else english
