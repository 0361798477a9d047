"""The catalogue of planted defects of images: severity, what must see them, and why they matter."""

from __future__ import annotations

from typing import Final

from sdq_core.calibration.defect import Defect
from sdq_core.lineage import RULES as LINEAGE_RULES
from sdq_core.vocabulary import Characteristic

__all__ = ["DEFECTS", "NOT_PLANTED"]

FIDELITY, BALANCE, COMPLETENESS, METADATA, PRIVACY, EXPLAINABILITY, UTILITY = (
    Characteristic.FIDELITY,
    Characteristic.BALANCE,
    Characteristic.COMPLETENESS,
    Characteristic.METADATA,
    Characteristic.PRIVACY,
    Characteristic.EXPLAINABILITY,
    Characteristic.UTILITY,
)

PIXELS: Final = ("pixels", "像素")
SPREAD: Final = ("share of the grey range", "灰度范围的份额")
ITEMS: Final = ("share of items", "样本份额")
HEUSEL: Final = (
    "Heusel et al. 2017, NeurIPS, section A1 (disturbances by which a distance is tested)"
)
COPIED: Final = (
    "Carlini et al. 2023, Extracting training data from diffusion models, USENIX Security; "
    "Dar et al. 2025, Nature Biomedical Engineering (copies in medical latent diffusion sets)"
)
LOOKS: Final = (
    "imaging.fidelity.marginal_share_consistent",
    "imaging.fidelity.mmd",
    "imaging.fidelity.kernel_distance",
    "imaging.fidelity.frechet_distance",
    "imaging.fidelity.c2st_auc",
    "imaging.explainability.bias_sources",
)
"""Measures of any visible change of all images."""
FEW: Final = (0.02, 0.05, 0.1, 0.3)
"""Shares of items with a fault that no item should have. Twice what the profile allows, a tenth,
must not pass."""
RARE: Final = 0.1


def _ids(area: str, names: str) -> tuple[str, ...]:
    return tuple(f"imaging.{area}.{name}" for name in names.split())


def _of_looks(
    id_: str,
    title: tuple[str, str],
    severities: tuple[float, ...],
    unacceptable: float,
    unit: tuple[str, str],
    source: str,
    sees: tuple[str, ...] = (),
) -> Defect:
    """Return a defect of all images, which every model that learns from them inherits."""
    return Defect(
        id_, title, (FIDELITY,), severities, unacceptable, unit,
        (*_ids("fidelity", "spectrum_distance"), *LOOKS, *sees), source,
        (BALANCE, UTILITY),
    )  # fmt: skip


def _of_copies(
    id_: str, title: tuple[str, str], sees: tuple[str, ...] = (), variant: str = ""
) -> Defect:
    return Defect(
        id_, title, (PRIVACY,), (0.01, 0.05, 0.1, 0.2), RARE, ITEMS,
        (*_ids("privacy", "memorised_share near_copy"), *sees), COPIED,
        estimated_by=f"imaging.privacy.memorised_share{variant}", needs=("holdout",),
    )  # fmt: skip


def _of_items(
    id_: str,
    title: tuple[str, str],
    target: Characteristic,
    sees: tuple[str, ...],
    source: str,
    side_effects: tuple[Characteristic, ...] = (),
) -> Defect:
    """Return a defect that a share of the items has."""
    return Defect(id_, title, (target,), FEW, RARE, ITEMS, sees, source, side_effects)


