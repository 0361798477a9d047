"""Made Raman spectra of tissue: bands of proteins and lipids on a fluorescent background."""

import csv

import numpy as np
from sdq_core.testing import Example

from sdq_raman.modality import Raman
from sdq_raman.spectra import BANDS, RULES

PLACES = np.arange(500.0, 1901.0, 5.0)


class SpectraExample(Example):
    """Spectra of several people; corrupted by widening and moving the bands.

    Without classes: what is trained on them takes longer than all the rest.
    """

    modality = Raman
    worsens = ("raman.fidelity.mean_spectrum_distance", "raman.fidelity.mmd")
    items = 60
    rule_books = (RULES,)

    def make(self, folder, seed, items, *, synthetic, severity):
        rng = np.random.default_rng(seed)
        rows = []
        for k in range(items):
            counts = rng.uniform(500, 800) - rng.uniform(0.05, 0.15) * PLACES
            for centre in BANDS.values():
                height = rng.normal(300, 30)
                width = rng.normal(12, 1) * (1 + severity)
                moved = PLACES - centre - 8 * severity
                counts = counts + height * np.exp(-((moved / width) ** 2) / 2)
            counts = np.round(counts + rng.normal(0, 5, len(PLACES)), 2)
            lines = ["# laser_nm: 785"]
            if synthetic:
                lines += ["# synthetic: yes", "# generator: bands", f"# seed: {seed}-{k}"]
            lines += [f"{x:g},{y:g}" for x, y in zip(PLACES, counts, strict=True)]
            name = f"s{seed}-{k:03d}.csv"
            (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
            rows.append((name, f"person-{seed}-{k}"))
        with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("item", "subject"), *rows])

    def put_not_a_number(self, folder):
        path = self.first_file(folder)
        lines = path.read_text(encoding="utf-8").splitlines()
        lines[100] = lines[100].split(",")[0] + ",nan"
        path.write_text("\n".join(lines), encoding="utf-8")
        return True
