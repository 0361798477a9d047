"""What a column of health records is for, told by its declared meaning or by its name."""

from __future__ import annotations

import re
from typing import Final

from sdq_ehr.schema import Schema

__all__ = ["STAFF_TABLES", "key_form", "role_of"]

_PERSON: Final = frozenset(
    {"patient", "person", "subject", "client", "member", "beneficiary", "pt", "first",
     "last", "middle", "given", "family", "full", "maiden", "birth", "mother", "mothers",
     "father", "fathers", "parent", "guardian", "contact", "emergency", "next", "of", "kin",
     "relative", "spouse", "former", "legal", "preferred", "nick", "informant", "insured",
     "holder", "policyholder", "the", "s"}
)  # fmt: skip
_NAMES: Final = frozenset(
    {"name", "names", "surname", "lastname", "firstname", "givenname", "familyname",
     "forename", "fullname", "maidenname", "middlename", "nickname", "patientname", "lname",
     "fname"}
)  # fmt: skip
_ALONE: Final = _NAMES - {"name", "names"} | {"given", "family"}
STAFF_TABLES: Final = frozenset(
    {"provider", "providers", "practitioner", "practitioners", "staff", "doctor", "doctors",
     "physician", "physicians", "nurse", "nurses", "clinician", "clinicians"}
)  # fmt: skip
"""Tables whose rows are staff."""
_STAFF: Final = frozenset(
    {"provider", "doctor", "physician", "nurse", "practitioner", "surgeon", "attending",
     "referring", "operator", "clinician", "prescriber", "pathologist", "radiologist",
     "author", "signer", "performer"}
)  # fmt: skip

# Whole words of names -> role, in the order in which they are tried.
_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("phone", r"phone|telephone|mobile|cell|cellphone|fax|tel|phonenumber|telecom|"
              r"(?:mobile|cell|home|work|contact|phone|tel) ?(?:no|num|number|phone)"),
    ("email", r"e ?mail|email ?address"),
    ("insurance", r"insurance (?:no|num|number|id|card)|member id|policy (?:no|number|id)|"
                  r"subscriber id|medicare (?:no|number|id)|medicaid (?:no|number|id)"),
    ("national_id", r"ssn|social security(?: (?:no|num|number))?|national id|nationalid|id card|"
                    r"idcard|identity (?:no|number|card)|passport(?: (?:no|num|number))?|"
                    r"drivers?(?: license| licence)?(?: (?:no|num|number))?|nhs (?:no|number)|"
                    r"citizen id|tax id|aadhaar|cpf|nir"),
    ("record_number", r"mrn|medical record(?: (?:no|num|number|id))?|hospital (?:no|number)|"
                      r"chart (?:no|number)|patient (?:no|num|number)|inpatient (?:no|number)|"
                      r"outpatient (?:no|number)|accession(?: (?:no|number))?|"
                      r"account (?:no|number)"),
    ("address", r"address(?: (?:line )?\d)?|street(?: address| name)?|home address|residence"),
    ("postcode", r"zip(?: ?code)?|postcode|postal ?code|post code"),
    ("place", r"city|town|village|county|district|municipality|census tract|precinct"),
    ("ip_address", r"ip|ip ?address|ipaddr"),
    ("url", r"url|website|home ?page"),
    ("device", r"serial|serial (?:no|num|number)|device serial(?: number)?|udi|mac address|imei|"
               r"device identifier|unique device id"),
    ("licence_plate", r"(?:license|licence|number|vehicle) plate(?: number)?|plate (?:no|number)|"
                      r"vin"),
    ("latitude", r"lat|latitude|gps lat"),
    ("longitude", r"lon|lng|long|longitude|gps lon"),
    ("birth", r"dob|birth ?date|date of birth|birth ?day|birth ?datetime"),
    ("age", r"age|age (?:at \w+|years?|yrs?|in years)"),
)  # fmt: skip
_HAN: Final[tuple[tuple[str, str], ...]] = (
    ("staff_name", r"(?:医生|医师|护士|术者|麻醉师|检验者|审核者|报告者|签名)(?:姓名|名字|签名)?"),
    ("phone", r".{0,6}(?:电话|手机|联系方式)(?:号码|号)?"),
    ("email", r".{0,4}(?:邮箱|电子邮件)"),
    ("insurance", r".{0,4}(?:医保|社保|参保|保险)(?:卡)?(?:号|号码|编号)"),
    ("national_id", r".{0,6}(?:身份证|证件|护照)(?:号码|号|编号)?"),
    ("record_number", r".{0,4}(?:病案|住院|门诊|病历|就诊|登记|就诊卡)(?:号|号码|编号)"),
    ("address", r".{0,4}(?:住址|地址)"),
    ("postcode", r".{0,4}(?:邮编|邮政编码)"),
    ("place", r".{0,4}(?:城市|区县|乡镇|街道|市|县)"),
    ("device", r".{0,4}序列号"),
    ("licence_plate", r".{0,2}车牌(?:号|号码)?"),
    ("birth", r".{0,2}(?:出生日期|生日|出生年月日?)"),
    ("age", r".{0,4}年龄"),
    ("name", r"(?:患者|病人|受试者|联系人|家属|监护人|母亲|父亲)?(?:姓名|名字)|患者名|联系人"),
)
_LATIN_PATTERNS: Final = tuple((role, re.compile(pattern)) for role, pattern in _WORDS)
_HAN_PATTERNS: Final = tuple((role, re.compile(pattern)) for role, pattern in _HAN)

