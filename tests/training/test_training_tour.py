"""The tour plays the whole journey through the real window, and practice touches no network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtGui import QImage

STEPS = [
    "ready",
    "lookup",
    "refusal",
    "check",
    "wrong-code",
    "right-code",
    "redeem",
    "line-off",
    "offline-check",
    "line-on",
]

_WITHOUT_SOCKETS = """
import socket, sys
from pathlib import Path

def forbidden(*arguments, **named):
    raise AssertionError("trainer mode opened a socket")

socket.socket.__init__ = forbidden
socket.create_connection = forbidden
from pos_app.starting import run_demo

code = run_demo(Path(sys.argv[1]), print)
loaded = [name for name in ("requests", "urllib3", "falcon", "granian", "pos_app.gateway") if name in sys.modules]
assert not loaded, loaded
sys.exit(code)
"""


def test_the_tour_plays_every_step_without_a_display_and_without_a_socket(tmp_path: Path) -> None:
    played = subprocess.run(
        [sys.executable, "-c", _WITHOUT_SOCKETS, str(tmp_path)], capture_output=True, text=True, timeout=90, check=False
    )
    assert played.returncode == 0, played.stdout + played.stderr
    pictures = sorted(tmp_path.glob("*.png"))
    assert [each.stem.partition("-")[2] for each in pictures] == STEPS
    for picture in pictures:
        image = QImage(str(picture))
        assert (image.width(), image.height()) >= (1024, 768)
    told = played.stdout
    assert "Use a multiple of 10" in told
    assert "That code did not match" in told
    assert "Done. 120 points used" in told
    assert "1,130 points" in told
    assert "Probably yes (offline)" in told
    assert "Connection: offline" in told
    assert "Connection: online" in told


def test_a_tour_that_meets_an_empty_window_says_where_it_stopped(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from PySide6.QtWidgets import QApplication, QMainWindow\n"
        "import pos_app.training.tour as tour\n"
        "tour.STEP_TIMEOUT_MS = 50\n"
        "app = QApplication([]); window = QMainWindow(); window.show()\n"
        "try: tour.Tour(window, Path(sys.argv[1]), print).play(tour.Script(mobile='1', step_points='1'))\n"
        "except tour.TourFailedError as error: print(error); sys.exit(7)\n"
    )
    played = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert played.returncode == 7, played.stderr
    assert "step 1" in played.stdout
