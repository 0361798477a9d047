"""A toy whose module imports at once what it should import when it is used."""

import scipy.signal  # noqa: F401

from toy_modality import Toy, ToyExample


class HeavyToy(Toy):
    pass


class HeavyExample(ToyExample):
    modality = HeavyToy
