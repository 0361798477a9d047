"""Invented clinical notes: templates that recur, and sentences of a patient's own."""

from __future__ import annotations

import numpy as np

TEMPLATES = (
    "Patient seen and examined. No acute distress. Vital signs stable and within normal limits.",
    "Discussed findings with the patient who agrees with the plan. Follow up in two weeks.",
    "Chest is clear to auscultation. Heart sounds regular. Abdomen soft and not tender.",
    "Continue current medication. Call the clinic if symptoms get worse or new ones appear.",
    "Admitted through the emergency department for observation. Routine blood tests were sent.",
)
WHO = ["daughter", "neighbour", "wife", "brother", "teacher", "employer", "grandson", "nurse"]
DID = ["reports", "noticed", "mentions", "remembers", "describes", "denies", "fears", "regrets"]
WHAT = (
    "dizziness", "a rash", "weight loss", "poor sleep", "knee pain", "fatigue", "a fall",
    "blurred vision", "night sweats", "palpitations", "back pain", "a burn", "hoarseness",
)  # fmt: skip
WHEN = (
    "since harvest", "after the wedding", "during a ferry trip", "for nine days", "at dawn",
    "when gardening", "after moving house", "on the stairs", "before the exam",
)  # fmt: skip
AND = (
    "which resolved", "and stopped driving", "but kept working", "and saw a pharmacist",
    "though it is milder", "and lost appetite", "without fever", "and slept in a chair",
)  # fmt: skip


def notes(n: int, seed: int, own: int = 4) -> list[str]:
    """Return notes of n patients: two templates around sentences of the patient's own."""
    rng = np.random.default_rng(seed)

    def sentence() -> str:
        parts = [str(rng.choice(p)) for p in (WHO, DID, WHAT, WHEN, AND)]
        return f"The {parts[0]} {parts[1]} {parts[2]} {parts[3]} {parts[4]}."

    return [
        " ".join(
            [
                str(rng.choice(TEMPLATES)),
                *(sentence() for _ in range(own)),
                str(rng.choice(TEMPLATES)),
            ]
        )
        for _ in range(n)
    ]


def reworded(text: str, rng: np.random.Generator, share: float = 0.1) -> str:
    """Return a text with a share of its words exchanged, in capitals and other blanks."""
    words = [str(rng.choice(WHAT)) if rng.random() < share else w for w in text.split()]
    return "  ".join(words).upper()
