"""The plugin keeps to what every modality must keep to."""

from sdq_core.testing import parametrize_with_checks
from spectra_made import SpectraExample


@parametrize_with_checks(SpectraExample())
def test_raman_conforms(check):
    check()
