"""The window is painted before anything slow is loaded, and the till is ready before what it may never need is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

import pytest

SLOW = (
    "sqlalchemy requests urllib3 babel keyring cryptography phonenumbers asyncio zoneinfo sqlcipher3 ssl http.client"
    " logging.handlers xml.etree.ElementTree click platformdirs"
).split()
RARELY_NEEDED = "babel keyring cryptography phonenumbers argon2 segno tomli_w click xml.etree.ElementTree".split()
DIALOGS = ("pos_app.ui.code_dialog", "pos_app.ui.group_dialog", "pos_app.ui.first_run", "pos_app.ui.keys_help")

_A_START = """
import gc, json, sys
from pathlib import Path
from pos_app.starting import run_window
from pos_app.settings import Place

def seen():
    import PySide6.QtCore, PySide6.QtGui
    return {
        "modules": sorted(sys.modules),
        "made": [each for each in ("Qt", "QIcon") if each in vars(PySide6.QtCore) or each in vars(PySide6.QtGui)],
        "collects": gc.isenabled(),
    }

def watch():
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication
    window = next(w for w in QApplication.topLevelWidgets() if w.objectName() == "mainWindow")

    class Watcher(QObject):
        told = {}
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Paint and not self.told:
                self.told["painted"] = {}
                QTimer.singleShot(0, self.painted)
            return False
        def painted(self):
            self.told["painted"] = seen()
        def ready(self):
            self.told["ready"] = seen()
            QTimer.singleShot(0, self.later)
        def later(self):
            self.told["later"] = seen()
            print(json.dumps(self.told), flush=True)
            QApplication.instance().quit()

    watch.watcher = Watcher()
    window.installEventFilter(watch.watcher)
    window.attached.connect(watch.watcher.ready)

run_window(Place(data_dir=Path(sys.argv[1])), on_start=watch)
"""


class Seen(TypedDict):
    """What was there at one moment of a start: modules, classes of Qt that are slow to make, the collector."""

    modules: list[str]
    made: list[str]
    collects: bool


@pytest.fixture(scope="module")
def a_start(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """A till of its own process, without a line: what it had loaded when painted, when ready, and just after."""
    folder: Path = tmp_path_factory.mktemp("till")
    (folder / "settings.toml").write_text('[ledger]\nurl = "http://127.0.0.1:9"\nlogin = "till.one"\n')
    done = subprocess.run(
        [sys.executable, "-c", _A_START, str(folder)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
        text=True,
    )
    told: dict[str, Seen] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_the_window_is_painted_before_anything_slow_is_loaded(a_start: dict[str, Seen]) -> None:
    assert [name for name in SLOW if name in a_start["painted"]["modules"]] == []
    rooms = {name.split(".")[1] for name in a_start["painted"]["modules"] if name.startswith("pos_app.")}
    assert rooms <= {"bootstrap", "starting", "settings", "domain", "services", "ui", "files"}


def test_the_window_is_painted_without_the_hundred_enumerations_of_qt_and_its_icons(a_start: dict[str, Seen]) -> None:
    assert a_start["painted"]["made"] == []


def test_a_till_is_ready_before_it_loads_what_it_may_never_need(a_start: dict[str, Seen]) -> None:
    loaded = a_start["ready"]["modules"]
    assert [name for name in (*RARELY_NEEDED, *DIALOGS) if name in loaded] == []
    assert "sqlalchemy" in loaded
    assert "requests" in loaded


def test_garbage_is_collected_again_once_the_till_is_ready(a_start: dict[str, Seen]) -> None:
    assert not a_start["painted"]["collects"]
    assert a_start["later"]["collects"]
