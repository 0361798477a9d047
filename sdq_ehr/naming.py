"""What names of columns and tables say, in English and Chinese."""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "has_time_of_day",
    "is_description",
    "is_flag",
    "is_identifier",
    "is_patient",
    "is_patient_table",
    "is_quasi_identifier",
    "meaning_of",
    "patient_rank",
    "singular",
    "system_named",
    "words",
]

# The first pattern that is found in the words of a name decides; words are joined by blanks.
_MEANINGS: Final = tuple(
    (meaning, re.compile(pattern))
    for meaning, pattern in (
        ("birth", r"\b(dob|birth ?date|date of birth|birth ?day|birth ?time|birth)\b|出生"),
        ("death", r"\b(dod|death ?(date|time)|date of death|deceased( date)?)\b|死亡"),
        ("email", r"\be ?mail\b|邮箱|电子邮件"),
        ("phone", r"\b(phone|telephone|mobile|tel|cell ?phone)\b|电话|手机"),
        ("address", r"\b(address|addr|street)\b|住址|地址"),
        ("postcode", r"\b(post ?code|postal( ?code)?|zip( ?code)?)\b|邮编|邮政编码"),
        ("national_id", r"\b(ssn|social security|national id|id ?card|nhs number)\b|身份证|证件号"),
        ("record_number", r"\b(mrn|medical record|record (number|no)|person source value)\b"
                          r"|病案号|住院号|病历号|门诊号|就诊卡"),
        ("name", r"^(name|patient name|full name|first name|last name|surname|given name|family"
                 r"( name)?)$|姓名"),
        ("sex", r"^(sex|gender|patient (sex|gender))$|性别"),
        ("age", r"^(age|age (at|in|years)\b.*|patient age|anchor age)$|年龄"),
        ("race", r"\brace\b|种族"),
        ("ethnicity", r"\b(ethnicity|ethnic( group)?)\b|民族"),
        ("region", r"^(state|city|county|country|region|province|district|birth ?place)$"
                   r"|省份|^省$|城市|^市$|^区县?$|籍贯|地区"),
        ("admission", r"\b(admit ?time|admission (date|time)|admit( date)?|admitted|in ?time"
                      r"|visit start( date)?( time)?)\b|入院(日期|时间)|就诊(日期|时间)"),
        ("discharge", r"\b(disch ?time|discharge (date|time)|discharged|out ?time|visit end"
                      r"( date)?( time)?)\b|出院(日期|时间)"),
        ("allergy", r"\ballerg(y|ies|en)\b|过敏"),
        ("unit", r"\b(unit|units|uom|value ?uom|dose unit( rx)?|form unit disp)$|单位$"),
        ("value", r"^(value|value ?num|result|result value|value as number|numeric value|quantity)$"
                  r"|结果值|检验结果|^结果$|^数值$|测量值"),
    )
)  # fmt: skip
_CLASS: Final = re.compile(
    r"^(class|label|target|outcome|y|(diagnosis|disease) class|class label)$|标签|类别|结局|分类"
)
_START: Final = re.compile(r"\b(start|onset|begin|from|start ?date|start ?time)\b|开始")
_END: Final = re.compile(r"\b(end|stop|abatement|end ?date|end ?time|to)\b|结束|停止")
_TIME: Final = re.compile(
    r"\b(time|date|date ?time|chart ?time|chart ?date|taken|recorded|authored|performed|effective"
    r"|issued|store ?time|transfer ?time)\b|日期|时间"
)
_KINDS: Final = tuple(
    (meaning, re.compile(pattern))
    for meaning, pattern in (
        ("procedure", r"procedure|surger|operation|手术|操作"),
        ("diagnosis", r"diagnos|condition|disease|诊断|疾病"),
        ("drug", r"drug|medication|medicine|prescription|immuni[sz]ation|vaccin|药|处方|疫苗"),
        ("allergy", r"allerg|过敏"),
    )
)
_SYSTEMS: Final = tuple(
    (system, re.compile(pattern))
    for system, pattern in (
        ("icd9proc", r"icd ?9 ?(proc|sg)|icd ?9 ?cm ?3"),
        ("icd9cm", r"icd ?9"),
        ("icd10pcs", r"icd ?10 ?pcs"),
        ("icd10cm", r"icd ?10 ?cm"),
        ("icd10", r"icd ?10|\bicd\b|疾病编码|诊断编码|诊断代码"),
        ("loinc", r"loinc"),
        ("snomed", r"snomed|sct ?id"),
        ("atc", r"\batc\b"),
        ("rxnorm", r"rx ?norm|rxcui"),
        ("ndc", r"\bndc\b|national drug code"),
        ("cvx", r"\bcvx\b"),
        ("omop", r"concept id"),
        ("local", r"\b(code|cd|item ?id)$|^(cpt|hcpcs|drg|gsn)( (code|cd|number))?$|编码$|代码$"),
    )
)
_PATIENTS: Final = (
    r"(patient|subject|person|pat) ?(id|num|number|no|key|sk|uuid|identifier)",
    r"(patient|subject|person)( ?ref(erence)?)?",
    r"pid ?(num)?|empi|mpi",
    r"(患者|病人|受试者|个人)(id|编号|号|标识|主索引)?",
    r"病案号|住院号|病历号|mrn|medical record (number|no)",
)
_IDENTIFIER: Final = re.compile(
    r"\b(id|uuid|guid|key|identifier)$|^(pid ?num|csn|accession)$"
    r"|\b(account|accession|order|card|serial|record|ticket|case|policy|member|file|bed|row|visit"
    r"|encounter|admission|invoice) (number|num|no)$"
    r"|(hadm|item|ward|stay|visit|encounter|admission|event|order|row|[\u4e00-\u9fff])id$"
    r"|编号$|标识$|流水号|序号$|单号$"
)
_PATIENT_TABLE: Final = re.compile(r"patient|person|demograph|subject|member|患者|病人|基本信息")
_QUASI: Final = re.compile(
    r"\b(marital|religion|language|occupation|job|education|insurance|nationality|country"
    r"|work ?class|type employer|relationship|income)\b|婚姻|职业|学历|文化程度|国籍|医保|宗教"
)
_DESCRIPTION: Final = re.compile(
    r"\b(description|display|title|note|notes|comment|text|long title|short title|label|narrative"
    r"|report)\b|描述|备注|说明|病程|主诉|名称$"
)


