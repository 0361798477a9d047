"""What the signature of a bundle shows and what it does not: the same words everywhere."""

from __future__ import annotations

from typing import Final

__all__ = ["DOES_NOT_SHOW", "SHOWS", "meaning"]

SHOWS: Final = (
    (
        "Every file named in the seal is, to the last bit, the one that was sealed; none was "
        "added and none was taken away.",
        "封条所列的每个文件与封存时逐位相同, 既未增加, 也未缺失。",
    ),
    (
        "Whoever sealed the bundle held the private key that belongs to the public key.",
        "封存者当时持有与该公钥对应的私钥。",
    ),
    (
        "With --data: the data files are, to the last bit, those that the evaluation read.",
        "使用 --data 时: 数据文件与评价时读取的文件逐位相同。",
    ),
)
"""English and Chinese of what a verified bundle shows."""

DOES_NOT_SHOW: Final = (
    (
        "When it was sealed. The times in the files are what the evaluating machine's clock said; "
        "whoever holds the key can seal anew. For a provable time, deposit the bundle or its "
        "SHA-256 with a trusted time-stamping service.",
        "封存的时间。文件中的时间取自评价所用计算机的时钟, 持有密钥者可以重新封存。"
        "如需可证明的时间, 请将证据包或其 SHA-256 提交可信时间戳服务。",
    ),
    (
        "Who holds the key. Get the public key, or its key id, from the laboratory by another way "
        "than the bundle.",
        "密钥由谁持有。请通过证据包以外的途径从实验室取得公钥或其密钥标识。",
    ),
    (
        "That the data are what their provider says they are: where they come from, that the "
        "generator learned from them and from nothing else, that the statements about it are true.",
        "数据确如提供方所述: 数据的来源, 生成器仅用这些数据训练, 以及有关生成器的陈述属实。",
    ),
    (
        "That the evaluation was right. It shows what was found, with which software, settings "
        "and criteria, so that others can repeat it.",
        "评价本身正确。它只表明用何种软件、设置和接受准则得到了何种结果, 以便他人重复。",
    ),
)
"""English and Chinese of what a verified bundle does not show."""


def meaning(language: str = "en") -> str:
    """Return both lists as plain text.

    Parameters
    ----------
    language : {"en", "zh"}

    Examples
    --------
    >>> print(meaning().splitlines()[0])
    What the seal shows:
    >>> meaning("zh").splitlines()[0]
    '封条能证明:'
    """
    index = int(language == "zh")
    heads = (
        ("What the seal shows:", "What it does not show:"),
        ("封条能证明:", "封条不能证明:"),
    )[index]
    lines = []
    for head, points in zip(heads, (SHOWS, DOES_NOT_SHOW), strict=True):
        lines += [head, *(f"  - {point[index]}" for point in points)]
    return "\n".join(lines)
