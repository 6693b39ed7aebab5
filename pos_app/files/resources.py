"""Where the data lie that come with the program: pictures, demo data, descriptions of the API."""

from __future__ import annotations

from pathlib import Path
from typing import Final

RESOURCES: Final = Path(__file__).resolve().parent.parent.parent / "resources"
