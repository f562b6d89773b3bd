"""Makes ``tests/support`` importable; everything else lives beside the tests that use it."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# A busy machine makes single examples slow; the whole test has a timeout of its own.
settings.register_profile("simplestchat", deadline=None)
settings.load_profile("simplestchat")
