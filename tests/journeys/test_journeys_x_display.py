"""On a real X display the window takes real keys: F2, a mobile number, Enter, a number of points, Enter, a verdict."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ledger_server import MOBILE
from support.shop import a_shop
from support.till_process import driven_till

NEEDED = ("Xvfb", "xdotool")
MISSING = [name for name in NEEDED if shutil.which(name) is None]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)}: packaging/test.sh installs them")


@pytest.fixture
def display(tmp_path: Path) -> Iterator[str]:
    """A screen of its own, on a number that the server chooses."""
    reading, writing = os.pipe()
    with (tmp_path / "xvfb.log").open("wb") as log:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
            pass_fds=(writing,),
            stdout=log,
            stderr=log,
        )
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    try:
        assert number, (tmp_path / "xvfb.log").read_text(encoding="utf-8", errors="replace")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


def test_the_keyboard_of_a_real_display_leads_to_a_verdict(tmp_path: Path, display: str) -> None:
    def xdotool(*words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words],
            env={**os.environ, "DISPLAY": display},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return done.stdout.strip()

    on_display = {"QT_QPA_PLATFORM": "xcb", "DISPLAY": display}
    with (
        a_shop(tmp_path, code__ask_first=True) as shop,
        driven_till(shop.till_folder(), **on_display) as till,
    ):
        window = xdotool("search", "--sync", "--onlyvisible", "--name", "Points Desk").splitlines()[0]
        xdotool("windowfocus", "--sync", window)
        xdotool("key", "F2")
        xdotool("type", "--delay", "5", MOBILE)
        xdotool("key", "Return")
        till.wait_for(lambda screen: screen["customerName"] == "Tom S.", "the customer")
        xdotool("type", "--delay", "5", "120")
        xdotool("key", "Return")
        yes = till.wait_for(lambda screen: "can be used" in screen.title, "the verdict")
        assert yes.title == "120 points can be used"
        xdotool("key", "F8")
        done = till.wait_for(lambda screen: screen.title.startswith("Done"), "the redemption")
        assert done.title == "Done. 120 points used"
        assert len(shop.charges()) == 1
        xdotool("key", "ctrl+q")
        assert till.wait_end() == 0
