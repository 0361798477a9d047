"""The structural rules of reading, with their severity and their Chinese sentences."""

from __future__ import annotations

from typing import Final

from sdq_core.rule_book import RuleBook
from sdq_core.vocabulary import Severity

__all__ = ["RULES", "finding", "finding_for"]

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

# rule -> (severity, English, Chinese)
RULES: Final[dict[str, tuple[Severity, str, str]]] = {
    "empty_file": (
        ERROR,
        "the file has no bytes; write it again",
        "文件为空, 请重新生成",
    ),
    "truncated": (
        ERROR,
        "the file ends before its pixels do; write it again",
        "文件在像素数据结束前中断, 请重新生成",
    ),
    "encrypted": (
        ERROR,
        "the file is encrypted; give it decrypted",
        "文件已加密, 请提供解密后的文件",
    ),
    "not_an_image": (
        ERROR,
        "the file is no image that can be read; remove or replace it",
        "文件不是可读取的图像, 请删除或替换",
    ),
    "no_pixel_data": (
        ERROR,
        "the object has no pixel data; remove it or give the image",
        "对象没有像素数据, 请删除或提供图像",
    ),
    "unsupported": (
        ERROR,
        "the pixel format is not supported; convert it",
        "不支持该像素格式, 请转换",
    ),
    "not_finite": (
        ERROR,
        "pixels are NaN, infinite or beyond 1e30; replace them",
        "像素值为 NaN、无穷大或绝对值超过 1e30, 请替换",
    ),
    "decompression_bomb": (
        ERROR,
        "declares more pixels than the limit; raise settings.max_pixels if that is meant",
        "声明的像素数超过上限, 若属实请调大 settings.max_pixels",
    ),
    "constant": (
        ERROR,
        "all pixels are equal; remove or replace the image",
        "所有像素值相同, 请删除或替换该图像",
    ),
    "mask_size": (
        ERROR,
        "the mask has another size than the image; make them equal",
        "掩膜与图像尺寸不同, 请统一",
    ),
    "mask_unreadable": (
        ERROR,
        "the mask cannot be read; write it again",
        "掩膜无法读取, 请重新生成",
    ),
    "alpha_dropped": (
        WARNING,
        "the picture has a transparency channel, which was left out",
        "图片含透明通道, 已忽略",
    ),
    "link_outside": (
        WARNING,
        "the link leads out of the cohort's folder and was not followed",
        "链接指向数据集文件夹之外, 未跟随",
    ),
    "link_loop": (
        WARNING,
        "the link leads back to a folder that holds it, or to nothing, and was not followed",
        "链接指回其所在的上级文件夹或不存在的目标, 未跟随",
    ),
    "unreadable_folder": (
        WARNING,
        "the folder or file cannot be opened; check its permissions",
        "无法打开文件夹或文件, 请检查权限",
    ),
    "geometry": (
        WARNING,
        "the slices do not share size and orientation, or lie in one place; each was taken alone",
        "各切片的尺寸或方向不一致, 或位置重合, 已按单张处理",
    ),
    "uneven_slices": (
        WARNING,
        "the slices of the volume do not lie at even distances, so one may be missing; the median "
        "distance was taken; complete the series",
        "体数据的切片间距不均匀, 可能缺少切片, 已取间距的中位数; 请补全序列",
    ),
}


_BOOK = RuleBook("imaging", RULES)
finding, finding_for = _BOOK.finding, _BOOK.finding_for
