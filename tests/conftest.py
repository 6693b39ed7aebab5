"""Shared ground of all tests: no display is needed, and helpers are found under `support`."""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parent))

pytest_plugins = ["support.databases"]