DEFECTS: Final[tuple[Defect, ...]] = (
    # ----- fidelity
    _of_looks("blur", ("blurred images", "图像模糊"), (0.3, 0.6, 1.0, 2.0), 1.0, PIXELS, HEUSEL),
    _of_looks("noise", ("noisy images", "图像噪声"), (0.005, 0.02, 0.05, 0.1), 0.05, SPREAD,
              HEUSEL),
    _of_looks("checkerboard", ("checkerboard of period 2", "棋盘格伪影"),
              (0.005, 0.01, 0.02, 0.05), 0.02, SPREAD,
              "Odena et al. 2016, Deconvolution and checkerboard artifacts, "
              "doi:10.23915/distill.00003"),
    _of_looks("upsampling-grid", ("grid of period 4", "周期为 4 的网格伪影"),
              (0.005, 0.01, 0.02, 0.05), 0.02, SPREAD,
              "Durall et al. 2020, CVPR, arXiv:2003.01826 (spectra of upsampled images)"),
    _of_looks("intensity-shift", ("grey values shifted", "灰度偏移"),
              (0.02, 0.05, 0.1, 0.25), 0.1, SPREAD,
              "Nyul, Udupa and Zhang 2000, doi:10.1109/42.836373"),
    _of_looks("hu-shift", ("Hounsfield units shifted", "HU 值偏移"), (5.0, 20.0, 50.0, 100.0),
              50.0, ("HU", "HU"),
              "ACR CT accreditation phantom: water within 7 HU of 0; thresholds of lung and bone "
              "are moved by tens of HU"),
    _of_looks("windowing", ("window too narrow, ends cut off", "窗宽过窄, 两端被截断"),
              (0.02, 0.05, 0.1, 0.2), 0.1, ("share cut off at each end", "两端各截去的份额"),
              "DICOM PS3.3 C.11.2.1.2 (a window is for display, not for the stored values)"),
    Defect("implausible-anatomy", ("patches out of place", "结构错位"), (FIDELITY,),
           (0.05, 0.1, 0.3), 0.3, ITEMS,
           (*_ids("fidelity", "precision density"), *LOOKS),
           "Kynkaanniemi et al. 2019, NeurIPS, arXiv:1904.06991 (precision)",
           (BALANCE, UTILITY)),
    Defect("mode-collapse", ("collapse to a few modes", "模式坍塌"), (FIDELITY, BALANCE),
           (0.5, 0.8, 0.95, 0.98), 0.95, ("share of modes lost", "丢失模式的份额"),
           _ids("fidelity", "coverage recall ms_ssim_diversity mmd")
           + _ids("balance", "vendi_score"),
           "Srivastava et al. 2017, VEEGAN, NeurIPS (counting lost modes)",
           (FIDELITY, BALANCE, UTILITY, COMPLETENESS)),
    Defect("class-blurred", ("one class or subgroup imitated badly", "某一类别或子群失真"),
           (FIDELITY,), (0.6, 1.0, 2.0), 1.0, PIXELS,
           (*_ids("fidelity", "conditional_excess"),
            *_ids("explainability", "subgroup_fidelity_gap")),
           "Part 6 proposal, explainability: sources of bias; Seyyed-Kalantari et al. 2021, "
           "Nature Medicine, doi:10.1038/s41591-021-01595-0 (harm inside subgroups)",
           (BALANCE, UTILITY), needs=("classes",)),
    Defect("mask-displaced", ("masks beside what they mark", "掩膜错位"), (FIDELITY,),
           (0.02, 0.05, 0.1, 0.2), 0.1, ("share of the width", "宽度的份额"),
           _ids("fidelity", "region_agreement region_mmd"),
           "Zhang et al. 2021, DatasetGAN, CVPR, arXiv:2104.06490 (labels made with images)"),
    Defect("regions-lost", ("regions missing", "区域缺失"), (FIDELITY,), (0.1, 0.2, 0.5), 0.5,
           ITEMS, (*_ids("fidelity", "region_count_distance"),
                   *_ids("structure", "mask_empty")),
           "Cohen et al. 2018, MICCAI, arXiv:1805.08841 (lesions that translation loses or adds)"),
    Defect("pairs-noised", ("translated images far from their counterparts", "配对图像失真"),
           (FIDELITY,), (0.01, 0.05, 0.1, 0.2), 0.1, SPREAD,
           (*_ids("fidelity", "ssim_paired ms_ssim_paired psnr_paired mae_paired"),
            *_ids("semantics", "pair")),
           "Wang et al. 2004, doi:10.1109/TIP.2003.819861",
           (BALANCE, PRIVACY, UTILITY)),
    # ----- balance
    Defect("class-dropped", ("a class missing", "类别缺失"), (BALANCE,), (0.5, 0.8, 1.0), 1.0,
           ("share of the class lost", "该类别丢失的份额"),
           _ids("balance", "class_gini class_entropy class_imbalance_ratio"),
           "Sajjadi et al. 2018, NeurIPS, arXiv:1806.00035 (recall against dropped classes)",
           (FIDELITY, UTILITY), needs=("classes",)),
    Defect("class-imbalance", ("one class many times as frequent", "类别失衡"), (BALANCE,),
           (2.0, 4.0, 10.0), 10.0, ("times as frequent", "频率倍数"),
           _ids("balance", "class_gini class_entropy class_imbalance_ratio"),
           "Buda, Maki and Mazurowski 2018, doi:10.1016/j.neunet.2018.07.011",
           (FIDELITY, UTILITY), needs=("classes",)),
    Defect("subgroup-dropped", ("a subgroup missing", "子群缺失"), (BALANCE, FIDELITY),
           (0.5, 0.8, 1.0),
           1.0, ("share of the subgroup lost", "该子群丢失的份额"),
           _ids("balance", "attribute_entropy"),
           "Larrazabal et al. 2020, PNAS, doi:10.1073/pnas.1919012117 (sex in chest radiographs)",
           (UTILITY,), needs=("subgroup",)),
    Defect("too-few", ("too few items", "样本量不足"), (BALANCE,), (0.3, 0.6, 0.9), 0.9,
           ("share of items left out", "缺少样本的份额"),
           _ids("balance", "items subjects volume_adequacy"),
           "ISO/IEC 5259-2:2024 (amount of data)",
           (FIDELITY, COMPLETENESS, METADATA, PRIVACY, EXPLAINABILITY, UTILITY)),
    # ----- completeness
    _of_items("unreadable", ("files that cannot be read", "文件不可读"), COMPLETENESS,
              (*_ids("completeness", "readable_share"),
               *_ids("structure", "truncated empty_file not_an_image encrypted no_pixel_data "
                     "unsupported decompression_bomb link_outside link_loop alpha_dropped"),
               "core.labels.unknown_item"),
              "DICOM PS3.5 section 7.1.1 (the length says how many bytes follow); "
              "PNG specification, W3C 2003, section 5 (chunks)",
              (BALANCE, METADATA, EXPLAINABILITY)),
    _of_items("constant-images", ("images without content", "无内容图像"), COMPLETENESS,
              (*_ids("completeness", "structure_share"), *_ids("structure", "constant")),
              "Part 6 proposal, data completeness", (FIDELITY, PRIVACY, UTILITY)),
    _of_items("not-finite", ("values that are no numbers", "像素值为 NaN"), COMPLETENESS,
              (*_ids("completeness", "readable_share"), *_ids("structure", "not_finite")),
              "IEEE 754-2019, section 6.2"),
    _of_items("duplicates", ("repeated items", "样本重复"), COMPLETENESS,
              (*_ids("completeness", "duplicate_share"), *_ids("structure", "duplicate")),
              "ISO/IEC 25012 (uniqueness); Barz and Denzler 2020, doi:10.3390/jimaging6060041",
              (BALANCE, FIDELITY)),
    _of_items("structure-broken", ("DICOM objects broken inside", "DICOM 对象结构损坏"),
              COMPLETENESS,
              (*_ids("completeness", "structure_share readable_share"),
               *_ids("structure", "pixel_data_length nested_too_deep zero_size "
                     "frame_items")),
              "DICOM PS3.5 section 8, PS3.3 C.7.6.3 and C.7.6.16",
              (METADATA,)),
    _of_items("contradictions", ("header statements that cannot all be true", "头信息自相矛盾"),
              COMPLETENESS,
              (*_ids("completeness", "semantics_share"),
               *_ids("semantics", "modality patient_age birth_date laterality pregnancy window "
                     "rescale_slope uid_reused date_order body_part implausible_value echo_time "
                     "image_type pixel_range window_range lossy_compression")),
              "DICOM PS3.3 C.7.1 to C.8, C.11.2",
              (METADATA, FIDELITY)),
    _of_items("identities-mixed", ("objects with each other's UIDs", "对象 UID 混用"),
              COMPLETENESS,
              (*_ids("completeness", "semantics_share"),
               *_ids("semantics", "uid_not_unique study_of_several_patients "
                     "series_of_several_studies")),
              "DICOM PS3.5 section 9, PS3.3 A.1.2", (METADATA,)),
    _of_items("wrong-geometry", ("orientation and spacing that cannot be", "方向与间距错误"),
              COMPLETENESS,
              (*_ids("completeness", "semantics_share"),
               *_ids("semantics", "orientation spacing frame_distance")),
              "DICOM PS3.3 C.7.6.2.1.1, 10.7.1.3", (FIDELITY, METADATA)),
    _of_items("masks-broken", ("masks that cannot be used", "掩膜不可用"), COMPLETENESS,
              (*_ids("completeness", "structure_share semantics_share"),
               *_ids("structure", "mask_size mask_unreadable mask_geometry mask_values "
                     "mask_missing"),
               *_ids("semantics", "mask_label region_size mask_on_nothing")),
              "DICOM PS3.3 C.8.20; Cox et al. 2004 (geometry of labels)", (FIDELITY,)),
    # ----- metadata
    _of_items("nifti-header", ("wrong geometry in NIfTI headers", "NIfTI 头几何信息错误"),
              METADATA,
              (*_ids("metadata", "conformity_share"),
               *_ids("conformity", "nifti_orientation nifti_forms nifti_spacing nifti_units "
                     "nifti_code"),
               *_ids("semantics", "spacing")),
              "Cox et al. 2004, NIfTI-1 data format (sform, qform, xyzt_units)",
              (COMPLETENESS, FIDELITY)),
    _of_items("series-broken", ("series with slices missing or mixed", "序列缺片或混杂"),
              METADATA,
              (*_ids("metadata", "conformity_share"),
               *_ids("conformity", "series_coherence uid_not_unique instance_number"),
               *_ids("structure", "missing_slices uneven_slices geometry"),
               *_ids("semantics", "slice_distance")),
              "DICOM PS3.3 A.1.2, C.7.6.2.1.1", (COMPLETENESS, FIDELITY, BALANCE)),
    _of_items("attributes-missing", ("required attributes missing or empty", "必备属性缺失或为空"),
              METADATA,
              (*_ids("metadata", "required_attribute_share type1_missing type1_empty "
                     "type2_missing type1c_missing type1c_empty type2c_missing "
                     "conditional_review"),),
              "DICOM PS3.5 section 7.4 (types 1, 1C, 2, 2C)", (COMPLETENESS,)),
    _of_items("wrong-form", ("attributes in another form", "属性形式不符"), METADATA,
              (*_ids("metadata", "conformity_share"),
               *_ids("conformity", "value_representation character_set enumerated_value "
                     "defined_term image_type condition_not_met private_creator file_meta bits "
                     "photometric_interpretation frames unknown_sop_class "
                     "functional_group_place"),
               "imaging.completeness.readable_share"),
              "DICOM PS3.5 section 6.2, PS3.3 enumerated values, PS3.10 section 7.1",
              (COMPLETENESS, PRIVACY, FIDELITY)),
    _of_items("undeclared", ("items that do not say that they are synthetic", "未声明为合成数据"),
              METADATA,
              (*_ids("metadata", "declared_synthetic_share not_declared_synthetic no_derivation "
                     "no_algorithm aigc_label"),),
              "DICOM PS3.3 C.12.1 (0008,001C); GB 45438-2025", (EXPLAINABILITY, PRIVACY)),
    _of_items("labels-missing", ("items without their label", "标签缺失"), METADATA,
              _ids("metadata", "required_attribute_share label_missing"),
              "Part 6 proposal, metadata sufficiency", (BALANCE, FIDELITY, UTILITY)),
    _of_items("unknown-class", ("classes that are not declared", "未声明的类别"), METADATA,
              (*_ids("metadata", "conformity_share"), *_ids("conformity", "class_unknown")),
              "Part 6 proposal, metadata conformity", (BALANCE, FIDELITY, UTILITY)),
    Defect("label-table-broken", ("a label table with wrong rows", "标签表行错误"),
           (METADATA, EXPLAINABILITY), FEW, RARE, ITEMS,
           ("core.labels.missing", "core.labels.item_twice", "core.labels.unknown_item",
            "core.labels.path_outside", "imaging.metadata.declared_synthetic_share",
            "imaging.metadata.required_attribute_share"),
           "Part 6 proposal, metadata sufficiency", (BALANCE, FIDELITY, UTILITY)),
    # ----- privacy
    _of_copies("copies-exact", ("exact copies", "完全拷贝"),
               _ids("privacy", "exact_copy_share exact_copy")),
    _of_copies("copies-flipped", ("copies, left and right exchanged", "左右翻转的拷贝")),
    _of_copies("copies-shifted", ("copies, shifted", "平移的拷贝")),
    _of_copies("copies-rescaled", ("copies, magnified or reduced", "缩放的拷贝")),
    _of_copies("copies-rewindowed", ("copies in another window", "改变窗宽窗位的拷贝")),
    _of_copies("copies-noised", ("copies with noise", "加噪的拷贝")),
    _of_copies("copies-mixed", ("copies, several changes at once", "多种变换的拷贝")),
    _of_copies("copies-composed", ("images composed of two patients", "两名患者拼合的图像"),
               variant="[halves]"),
    Defect("overfitted", ("images that are mostly training images", "与训练图像高度近似"),
           (PRIVACY,), (0.3, 0.6, 1.0), 1.0, ITEMS,
           _ids("privacy", "membership_auc membership_tpr_at_1pct_fpr nearest_is_train_share "
                "memorised_share near_copy closer_than_chance"),
           "Chen et al. 2020, GAN-Leaks, doi:10.1145/3372297.3417238; Carlini et al. 2022, "
           "arXiv:2112.03570", (FIDELITY, BALANCE, UTILITY), needs=("holdout",)),
    _of_items("burned-in-text", ("text burned into the pixels", "像素中烧录文字"), PRIVACY,
              _ids("identifier", "burned_in_text") + _ids("privacy", "burned_in_text_share"),
              "DICOM PS3.15 E.3.1 (Clean Pixel Data); 45 CFR 164.514(b)(2)",
              (FIDELITY,)),
    _of_items("identifiers-in-tags", ("a patient's data in DICOM attributes", "属性残留患者信息"),
              PRIVACY,
              (*_ids("privacy", "identifier_share"),
               *_ids("identifier", "name record_number birth_date contact insurance_number "
                     "staff_name order_number institution device demographic date age_over_89 "
                     "private_attributes burned_in_annotation overlay curve profile "
                     "profile_not_stated resident_identity_number mobile_number "
                     "social_security_number email telephone address account_number "
                     "licence_number vehicle ip_address")),
              "DICOM PS3.15 table E.1-1; 45 CFR 164.514(b)(2); GB/T 37964-2019",
              (METADATA, COMPLETENESS, EXPLAINABILITY)),
    _of_items("identifiers-in-texts", ("a patient's data in texts of files", "文本残留患者信息"),
              PRIVACY,
              (*_ids("privacy", "identifier_share"),
               *_ids("identifier", "name record_number birth_date resident_identity_number "
                     "mobile_number social_security_number email telephone address "
                     "account_number licence_number vehicle ip_address insurance_number "
                     "location")),
              "45 CFR 164.514(b)(2); GB/T 37964-2019", (METADATA, EXPLAINABILITY)),
    _of_items("identifiers-in-paths", ("a patient's numbers in file names", "文件名含患者编号"),
              PRIVACY,
              (*_ids("privacy", "identifier_share"), *_ids("identifier", "file_name")),
              "45 CFR 164.514(b)(2); GB/T 37964-2019"),
    _of_items("header-of-real", ("UIDs and times of real objects", "沿用真实对象的 UID 与时间"),
              PRIVACY,
              (*_ids("privacy", "identifier_share"),
               *_ids("identifier", "uid_of_real_object time_of_real_object")),
              "DICOM PS3.15 table E.1-1 (U, and dates)", (COMPLETENESS, METADATA)),
    # ----- explainability
    _of_items("lineage-broken", ("a lineage table with wrong rows", "溯源表行错误"),
              EXPLAINABILITY,
              (*_ids("explainability", "item_lineage_share"),
               *_ids("lineage", " ".join(r for r in LINEAGE_RULES if r != "table_not_read"))),
              "Part 6 proposal, explainability: key steps traceable"),
    # ----- utility
    Defect("label-noise", ("wrong labels", "标签噪声"), (UTILITY,), (0.05, 0.1, 0.2, 0.4), 0.2,
           ITEMS,
           (*_ids("utility", "tstr_auc tstr_ratio trts_auc augmentation_gain"),
            *_ids("fidelity", "conditional_excess")),
           "Frenay and Verleysen 2014, doi:10.1109/TNNLS.2013.2292894; Northcutt et al. 2021, "
           "arXiv:2103.14749", (FIDELITY, EXPLAINABILITY), needs=("classes",)),
)  # fmt: skip
"""The catalogue, in the order of the characteristics."""

