"""The structural rules of reading, with their severity and their Chinese sentences."""

from __future__ import annotations

from typing import Final

from sdq_core.finding import Finding
from sdq_core.identifiers import identifiers_in_text
from sdq_core.rule_book import RuleBook
from sdq_core.vocabulary import Severity

__all__ = ["RULES", "finding", "finding_for", "text_findings"]

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
    "mask_geometry": (
        ERROR,
        "the mask lies elsewhere in space than the image, or has pixels of another size; write it "
        "with the image's own geometry",
        "掩膜与图像的空间位置或像素大小不一致, 请按图像的几何信息重新生成",
    ),
    "mask_values": (
        ERROR,
        "the mask holds values that are no labels: whole numbers from 0 to 255; write labels",
        "掩膜含有非标签值 (应为 0 至 255 的整数), 请写入标签值",
    ),
    "mask_missing": (
        INFO,
        "no mask was found for the image, so that nothing is known of its regions",
        "未找到该图像的掩膜, 无法评价其区域",
    ),
    "mask_empty": (
        INFO,
        "the mask marks no region",
        "掩膜未标记任何区域",
    ),
    "semantics.mask_label": (
        ERROR,
        "the mask holds a label that settings.regions does not declare; correct either",
        "掩膜含有 settings.regions 未声明的标签, 请更正其一",
    ),
    "semantics.region_size": (
        ERROR,
        "the region's size lies outside the range that settings.regions declares as plausible; "
        "check the mask",
        "区域大小超出 settings.regions 声明的合理范围, 请检查掩膜",
    ),
    "semantics.mask_on_nothing": (
        ERROR,
        "the image has one and the same value inside the region and around it: the mask marks "
        "nothing; check that mask and image belong together",
        "区域内外的像素值完全相同, 掩膜未标记任何结构; 请检查掩膜与图像是否对应",
    ),
    "semantics.pair": (
        WARNING,
        "cannot be compared with the real item that it is declared to stand for: one of them "
        "cannot be read, or their voxels differ; bring both to one grid",
        "无法与其声明对应的真实样本比较: 其一不可读取, 或体素网格不同; 请统一网格",
    ),
    "embedding_failed": (
        WARNING,
        "the study's own embedding function stopped with an error at this item, which has no such "
        "vector; check the function",
        "评价任务自定义的嵌入函数处理该样本时出错, 该样本没有此特征向量; 请检查该函数",
    ),
    "conformity.nifti_orientation": (
        WARNING,
        "the NIfTI header names no space (sform and qform codes are 0): left and right are not "
        "known; write the codes",
        "NIfTI 文件头未指明坐标空间 (sform 与 qform 代码均为 0), 左右方向不明; 请写入代码",
    ),
    "conformity.nifti_forms": (
        ERROR,
        "sform and qform of the NIfTI header place the image differently, so that programs "
        "disagree; make them equal, or set the code of the wrong one to 0",
        "NIfTI 文件头的 sform 与 qform 给出的空间位置不同, 不同程序的结果会不一致; "
        "请统一, 或将错误一方的代码设为 0",
    ),
    "conformity.nifti_spacing": (
        ERROR,
        "pixdim of the NIfTI header is not the voxel size of its sform; make them equal",
        "NIfTI 文件头的 pixdim 与 sform 的体素大小不一致, 请统一",
    ),
    "conformity.nifti_units": (
        WARNING,
        "the NIfTI header names no unit of length, or none that exists; millimetres were taken; "
        "write xyzt_units",
        "NIfTI 文件头未给出长度单位或单位无效, 已按毫米处理; 请写入 xyzt_units",
    ),
    "conformity.nifti_code": (
        WARNING,
        "the NIfTI header has an sform or qform code that the standard does not know; use 0 to 5",
        "NIfTI 文件头的 sform 或 qform 代码不在标准之内, 请使用 0 至 5",
    ),
    "semantics.spacing": (
        ERROR,
        "pixels are smaller than a micrometre or larger than 10 cm: spacing or its unit is wrong; "
        "correct it",
        "像素小于 1 微米或大于 10 厘米, 间距或其单位有误, 请更正",
    ),
    "identifier.location": (
        ERROR,
        "EXIF tells the place in which the picture was taken; remove the GPS data",
        "EXIF 含有拍摄地点 (GPS), 请删除",
    ),
    "identifier.burned_in_text": (
        WARNING,
        "something in the pixels looks like a line of text; look at it, and cover it if it names "
        "a person, a date or a place",
        "像素中疑似含有一行文字; 请人工查看, 若涉及姓名、日期或地点请遮盖",
    ),
    "identifier.face": (
        WARNING,
        "a volume of a head from which the face may be rebuilt; look at it, and remove the face",
        "头部体数据可能重建出面部; 请人工查看并去除面部",
    ),
    "identifier.face_possible": (
        INFO,
        "a volume of the size of a head without a body part; if it is one, check that the face "
        "cannot be rebuilt",
        "体数据大小与头部相当但未注明部位; 若为头部, 请检查是否可重建面部",
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


def text_findings(text: str, where: str) -> list[Finding]:
    """Return a finding for each kind of direct identifier that a text seems to hold.

    Examples
    --------
    >>> [f.rule for f in text_findings("call 13812345678", "descrip")]
    ['imaging.identifier.mobile_number']
    """
    return [
        Finding(
            f"imaging.identifier.{kind}",
            ERROR,
            "a text inside the file holds what looks like a direct identifier; remove it",
            "文件内的文本疑似包含直接标识符, 请删除",
            where,
        )
        for kind in identifiers_in_text(text)
    ]
