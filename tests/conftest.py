"""What all tests share."""

import os

# Before numpy is imported: on a machine whose cores are busy, BLAS threads wait for each other.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from hypothesis import settings  # noqa: E402

# In CI the same examples every time, so that a failure is due to the change; locally new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")

pytest_plugins = ["pytester"]


def pytest_collection_modifyitems(items):
    """Put long files first: no worker is left alone with one at the end."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)
