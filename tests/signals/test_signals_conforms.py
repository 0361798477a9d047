"""Signals keep to what every modality must keep to; run on simulated electrocardiograms."""

import numpy as np
from cohorts_made import RATE, write

from sdq_core.rule_book import RuleBook
from sdq_core.testing import Example, parametrize_with_checks
from sdq_signals.channels import LEADS
from sdq_signals.conformity.rules import RULES as CONFORMITY
from sdq_signals.modality import Signals
from sdq_signals.rules import RULES
from sdq_signals.simulated_ecg import simulate


class Electrocardiograms(Example):
    modality = Signals
    worsens = ("signals.fidelity.spectrum_distance", "signals.fidelity.energy_distance")
    items = 50
    rule_books = (
        RuleBook("signals", RULES),
        RuleBook("signals", {rule: said[:3] for rule, said in CONFORMITY.items()}),
    )

    def make(self, folder, seed, items, *, synthetic, severity):
        samples = simulate(items, rate=RATE, seed=seed).samples
        noise = np.random.default_rng(seed).normal(size=samples.shape)
        samples = samples + severity * 0.1 * noise
        for k, sample in enumerate(samples):
            more = {"subject": np.array([f"person-{seed}-{k}"])}
            if synthetic:
                more |= {"synthetic": np.array(["yes"]), "generator": np.array(["sim"]),
                         "seed": np.array([str(k)])}  # fmt: skip
            write(folder / f"r{seed}-{k:03d}.npz", sample[None], channels=LEADS, **more)

    def put_not_a_number(self, folder):
        sample = simulate(1, rate=RATE, seed=9).samples
        sample[0, 3, 100:400] = np.nan
        write(self.first_file(folder), sample)
        return True


@parametrize_with_checks(Electrocardiograms())
def test_signals_conform(check):
    check()
