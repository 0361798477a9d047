"""What all tests share."""

import os

from hypothesis import settings

# In CI the same examples every time, so that a failure is due to the change; locally new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")
