"""The generator's description, ``sdq.generator/1``: what the provider states of the synthesis."""

from sdq_core.generator.facts import FactDefinition, definition, definitions
from sdq_core.generator.loading import (
    about_key,
    contradictions,
    facts_of,
    generator_of,
    load_generator,
    refuse_impossible,
)
from sdq_core.generator.model import Fact, Generator
from sdq_core.generator.template import template

__all__ = [
    "Fact",
    "FactDefinition",
    "Generator",
    "about_key",
    "contradictions",
    "definition",
    "definitions",
    "facts_of",
    "generator_of",
    "load_generator",
    "refuse_impossible",
    "template",
]
