"""A generator's description in which every fact is stated."""

from sdq_core.generator import definitions

KNOWN = {
    "algorithm.family": "vae",
    "dataset.type": ["train", "tune"],
    "dataset.date": "2026-01-01",
    "responsible.date": "2026-01-02",
    "algorithm.weights_sha256": "ab" * 32,
    "training_data.digest": "cd" * 32,
    "privacy.differential_privacy": {"epsilon": 1.0, "delta": 1e-5, "mechanism": "DP-SGD"},
    "changes": [{"version": "1", "date": "2026-01-01", "what": "first"}],
    "algorithm.parameters": {"steps": 10},
    "lineage": "lineage.csv",
}


def complete(**changes):
    """Return the description; `changes` are dotted keys with ``__`` for the dot, None removes."""
    stated = {}
    changes = {key.replace("__", "."): value for key, value in changes.items()}
    for fact in definitions():
        value = KNOWN.get(fact.key, 7 if fact.form == "number" else f"about {fact.key}")
        value = changes.get(fact.key, value)
        if value is None:
            continue
        *parents, name = fact.key.split(".")
        place = stated
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = value
    return stated
