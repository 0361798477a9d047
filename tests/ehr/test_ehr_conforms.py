"""Health records keep to what every modality must keep to; run on a simulated table."""

import pyarrow as pa
import pyarrow.compute as pc
from ehr_cohorts import TABLE_SCHEMA, write

from sdq_core.rule_book import RuleBook
from sdq_core.testing import Example, parametrize_with_checks
from sdq_ehr.identifier_rules import IDENTIFIER_RULES
from sdq_ehr.modality import Ehr
from sdq_ehr.rules import RULES
from sdq_ehr.simulated_table import simulate_table

COLUMNS = TABLE_SCHEMA["tables"]["stays"]["columns"]
SAID = {key: {"meaning": "provenance"} for key in ("synthetic", "generator", "seed")}
SCHEMA = {**TABLE_SCHEMA, "tables": {"stays": {"columns": {**COLUMNS, **SAID}}}}


class Records(Example):
    modality = Ehr
    worsens = ("ehr.fidelity.marginal_share_consistent",)
    settings = {"schema": SCHEMA}  # noqa: RUF012
    items = 80
    rule_books = (RuleBook("ehr", {**RULES, **IDENTIFIER_RULES}),)

    def make(self, folder, seed, items, *, synthetic, severity):
        table = simulate_table(items, seed=1000 * seed)
        for name in ("systolic", "creatinine", "glucose", "bmi"):
            scaled = pc.multiply(table[name].cast(pa.float64()), 1 + severity)
            at = table.column_names.index(name)
            table = table.set_column(at, name, pc.round(scaled, 2))
        said = ("yes", "sampler", str(seed)) if synthetic else ("", "", "")
        for name, text in zip(("synthetic", "generator", "seed"), said, strict=True):
            table = table.append_column(name, pa.array([text] * items))
        write(folder, {"stays": table})

    def break_item(self, folder):
        path = folder / "stays.csv"
        lines = path.read_text().splitlines()
        lines[1] += ",more,cells"
        path.write_text("\n".join(lines) + "\n")

    def put_not_a_number(self, folder):
        path = folder / "stays.csv"
        lines = path.read_text().splitlines()
        where = lines[0].replace('"', "").split(",").index("glucose")
        cells = lines[1].split(",")
        cells[where] = "inf"
        lines[1] = ",".join(cells)
        path.write_text("\n".join(lines) + "\n")
        return True


@parametrize_with_checks(Records())
def test_ehr_conforms(check):
    check()
