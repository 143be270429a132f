"""What several tests share."""

import os

from hypothesis import settings

# Deadlines would time the machine, not the code; a derandomized run fails for everyone or for no one.
settings.register_profile("kenyon", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
settings.load_profile("kenyon")
