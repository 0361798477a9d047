"""Imaging keeps to what every modality must keep to; run on small pictures."""

import csv

import numpy as np
from pictures import draw, write
from scipy.ndimage import gaussian_filter

from sdq_core.rule_book import RuleBook
from sdq_core.testing import Example, parametrize_with_checks
from sdq_imaging.modality import Imaging
from sdq_imaging.rules import RULES


class Pictures(Example):
    modality = Imaging
    worsens = ("imaging.fidelity.spectrum_distance", "imaging.fidelity.mmd")
    # Without the network and without classes: they cost most of the time. Records have classes.
    settings = {"embeddings": ["radiomic"]}  # noqa: RUF012
    items = 50
    rule_books = (RuleBook("imaging", RULES),)

    def make(self, folder, seed, items, *, synthetic, severity):
        images = draw(items, seed, side=32)
        if severity:
            images = gaussian_filter(images, (0, 2 * severity, 2 * severity))
        write(folder, images, synthetic=synthetic, labels=False)
        rows = [("item", "subject")]
        for k, path in enumerate(sorted(folder.glob("*.png"))):
            rows.append((f"p{seed}-{path.name}", f"person-{seed}-{k}"))
            path.rename(folder / rows[-1][0])
        with (folder / "labels.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)

    def put_not_a_number(self, folder):
        image = draw(1, 9, side=32)[0].astype(np.float32)
        image[3, 4] = np.nan
        np.save(folder / "floats.npy", image)
        return True


@parametrize_with_checks(Pictures())
def test_imaging_conforms(check):
    check()
