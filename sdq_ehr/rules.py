"""The rules of reading health records, with their severity and their sentences in two languages."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sdq_core.rule_book import RuleBook
from sdq_core.vocabulary import Severity
from sdq_ehr.finding import RowFinding

__all__ = ["RULES", "finding", "finding_for", "row_finding", "rule_id", "unreadable"]

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

# rule -> (severity, English, Chinese). A name without a dot belongs to the area "structure".
RULES: Final[dict[str, tuple[Severity, str, str]]] = {
    # files
    "empty_file": (
        ERROR,
        "the file has no bytes; write it again",
        "文件为空, 请重新生成",
    ),
    "header_only": (
        WARNING,
        "the table has a header and no rows; write its rows or take it out of the schema",
        "表格只有表头而没有数据行, 请补充数据或从模式中去除该表",
    ),
    "not_a_table": (
        ERROR,
        "the file cannot be read as its suffix promises; write it again or correct the suffix",
        "文件内容与扩展名不符, 无法读取; 请重新生成或更正扩展名",
    ),
    "unreadable_file": (
        ERROR,
        "the file cannot be opened; check that it is there and that you may read it",
        "无法打开文件, 请检查文件是否存在及读取权限",
    ),
    "unreadable_folder": (
        WARNING,
        "the folder or file cannot be opened; check its permissions",
        "无法打开文件夹或文件, 请检查权限",
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
    "path_outside": (
        ERROR,
        "the schema names a file outside the cohort's folder, which is never opened; put the file "
        "into the folder",
        "模式所列文件位于数据集文件夹之外, 系统不会打开; 请将文件放入该文件夹",
    ),
    "missing_table": (
        ERROR,
        "the schema names the table, but its file is not there; give the file or take the table "
        "out of the schema",
        "模式列出了该表, 但找不到相应文件; 请提供文件或从模式中去除该表",
    ),
    "file_twice": (
        WARNING,
        "two files have the name of the table, and the first was read; name one in the schema",
        "有两个文件与该表同名, 已读取第一个; 请在模式中指明文件",
    ),
    "file_passed_over": (
        INFO,
        "the schema names no table of this file, which was not read; add it or remove the file",
        "模式中没有与该文件对应的表, 未读取; 请补充到模式或移除该文件",
    ),
    "encoding_guessed": (
        WARNING,
        "the file is not in UTF-8 and was read in the encoding that fits its bytes; write it in "
        "UTF-8 or state settings.encoding",
        "文件不是 UTF-8 编码, 已按与其字节相符的编码读取; 请改用 UTF-8 或设置 settings.encoding",
    ),
    "encoding_unknown": (
        ERROR,
        "bytes of the file are no text in the stated or any known encoding and were replaced; "
        "write the file in UTF-8",
        "文件中有字节不符合声明的或任何已知的编码, 已被替换; 请将文件改为 UTF-8",
    ),
    "delimiter_guessed": (
        INFO,
        "the cells are not separated by the sign that the suffix promises; the one that fits was "
        "taken; state settings.delimiter to be certain",
        "单元格分隔符与扩展名不符, 已采用与内容相符的分隔符; 可在 settings.delimiter 中指明",
    ),
    "ragged_row": (
        ERROR,
        "the line has more or fewer cells than the header and was left out; correct the line",
        "该行的单元格数与表头不符, 已忽略; 请更正该行",
    ),
    "ragged_rows": (
        ERROR,
        "further lines have more or fewer cells than the header and were left out; correct them",
        "另有多行的单元格数与表头不符, 已忽略; 请更正",
    ),
    "row_names": (
        INFO,
        "each line has one cell more than the header; the first was taken for a row's name",
        "每行比表头多一个单元格, 已将第一个视为行名",
    ),
    "quote_open": (
        ERROR,
        "a quotation mark is opened and never closed, so quotation marks were read as they stand; "
        "correct the file",
        "文件中有未闭合的引号, 已按普通字符读取引号; 请更正文件",
    ),
    "broken_resource": (
        ERROR,
        "the JSON cannot be read, and what it holds is left out; write it again",
        "JSON 无法读取, 其内容已忽略; 请重新生成",
    ),
    "not_a_resource": (
        ERROR,
        "the JSON is no FHIR resource, since it has no resourceType, and is left out; correct it",
        "JSON 没有 resourceType, 不是 FHIR 资源, 已忽略; 请更正",
    ),
    "resource_passed_over": (
        INFO,
        "resources of this type are not turned into a table and were not read",
        "该类型的资源不转换为表格, 未读取",
    ),
    # columns
    "duplicate_column": (
        ERROR,
        "two columns have the same name, and the later one was given a number; name each its own",
        "两列同名, 后一列已加序号; 请分别命名",
    ),
    "missing_column": (
        ERROR,
        "the schema names the column, but the table has none such; give it or take it out of the "
        "schema",
        "模式列出了该列, 但表中没有; 请补充该列或从模式中去除",
    ),
    "extra_column": (
        WARNING,
        "the table has the column, but the schema does not name it, and it was not read; add it "
        "to the schema",
        "表中有该列但模式未列出, 未读取; 请补充到模式",
    ),
    "empty_column": (
        WARNING,
        "all values of the column are missing; give them or take the column out",
        "该列的值全部缺失, 请补充或去除该列",
    ),
    "constant_column": (
        INFO,
        "all values of the column are equal, so it tells patients apart in nothing",
        "该列的值全部相同, 不提供区分信息",
    ),
    "type": (
        ERROR,
        "the cell is none of the column's type and counts as missing; correct the cell or the "
        "type in the schema",
        "单元格不符合该列的类型, 按缺失处理; 请更正单元格或模式中的类型",
    ),
    "fraction": (
        ERROR,
        "the number has a fraction where the schema promises whole numbers and was rounded; "
        "correct it or the type",
        "模式要求整数但数值带小数, 已取最近的整数; 请更正数值或类型",
    ),
    "float_code": (
        WARNING,
        "codes, identifiers or categories were written as numbers with a decimal point (250.0); "
        "the zero fraction was taken off; leading zeros may be lost: write them as text",
        "代码、标识或类别被写成带小数点的数字 (如 250.0), 已去除小数部分; 前导零可能丢失, "
        "请按文本书写",
    ),
    "full_width": (
        WARNING,
        "cells hold full-width digits, letters or signs, which were read as half-width; write "
        "them so",
        "单元格含全角字符, 已按半角读取; 请改用半角书写",
    ),
    "padded": (
        INFO,
        "cells begin or end with blanks, which were taken off; write them without",
        "单元格首尾有空格, 已去除; 请去掉空格",
    ),
    "decimal_comma": (
        INFO,
        "the column's numbers have a decimal comma and were read so; state decimal in the schema",
        "该列数字使用逗号作小数点, 已按此读取; 请在模式中声明 decimal",
    ),
    "thousands": (
        INFO,
        "the column's numbers have thousands separators, which were taken off; write them without",
        "该列数字带千位分隔符, 已去除; 请去掉分隔符",
    ),
    "decimal_unclear": (
        ERROR,
        "a comma in the column's numbers may be a decimal sign or separate thousands; it was "
        "taken to separate thousands: state decimal in the schema",
        "该列数字中的逗号可能是小数点或千位分隔符, 已按千位分隔符读取; 请在模式中声明 decimal",
    ),
    "date_order_found": (
        INFO,
        "the order of day and month was found from the whole column; state date_order in the "
        "schema",
        "日与月的次序由整列推断, 请在模式中声明 date_order",
    ),
    "date_order_unclear": (
        ERROR,
        "day and month cannot be told apart in any date of the column; day before month was "
        "taken: state date_order in the schema",
        "该列的日期无法区分日与月, 已按日在前读取; 请在模式中声明 date_order",
    ),
    "date_forms": (
        WARNING,
        "the dates of the column are written in several forms; write them as YYYY-MM-DD",
        "该列日期的书写形式不一, 请统一为 YYYY-MM-DD",
    ),
    "zone_dropped": (
        INFO,
        "times state their zone; they were taken as the clock showed there",
        "时间带有时区, 已按当地钟表时间读取",
    ),
    "zones_mixed": (
        WARNING,
        "times of the column state zones that lie far apart and were brought to UTC",
        "该列时间的时区相差较大, 已统一为 UTC",
    ),
    "time_of_day_dropped": (
        INFO,
        "dates of the column state a time of day, which was left out; declare it datetime",
        "该列日期带有时刻, 已忽略; 如需保留请声明为 datetime",
    ),
    "partial_date": (
        INFO,
        "dates state a year, or a year and a month, only; the first day of it was taken",
        "日期只有年或年月, 已取其第一天",
    ),
    # rows
    "key_missing": (
        ERROR,
        "the row has no key; give it one",
        "该行缺少主键, 请补充",
    ),
    "key_duplicate": (
        ERROR,
        "the key stands in an earlier row too; give each row its own",
        "主键与前面的行重复, 请保证唯一",
    ),
    "patient_missing": (
        ERROR,
        "the row names no patient; give the patient's key",
        "该行没有指明患者, 请补充患者标识",
    ),
    "patient_orphan": (
        ERROR,
        "the row names a patient who is not in the patient table; add the patient or remove the "
        "row",
        "该行所指患者不在患者表中, 请补充患者或删除该行",
    ),
    "orphan": (
        ERROR,
        "the row points to a row that is not there; correct the reference or add the row",
        "该行引用的记录不存在, 请更正引用或补充记录",
    ),
    "required": (
        ERROR,
        "the value is required and missing; give it",
        "必填值缺失, 请补充",
    ),
    "value_unknown": (
        ERROR,
        "the value is none of the values that the schema allows; correct it or add it to the "
        "schema",
        "值不在模式允许的取值之列, 请更正或补充到模式",
    ),
    "too_few_rows": (
        ERROR,
        "the patient has fewer rows in the table than the schema promises; add them",
        "该患者在此表中的行数少于模式规定, 请补充",
    ),
    "too_many_rows": (
        ERROR,
        "the patient has more rows in the table than the schema allows; remove them",
        "该患者在此表中的行数多于模式允许, 请删除多余行",
    ),
    "other_patient": (
        ERROR,
        "the row points to a row of another patient; correct the reference",
        "该行引用了另一患者的记录, 请更正引用",
    ),
    # OMOP
    "conformity.field_unknown": (
        WARNING,
        "the column is no field of this OMOP CDM 5.4 table and was not read; rename or remove it",
        "该列不是此 OMOP CDM 5.4 表的字段, 未读取; 请更名或移除",
    ),
    "conformity.fhir_json_type": (
        ERROR,
        "an element of the FHIR resource has another JSON type than its definition; write it as "
        "the definition says",
        "FHIR 资源元素的 JSON 类型与其定义不符, 请按定义书写",
    ),
    "conformity.fhir_date_form": (
        ERROR,
        "a date or time is not written as FHIR does (2020, 2020-01-31, 2020-01-31T10:00:00+01:00), "
        "or is in no calendar; correct it",
        "日期或时间不符合 FHIR 的写法 (如 2020-01-31T10:00:00+08:00), 或日历中不存在, 请更正",
    ),
    "conformity.fhir_form": (
        ERROR,
        "a primitive element of the FHIR resource has not the form of its type; correct it",
        "FHIR 资源的基本类型元素不符合其类型的形式, 请更正",
    ),
    "conformity.fhir_cardinality": (
        ERROR,
        "an element that may repeat is no array, or one that may not is one, or the array is "
        "empty; correct it",
        "可重复的元素未写成数组, 或不可重复的元素写成了数组, 或数组为空, 请更正",
    ),
    "conformity.fhir_element_missing": (
        ERROR,
        "an element that the FHIR definition requires is missing; give it",
        "缺少 FHIR 定义要求的元素, 请补充",
    ),
    "conformity.fhir_element_unknown": (
        WARNING,
        "the FHIR definition has no such element; correct its name or use an extension",
        "FHIR 定义中没有该元素, 请更正名称或改用扩展",
    ),
    "conformity.fhir_choice": (
        ERROR,
        "several of an element that may have one type only (value[x]) are there; keep one",
        "只能取一种类型的元素 (value[x]) 同时出现多个, 请只保留一个",
    ),
    "conformity.field_missing": (
        ERROR,
        "a field that OMOP CDM 5.4 requires is not in the table; add it",
        "表中缺少 OMOP CDM 5.4 要求的字段, 请补充",
    ),
}  # fmt: skip


_BOOK = RuleBook("ehr", RULES)
rule_id = _BOOK.id
finding, finding_for, unreadable = _BOOK.finding, _BOOK.finding_for, _BOOK.unreadable


def row_finding(table: str, rows: ArrayLike, rule: str, column: str = "") -> RowFinding:
    """Return a finding about rows.

    Parameters
    ----------
    table : str
    rows : array_like
        Indices of rows, counted from 0, or a mask over all rows.
    rule : str
        As in `finding`.
    column : str

    Examples
    --------
    >>> row_finding("labs", [True, False, True], "type", "value").rows.tolist()
    [0, 2]
    """
    index = np.asarray(rows)
    index = np.flatnonzero(index) if index.dtype == bool else np.sort(index)
    return RowFinding(table, index.astype(np.intp), rule_id(rule), column)
