"""Conditions of PS3.3 that ask what a file need not hold.

"Required if the image has been calibrated", "if the Patient is an animal": each family of such
sentences has a name (`tools/dicom_questions.py` finds it in the prose), a question for a person,
and, where the file may answer it all the same, a function that reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sdq_imaging.dicom import condition_evidence as told

if TYPE_CHECKING:
    from sdq_core.dicom.levels import Level
    from sdq_imaging.dicom.conditions import Object

__all__ = ["QUESTIONS", "Question"]


@dataclass(frozen=True, slots=True)
class Question:
    """What a condition asks.

    Parameters
    ----------
    english, chinese : str
        The question.
    evidence : callable or None
        ``evidence(level, object) -> bool | None``: what the file tells; None where it does not.
    """

    english: str
    chinese: str
    evidence: Callable[[Level, Object], bool | None] | None = None


QUESTIONS: dict[str, Question] = {
    "animal": Question("is the patient an animal?", "患者是否为动物？", told.animal),
    "procedure_step": Question(
        "was a Performed Procedure Step reported for the series?",
        "该序列是否上报过已执行检查步骤？",
    ),
    "scheduled": Question("was the procedure scheduled?", "该检查是否经过预约？", told.scheduled),
    "protocol": Question(
        "did a protocol control the series?", "该序列是否由采集协议控制？"
    ),
    "temporal": Question(
        "are the images of the series related in time?",
        "序列中的图像在时间上是否相关？",
        told.temporal,
    ),
    "lossy": Question(
        "was the image ever compressed with loss?", "图像是否经过有损压缩？", told.lossy
    ),
    "lossy_before": Question(
        "was the image, or one that it was made from, compressed with loss?",
        "图像或其来源图像是否经过有损压缩？",
        told.lossy_before,
    ),
    "lossy_known": Question(
        "is it known whether the source images were compressed with loss?",
        "是否已知来源图像经过有损压缩？",
    ),
    "calibrated": Question(
        "has the pixel spacing been calibrated?", "像素间距是否经过校准？",
        told.yes_if_any(0x00280A02),
    ),
    "padding_range": Question(
        "is a range of values used for padding?", "是否以一段取值范围作为填充值？",
        told.no_unless(0x00280120),
    ),
    "contrast": Question(
        "was a contrast agent given?",
        "是否使用了对比剂？",
        told.yes_if_any(0x00180010, 0x00180012),
    ),
    "contributing": Question(
        "do the contributing objects agree in it?", "各来源对象在该属性上是否一致？"
    ),
    "made_from_dicom": Question(
        "was the image made from other DICOM objects?", "该图像是否由其他 DICOM 对象生成？"
    ),
    "converted": Question(
        "was the object converted from another DICOM object?",
        "该对象是否由其他 DICOM 对象转换而来？",
        told.converted,
    ),
    "retrieved_view": Question(
        "was the object converted for retrieval?", "该对象是否在检索时经过转换？"
    ),
    "encrypted": Question(
        "are attributes kept in encrypted form?", "是否以加密形式保存属性？"
    ),
    "this_study": Question(
        "does the object refer to objects of its study?",
        "该对象是否引用本检查内的对象？",
        told.references,
    ),
    "other_studies": Question(
        "does the object refer to objects of other studies?", "该对象是否引用其他检查的对象？",
        told.references,
    ),
    "hl7": Question(
        "does the object refer to HL7 documents?", "该对象是否引用 HL7 文档？", told.references
    ),
    "segments": Question(
        "does a reference to a segmentation mean some segments only?",
        "对分割对象的引用是否仅指其中部分分割？",
        told.some_segments,
    ),
    "frames": Question(
        "does a reference to an image mean some of its frames only?",
        "对多帧图像的引用是否仅指其中部分帧？",
        told.some_frames,
    ),
    "channels": Question(
        "does a reference to a waveform mean some channels only?",
        "对波形的引用是否仅指其中部分通道？",
        told.some_channels,
    ),
    "precision": Question(
        "does a number need more precision than text gives?", "数值的精度是否超出文本所能表示？",
        told.no_unless(0x0040A30A),
    ),
    "content_value": Question(
        "what kind of value does a content item have?", "内容条目的取值属于哪一类？"
    ),
    "coding_registered": Question(
        "is the coding scheme registered?", "编码体系是否已注册？"
    ),
    "orientation": Question(
        "is a modifier needed to tell view or position in full?",
        "完整描述体位或投照是否需要修饰项？",
    ),
    "specimens": Question(
        "does the image show several specimens?", "图像中是否有多个标本？", told.specimens
    ),
    "staged": Question(
        "was the image taken in a staged protocol?", "该图像是否按分阶段方案采集？",
        told.yes_if_any(0x00082120, 0x00082122, 0x00082124, 0x00082127, 0x00082128, 0x0008212A),
    ),
    "waveforms": Question(
        "were waveforms recorded with the image?", "采集图像时是否同时记录了波形？"
    ),
    "trigger_waveform": Question(
        "does a waveform in the object carry the trigger?", "对象中的波形是否含触发信号？",
        told.trigger_waveform,
    ),
    "presentation_state": Question(
        "was a presentation state made with the image?", "采集时是否生成了呈现状态？"
    ),
    "capable": Question(
        "can the scanner calculate it?", "设备能否计算该量？"
    ),
    "law": Question("does a law or rule demand it?", "法规是否要求？"),
    "movable": Question(
        "can source or detector move in that direction?", "射线源或探测器能否沿该方向移动？"
    ),
    "positioner": Question(
        "was the second positioner used?", "是否使用了第二定位器？"
    ),
    "binning": Question("were detector cells binned?", "探测器像元是否合并？"),
    "catheter": Question("was a rotating catheter used?", "是否使用旋转导管？"),
    "framing": Question(
        "was gating other than forward from the trigger, or by time?",
        "门控方式是否非触发后顺时或非按时间？",
    ),
    "excluded": Question("were intervals left out?", "是否剔除了部分间期？"),
    "padded_lines": Question("are lines padded?", "是否填充了 A 线？"),
    "biopsy": Question("does the frame show a biopsy target?", "该帧是否含活检靶点？"),
    "component_calibration": Question(
        "are the components of pixels calibrated in this region?",
        "该区域的像素分量是否经过校准？",
    ),
    "interpretation": Question(
        "do colour channels mean something unusual?", "颜色通道的含义是否不同于通常？"
    ),
    "rating": Question("was the map rated for quality?", "该图是否有质量评级？"),
    "normative": Question("were normative data used?", "是否使用了常模数据？"),
    "volumetric": Question(
        "may the object be used as a volume?", "该对象是否可按容积处理？"
    ),
    "reference_image": Question(
        "is there a reference photograph?", "是否有参考照片？"
    ),
    "attenuation_series": Question(
        "was another series used for attenuation correction?", "衰减校正是否使用了其他序列？"
    ),
    "transducer": Question(
        "did the transducer move against the volume?", "探头相对容积是否移动？"
    ),
    "whole_record": Question(
        "does the dose mean a part of the treatment record?", "该剂量是否仅对应治疗记录的一部分？"
    ),
    "unassigned": Question(
        "did the converted objects have further attributes?", "转换前的对象是否还有其他属性？"
    ),
    "frame_retrieve": Question(
        "how were the frames chosen?", "各帧是如何选取的？", told.frame_retrieve
    ),
    "concatenation": Question(
        "is the object one part of several?", "该对象是否为拼接对象之一？", told.concatenation
    ),
    "group_pointer": Question(
        "does the dimension lie in a functional group?",
        "该维度是否位于功能组中？",
        told.group_pointer,
    ),
    "jpip": Question(
        "do pixels come from a server?", "像素是否由服务器提供？", told.jpip
    ),
    "audio": Question("does the video have sound?", "视频是否含音频？", told.audio),
    "segmented": Question(
        "is the palette stored in segments?", "调色板是否分段存储？", told.segmented
    ),
    "segmented_absent": Question(
        "is the palette stored whole?", "调色板是否完整存储？", told.not_segmented
    ),
    "any_frame": Question(
        "does any frame have groups of its own?", "是否有帧带有自己的功能组？", told.any_frame
    ),
}  # fmt: skip
"""Name -> question, those first that most files raise."""
