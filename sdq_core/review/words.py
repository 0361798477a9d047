"""The words of the readers' pages, in both languages."""

from __future__ import annotations

from typing import Final

from sdq_core.vocabulary import Language

__all__ = ["WORDS", "words"]

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Manual review", "人工审查"),
    "enter": ("Enter", "进入"),
    "token": ("Access code", "访问码"),
    "token_lead": (
        "Enter the access code that you were given.",
        "请输入发给您的访问码。",
    ),
    "language": ("中文", "English"),
    "leave": ("Leave", "退出"),
    "progress": ("{done} of {total}", "{done} / {total}"),
    "session": ("Session {session} of {sessions}", "第 {session} 阶段，共 {sessions} 阶段"),
    "training": ("Training case: the answer follows", "训练样本：随后给出答案"),
    "changing": ("You are changing your answer to this case", "您正在修改该样本的回答"),
    "welcome": ("Before you begin", "开始之前"),
    "about_real_or_synthetic": (
        "You will see one case after another. Some are of real patients, some were made by a "
        "program; how many of each is not told. Say for each how sure you are.",
        "您将逐一看到样本。其中有的来自真实患者，有的由程序生成；两者的数量不予告知。"
        "请对每个样本给出判断及把握程度。",
    ),
    "about_pairs": (
        "You will see two cases side by side. One is of a real patient, one was made by a program. "
        "Say which one was made.",
        "您将看到并列的两个样本：一个来自真实患者，一个由程序生成。请指出哪一个是生成的。",
    ),
    "about_rating": (
        "You will see one case after another, real and made ones mixed. Rate each statement from 1 "
        "(not at all) to 5 (fully).",
        "您将逐一看到真实与生成混合的样本。请对每项陈述按 1（完全不符）至 5（完全符合）评分。",
    ),
    "about_completeness": (
        "You will see one case after another, real and made ones mixed. Answer each point of the "
        "checklist, and say in the comment what is wrong.",
        "您将逐一看到真实与生成混合的样本。请逐项回答核查表，并在备注中说明问题所在。",
    ),
    "rules": (
        "Judge alone, without other sources, and do not speak about cases before the study is "
        "closed. You may stop at any time; you go on where you were. Only your last answer can be "
        "changed.",
        "请独立判断，不借助其他资料，研究关闭前不讨论样本。您可随时中断，之后从原处继续。"
        "仅可修改上一个回答。",
    ),
    "display_check": ("Check of your screen", "屏幕检查"),
    "display_check_lead": (
        "You should see a step between every two grey fields, and a small square inside the "
        "darkest and the brightest. Otherwise change the brightness or the room's light. Set the "
        "browser's zoom to 100 %.",
        "相邻灰阶之间应均可分辨，最暗与最亮的灰阶内应各能看到一个小方块；否则请调整亮度或室内光线。"
        "请将浏览器缩放设为 100%。",
    ),
    "name": ("Your name (optional)", "您的姓名（可不填）"),
    "statement": (
        "I read these cases myself and by these rules.",
        "本人亲自并按上述规则阅读这些样本。",
    ),
    "begin": ("Begin", "开始"),
    "comment": ("Comment", "备注"),
    "confirm": ("Confirm", "确认"),
    "previous": ("Change the case before", "修改上一个样本"),
    "back_to_case": ("Keep my answer", "保留原回答"),
    "continue": ("Continue", "继续"),
    "feedback": ("Answer to the training case", "训练样本的答案"),
    "it_is": ("It is: {truth}.", "该样本为：{truth}。"),
    "you_said": ("You said: {said}.", "您的回答：{said}。"),
    "real": ("real", "真实"),
    "synthetic": ("synthetic", "合成"),
    "left": ("the left one is synthetic", "左侧为合成"),
    "right": ("the right one is synthetic", "右侧为合成"),
    "class": ("Declared class: {label}", "声明类别：{label}"),
    "washout": ("A pause between two sessions", "两个阶段之间的间隔"),
    "washout_lead": (
        "The next session opens on {until} (UTC). The same link brings you back.",
        "下一阶段于 {until}（UTC）开放。届时可用同一链接继续。",
    ),
    "done": ("All cases are read", "全部样本已阅读"),
    "done_lead": (
        "Thank you. Your answers are saved; you may close this page.",
        "感谢参与。您的回答已保存，可关闭本页。",
    ),
    "closed": ("The study is closed", "研究已关闭"),
    "closed_lead": ("No more answers are taken.", "不再接受回答。"),
    "refused": ("This was not possible", "操作未被接受"),
    "back": ("Back to the review", "返回审查"),
    "keys": ("Keys", "按键"),
    "key_answer": ("answer", "作答"),
    "key_confirm": ("confirm", "确认"),
    "key_next": ("next question", "下一题"),
    "key_frames": ("{frame}", "{frame}"),
    "key_window": ("window", "窗位"),
    "key_zoom": ("zoom", "缩放"),
    "key_previous": ("change the one before", "修改上一个"),
    "key_comment": ("comment", "备注"),
    "saving": ("Saving …", "正在保存……"),
    "offline": (
        "The server cannot be reached. Your answer stays on this page and is sent again by itself.",
        "无法连接服务器。您的回答保留在本页，将自动重新发送。",
    ),
    "incomplete": ("Answer every question first.", "请先回答所有问题。"),
    "picture_of": ("Case {number}", "样本 {number}"),
    "side_left": ("Left", "左"),
    "side_right": ("Right", "右"),
}


def words(key: str, language: Language | str, **values: object) -> str:
    """Return words of the pages in one language.

    Examples
    --------
    >>> words("progress", "zh", done=3, total=40)
    '3 / 40'
    """
    return WORDS[key][1 if Language(language) is Language.ZH else 0].format(**values)