_MEANINGS: Final = {
    "phone": "phone",
    "email": "email",
    "address": "address",
    "national_id": "national_id",
    "record_number": "record_number",
    "postcode": "postcode",
    "birth": "birth",
    "age": "age",
}


def role_of(schema: Schema, table: str, column: str) -> str:
    """Return what a column is for, as far as identifiers go; empty for the rest.

    Parameters
    ----------
    schema : Schema
    table, column : str

    Returns
    -------
    str
        ``name``, ``staff_name``, ``phone``, ``email``, ``insurance``, ``national_id``,
        ``record_number``, ``address``, ``postcode``, ``place``, ``ip_address``, ``url``,
        ``device``, ``licence_plate``, ``latitude``, ``longitude``, ``birth``, ``age`` or "".

    Examples
    --------
    >>> schema = Schema(tables={"labs": {"columns": {"name": {}, "patient_name": {}, "姓名": {}}}})
    >>> [role_of(schema, "labs", c) for c in ("patient_name", "姓名")]
    ['name', 'name']
    """
    definition = schema.tables[table].columns[column]
    words = _words(column)
    staff_table = table.lower() in STAFF_TABLES
    if definition.meaning == "name" or _is_name(words, table, schema):
        staff = staff_table or bool(_STAFF & set(words))
        return "staff_name" if staff else "name"
    if role := _MEANINGS.get(definition.meaning):
        # Numbers of staff are public registers' (NPI) or the house's own.
        return "" if staff_table and role == "record_number" else role
    text = " ".join(words)
    for patterns in (_LATIN_PATTERNS, _HAN_PATTERNS):
        for role, pattern in patterns:
            if pattern.fullmatch(text):
                return role
    return ""


def _words(name: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)", " ", name)
    return re.sub(r"[\W_]+", " ", apart).lower().split()


def _is_name(words: list[str], table: str, schema: Schema) -> bool:
    kinds = set(words)
    if not kinds & (_NAMES | _ALONE):
        return False
    others = kinds - _NAMES - _ALONE
    if others:
        # "drug name" and "test name" are not a person's.
        return others <= (_PERSON | _STAFF | {"1", "2"})
    if kinds & (_NAMES - {"name", "names"}):
        return True
    # A bare "name" is a person's only in a table of persons.
    return table == schema.home or table.lower() in STAFF_TABLES


_UUID = re.compile(r"(?:urn:uuid:)?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_HASH = re.compile(r"(?=[0-9]{0,64}[a-fA-F])[0-9a-fA-F]{16,128}")


def key_form(value: str) -> str:
    """Return the form of a key: ``uuid``, ``hash``, ``number`` or ``text``."""
    plain = value.strip()
    if _UUID.fullmatch(plain):
        return "uuid"
    if _HASH.fullmatch(plain):
        return "hash"
    return "number" if plain.isdigit() else "text"
