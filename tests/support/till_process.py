"""The test's end of a driven till: starts the real window as a process, tells it what to do, reads what it showed.

    with driven_till(folder) as till:
        till.look_up("919777785205")
        till.check(100)
        till.press("F8")
        till.wait_for(lambda screen: "Done" in screen.said, "the redemption")

Nothing here waits for time: every wait is for a screen, an answer or an end, with a deadline. `screens` holds all that
was painted, in order, also when the till was killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DRIVER = Path(__file__).with_name("driven_till.py")
WAIT_S = 20.0


def eventually(what: str, holds: Callable[[], Any], wait_s: float = WAIT_S) -> Any:
    """Wait until something holds (asked again and again), and return it."""
    ends = time.monotonic() + wait_s
    while not (found := holds()):
        assert time.monotonic() < ends, f"{what}: not within {wait_s:g} s"
        time.sleep(0.01)
    return found


@dataclass(frozen=True)
class Screen:
    """What stood on the screen at one moment, by object name; None: it was not there."""

    words: Mapping[str, Any]

    def __getitem__(self, name: str) -> str:
        return self.words[name] or ""

    @property
    def title(self) -> str:
        """The verdict's headline."""
        return self["verdictTitle"]

    @property
    def said(self) -> str:
        """All the verdict says."""
        return " | ".join(self[name] for name in ("verdictTitle", "verdictReason", "verdictNext") if self[name])

    @property
    def can_redeem(self) -> bool:
        """Whether F8 is offered."""
        return "redeemButton" in self.words["buttons"]

    def __str__(self) -> str:
        return str({name: text for name, text in self.words.items() if text})


@dataclass
class TillProcess:
    """One till. It may be started again in the same folder after its end; `screens` goes on."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    screens: list[Screen] = field(default_factory=list)
    _process: subprocess.Popen[str] | None = None
    _answers: list[dict[str, Any]] = field(default_factory=list)
    _ended: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _reader: threading.Thread | None = None
    _own: int = 0
    """From which screen on they are those of this start."""

    @property
    def output(self) -> Path:
        """Everything the till wrote on standard error, over all its starts."""
        return self.folder.with_name(f"{self.folder.name}.stderr")

    # --- Starting and ending ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the window and wait until its services are joined and the line is known."""
        self.open()
        self.wait_for(lambda screen: screen["statusConnection"] in {"Online", "Offline"}, "the start")

    def open(self) -> None:
        """Open the window and wait until it is painted."""
        self._answers, self._ended, self._own = [], False, len(self.screens)
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", str(DRIVER), str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **self.environment},
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        self.wait_for(lambda screen: bool(screen.title), "the first screen")

    def kill(self) -> None:
        """End the till as a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self.wait_end()

    def close(self) -> int:
        """Close the window; returns the exit code."""
        self.do("quit")
        return self.wait_end()

    def wait_end(self) -> int:
        """Wait for the end of the process; returns the exit code."""
        assert self._process is not None
        assert self._reader is not None
        try:
            code = self._process.wait(WAIT_S)
        finally:
            self._reader.join(WAIT_S)
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    try:
                        stream.close()
                    except BrokenPipeError:
                        continue
        self._process = None
        return code

    def end(self) -> None:
        """End whatever runs, however it runs."""
        if self._process is not None:
            self.kill()

    # --- Doing and reading -----------------------------------------------------------------------------------------

    def do(self, what: str, **parameters: Any) -> dict[str, Any]:
        """Have the driver do something, and return its answer."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **parameters}) + "\n")
        self._process.stdin.flush()
        with self._changed:
            assert self._changed.wait_for(lambda: self._answers or self._ended, WAIT_S), f"{what}: no answer"
            assert self._answers, f"{what}: the till ended. {self.complaints()}"
            answer = self._answers.pop(0)
        assert "error" not in answer, f"{what} {parameters}: {answer['error']}"
        return answer

    @property
    def screen(self) -> Screen:
        """What is on the screen, as last painted."""
        with self._changed:
            return self.screens[-1]

    def shown_since(self, mark: int) -> list[Screen]:
        """All screens painted since `mark` (see `mark`)."""
        with self._changed:
            return self.screens[mark:]

    @property
    def mark(self) -> int:
        """A place in the row of screens."""
        with self._changed:
            return len(self.screens)

    def wait_for(self, holds: Callable[[Screen], bool], what: str, wait_s: float = WAIT_S) -> Screen:
        """Wait until the screen is as wanted, and return it."""

        def is_so() -> bool:
            return len(self.screens) > self._own and holds(self.screens[-1])

        with self._changed:
            is_met = self._changed.wait_for(lambda: self._ended or is_so(), wait_s)
            last = self.screens[-1] if self.screens else None
            assert is_met, f"{what}: not within {wait_s:g} s; on the screen: {last}"
            assert is_so(), f"{what}: the till ended. {self.complaints()}"
            return self.screens[-1]

    def complaints(self) -> str:
        """The end of what it wrote on standard error."""
        return self.output.read_text(encoding="utf-8", errors="replace")[-2000:]

    # --- What a cashier does ---------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        """Press a key."""
        self.do("press", key=key)

    def click(self, name: str) -> None:
        """Press a button."""
        self.do("click", name=name)

    def choose(self, words: str) -> None:
        """Press that button of the verdict which says these words."""
        for name in ("verdictButton1", "verdictButton2"):
            if self.screen[name] == words:
                self.click(name)
                return
        raise AssertionError(f"no button says {words!r}: {self.screen}")

    def ask_for(self, mobile: str) -> None:
        """F2, a mobile number, Enter."""
        self.press("F2")
        self.do("type", name="customerField", text=mobile)
        self.press("Return")

    def look_up(self, mobile: str) -> Screen:
        """Find a customer who is there."""
        self.ask_for(mobile)
        return self.wait_for(lambda screen: bool(screen["customerName"]), "the customer")

    def ask_points(self, points: int | str) -> None:
        """F3, a number of points, Enter."""
        self.press("F3")
        self.do("type", name="amountField", text=str(points))
        self.press("Return")

    def check(self, points: int | str) -> Screen:
        """Ask for points, and wait for a yes that may lead to F8."""
        self.ask_points(points)
        return self.wait_for(lambda screen: "can be used" in screen.title, "the yes")

    def enter_code(self, code: str) -> None:
        """Type a code into the dialog and press Confirm code."""
        self.wait_for(lambda screen: bool(screen["codeDialog"]), "the dialog for the code")
        self.do("type", name="codeField", text=code)
        self.click("codeConfirm")

    # --- Listening ---------------------------------------------------------------------------------------------------

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            with self._changed:
                if "screen" in told:
                    self.screens.append(Screen(told["screen"]))
                else:
                    self._answers.append(told["answer"])
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


@contextmanager
def driven_till(folder: Path, **environment: str) -> Iterator[TillProcess]:
    """A till in its data folder, started, and ended with the block."""
    till = TillProcess(folder, environment)
    try:
        till.start()
        yield till
    finally:
        till.end()