def words(name: str) -> str:
    """Return the words of a name in small letters, between single blanks.

    Examples
    --------
    >>> words("PatientID"), words("birth_date"), words("T Stage "), words("患者ID")
    ('patient id', 'birth date', 't stage', '患者id')
    """
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name.strip())
    return re.sub(r"[\s_\-./:()（）]+", " ", spaced).strip().lower()


def meaning_of(column: str, kind: str, table: str = "") -> str:
    """Return the meaning that a name suggests; empty when it suggests none.

    Parameters
    ----------
    column : str
    kind : str
        Type of the column in the schema.
    table : str
        Name of its table, which says what its codes are.

    Examples
    --------
    >>> meaning_of("入院日期", "date"), meaning_of("icd_code", "code", "DIAGNOSES")
    ('admission', 'diagnosis')
    """
    text = words(column)
    if kind == "code":
        for source in (text, words(table)):
            for meaning, pattern in _KINDS:
                if pattern.search(source):
                    return meaning
        return "code"
    for meaning, pattern in _MEANINGS:
        if pattern.search(text) and _fits(meaning, kind):
            return meaning
    if kind in ("date", "datetime"):
        for meaning, pattern in (("start", _START), ("end", _END), ("time", _TIME)):
            if pattern.search(text):
                return meaning
        return "time"
    if kind in ("category", "integer", "boolean", "code") and _CLASS.search(text):
        return "class"
    return ""


def _fits(meaning: str, kind: str) -> bool:
    times, numbers = ("date", "datetime"), ("number", "integer")
    if meaning in ("birth", "death", "admission", "discharge"):
        return kind in times
    if meaning in ("age", "value"):
        return kind in numbers
    if meaning == "unit":
        return kind in ("unit", "category")
    return kind not in times


def is_patient(column: str) -> bool:
    """Return whether a column names patients.

    Examples
    --------
    >>> is_patient("subject_id"), is_patient("患者ID"), is_patient("patient_name")
    (True, True, False)
    """
    return patient_rank(column) < len(_PATIENTS)


def patient_rank(column: str) -> int:
    """Return how surely a column names patients: 0 is surest, `len` of the patterns is not."""
    text = words(column)
    for rank, pattern in enumerate(_PATIENTS):
        if re.fullmatch(pattern, text):
            return rank
    return len(_PATIENTS)


def is_patient_table(table: str) -> bool:
    """Return whether a table's name says that it holds patients."""
    return _PATIENT_TABLE.search(words(table)) is not None


def is_identifier(column: str) -> bool:
    """Return whether a name says that the values identify something."""
    return _IDENTIFIER.search(words(column)) is not None or is_patient(column)


def is_description(column: str) -> bool:
    """Return whether a name says that the values are running text."""
    return _DESCRIPTION.search(words(column)) is not None


def is_quasi_identifier(column: str, meaning: str) -> bool:
    """Return whether an attacker may know a column from elsewhere."""
    known = ("sex", "birth", "age", "race", "ethnicity", "postcode", "region", "death")
    return meaning in known or (not meaning and _QUASI.search(words(column)) is not None)


def system_named(column: str, table: str = "") -> str:
    """Return the code system that a name suggests; empty when it suggests no code.

    Examples
    --------
    >>> system_named("icd9_code", "PROCEDURES_ICD"), system_named("LOINC"), system_named("age")
    ('icd9proc', 'loinc', '')
    """
    text = words(column)
    for system, pattern in _SYSTEMS:
        if pattern.search(text):
            about = f"{text} {words(table)}"
            if system == "icd9cm" and _KINDS[0][1].search(about):
                return "icd9proc"
            return system
    return ""


def singular(name: str) -> str:
    """Return the words of a table's name without the plural.

    Examples
    --------
    >>> singular("visits"), singular("allergies")
    ('visit', 'allergy')
    """
    text = words(name)
    if text.endswith("ies"):
        return text[:-3] + "y"
    return text[:-1] if text.endswith("s") and not text.endswith("ss") else text


def is_flag(column: str) -> bool:
    """Return whether a name says that the values are yes and no.

    Examples
    --------
    >>> is_flag("hospital_expire_flag"), is_flag("suffix")
    (True, False)
    """
    return re.search(r"\b(flag|is|has|was|indicator)\b|^是否", words(column)) is not None


def has_time_of_day(column: str) -> bool:
    """Return whether a name promises a time of day.

    Examples
    --------
    >>> has_time_of_day("charttime"), has_time_of_day("birth_date")
    (True, False)
    """
    return re.search(r"time|时间|时刻", words(column)) is not None
