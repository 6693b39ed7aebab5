"""Start to first painted window, to "can look up a customer", and memory: against windows that do nothing."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

_EMPTY = """
import signal, sys
signal.alarm(30)
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

class Painted(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and not self.done:
            self.done = True
            QTimer.singleShot(0, after)
        return False

def after():
    if sys.argv[1] == "libraries":
        import requests, sqlalchemy
    print("there", memory_mb(), flush=True)
    app.quit()

def memory_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))

app = QApplication([])
window = QMainWindow()
painted = Painted()
painted.done = False
window.installEventFilter(painted)
window.show()
app.exec()
"""

_OURS = """
import signal, sys
signal.alarm(30)
from pathlib import Path
from pos_app.starting import run_window
from pos_app.settings import Place

def memory_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))

def watch():
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication
    window = next(w for w in QApplication.topLevelWidgets() if w.objectName() == "mainWindow")

    class Painted(QObject):
        done = False
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Paint and not self.done:
                self.done = True
                QTimer.singleShot(0, self.after)
            return False
        def after(self):
            if sys.argv[1] == "painted":
                self.finish()
        def finish(self):
            print("there", memory_mb(), flush=True)
            QApplication.instance().quit()

    watch.painted = Painted()
    window.installEventFilter(watch.painted)
    if sys.argv[1] == "ready":
        window.attached.connect(watch.painted.finish)

run_window(Place(data_dir=Path(sys.argv[2])), on_start=watch)
"""


def one_start(script: str, *arguments: str) -> tuple[float, float]:
    """Milliseconds until the process says that it is there, and its memory then in MB."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # An installed till has its compiled modules, as the floor has.
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    took = (time.perf_counter() - began) * 1000
    process.wait(30)
    process.stdout.close()
    if not line.startswith("there "):
        raise RuntimeError("the window did not come")
    return took, float(line.split()[1])


def a_till(folder: Path) -> None:
    """A till that was set up and started before; its ledger is away, so nothing but this machine is measured."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.toml").write_text('[ledger]\nurl = "http://127.0.0.1:9"\nlogin = "till.bench"\n')


def rows(folder: Path, runs: int) -> list[tuple[str, str, str, str, str]]:
    """The table's rows: what, ours, floor, ratio, aim."""
    a_till(folder)
    cases = {
        "empty": (_EMPTY, "empty"),
        "libraries": (_EMPTY, "libraries"),
        "painted": (_OURS, "painted", str(folder)),
        "ready": (_OURS, "ready", str(folder)),
    }
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for run in range(runs + 2):
        for name, (script, *arguments) in cases.items():
            measured = one_start(script, *arguments)
            if run >= 2:  # The first two fill the machine's file cache.
                seen[name].append(measured)
    took = {name: statistics.median(each[0] for each in found) for name, found in seen.items()}
    memory = {name: statistics.median(each[1] for each in found) for name, found in seen.items()}
    return [
        _row("start to first painted window", took["painted"], took["empty"], "ms", "1.5"),
        _row('start to "can look up a customer"', took["ready"], took["libraries"], "ms", "1.25"),
        _row("memory, ready to look up", memory["ready"], memory["libraries"], "MB", "1.3"),
    ]


def _row(what: str, ours: float, floor: float, unit: str, most: str) -> tuple[str, str, str, str, str]:
    return what, f"{ours:.0f} {unit}", f"{floor:.0f} {unit}", f"{ours / floor:.2f}", f"at most {most}"