NOT_PLANTED: Final[dict[str, tuple[str, str]]] = {
    "imaging.structure.unreadable_folder": (
        "of permissions of the file system, which do not bind every user",
        "取决于文件系统权限，并非对所有用户有效",
    ),
    "imaging.structure.unreadable_sequence": (
        "reading a file parses its sequences: broken ones show as attributes missing or unreadable",
        "读取文件时序列已被解析：损坏的序列表现为属性缺失或文件不可读",
    ),
    "imaging.structure.embedding_failed": (
        "of the study's own embedding function, not of data",
        "来自评价任务自定义的嵌入函数，与数据无关",
    ),
    "imaging.identifier.face": (
        "a face cannot be made in images that hold none",
        "无法在不含面部的图像中植入面部",
    ),
    "imaging.identifier.face_possible": (
        "a face cannot be made in images that hold none",
        "无法在不含面部的图像中植入面部",
    ),
    "imaging.lineage.training_digest": (
        "of the generator's description, not of data",
        "来自生成器说明，与数据无关",
    ),
    "imaging.lineage.table_not_read": (
        "of the study file, not of data",
        "来自评价任务文件，与数据无关",
    ),
    "core.roles.swapped": (
        "of the roles that the study gives to the real cohorts",
        "来自评价任务对真实数据集的角色划分",
    ),
    "imaging.explainability.process_traceability": (
        "of the generator's description, not of data",
        "来自生成器说明，与数据无关",
    ),
    "imaging.utility.trtr_auc": (
        "of the real cohorts alone: what the synthetic one is compared with",
        "仅取决于真实数据集，是合成数据的比较基准",
    ),
}
"""Rules and measures that no defect of a synthetic cohort can move, and why (en, zh)."""
