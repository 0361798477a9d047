"""Discovery of plugins: a broken one is reported, two claims of one name name both."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from sdq_core.errors import PluginError
from sdq_core.modality import GROUP, discover, load_modality


class FakeDistribution:
    def __init__(self, name):
        self.name = name


def point(name, value, owner):
    found = EntryPoint(name, value, GROUP)
    vars(found)["dist"] = FakeDistribution(owner)
    return found


def test_imaging_registers_as_a_third_party_would():
    assert "imaging" in discover().available


def test_two_claims_of_one_name_are_an_error_naming_both():
    found = discover([point("gait", "a:A", "lab-one"), point("gait", "b:B", "lab-two")])
    assert "gait" not in found.available
    assert "lab-one" in found.unavailable["gait"]
    assert "lab-two" in found.unavailable["gait"]
    with pytest.raises(PluginError, match="lab-one"):
        load_modality("gait", found)


def test_one_distribution_seen_twice_is_one_claim():
    found = discover([point("gait", "a:A", "lab"), point("gait", "a:A", "lab")])
    assert "gait" in found.available


def test_a_plugin_that_fails_to_import_is_reported_and_the_others_work():
    broken = point("broken", "no_such_package:X", "lab-three")
    found = discover([broken, *discover().available.values()])
    with pytest.raises(PluginError, match=r"broken.*lab-three.*ModuleNotFoundError"):
        load_modality("broken", found)
    assert load_modality("imaging", found).name == "imaging"


def test_what_is_no_modality_is_refused():
    with pytest.raises(PluginError, match="not a subclass"):
        load_modality("x", discover([point("x", "collections:OrderedDict", "lab")]))


def test_an_unknown_modality_says_what_is_installed():
    with pytest.raises(PluginError, match=r"installed: .*imaging.*pip install"):
        load_modality("olfactory")


def test_discovery_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("SDQ_NO_PLUGINS", "1")
    assert not discover().available


HEAVY = (
    "torch",
    "monai",
    "pandas",
    "scipy.stats",
    "sklearn",
    "pydicom",
    "PIL",
    "nibabel",
    "pyarrow",
)


@pytest.mark.parametrize(
    "statement",
    [
        "import sdq_core, sdq_core.cli, sdq_core.modality; sdq_core.modality.discover()",
        "import sys; sys.argv = ['sdq', '--help']\n"
        "from sdq_core.cli import app\n"
        "try: app()\n"
        "except SystemExit: pass",
    ],
)
def test_starting_up_imports_nothing_heavy(statement):
    code = f"{statement}\nimport sys\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
