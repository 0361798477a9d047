"""The conformance kit: what every modality plugin must keep to, as named checks.

`check_modality` runs them all and lists what fails; `parametrize_with_checks` makes a test of each
in the plugin's own suite. What a plugin's author gives is one small `Example`. See
``docs/plugins.md``.
"""

from sdq_core.testing.conforming import NotConforming
from sdq_core.testing.example import Example
from sdq_core.testing.running import CHECKS, Outcome, check_modality, parametrize_with_checks

__all__ = [
    "CHECKS",
    "Example",
    "NotConforming",
    "Outcome",
    "check_modality",
    "parametrize_with_checks",
]
