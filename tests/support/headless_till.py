"""The test's end of a headless till: a real process, its lines, and waits for events, never for time.

    with headless_till(folder, ledger.url) as till:
        till.ask("redeem", mobile="919777785205", points="100", program_id=973)

`output` is everything the till ever wrote, over all its starts, for `support.counting`.
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
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.ledger_server import LOGIN, PASSWORD

READY_S = 10.0
"""What the specification allows from the start to `ready`; a test machine under load gets more patience elsewhere."""
WAIT_S = 40.0

Event = dict[str, Any]


class TillEndedError(AssertionError):
    """The process ended while a test waited for an event."""


def write_settings(folder: Path, *, login: str = LOGIN, password: str = PASSWORD, more: str = "") -> Path:
    """A settings file and a password file beside the data folder; returns the settings file."""
    folder.mkdir(parents=True, exist_ok=True)
    password_file = folder.with_name(f"{folder.name}.password")
    password_file.write_text(password, encoding="utf-8")
    file = folder.with_name(f"{folder.name}.toml")
    lines = [f'ledger.login = "{login}"', f'ledger.password_file = "{password_file}"', more]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


QUICK = "\n".join(
    (
        "retry.connect_s = 1.0",
        "retry.read_s = 4.0",
        "retry.foreground_s = 2.0",
        "retry.base_s = 0.05",
        "retry.cap_s = 0.5",
    )
)
"""Waits for a line that is on this machine."""


@dataclass
class HeadlessTill:
    """One till. It may be started again in the same folder after its end."""

    folder: Path
    url: str
    config: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    """Runs in the child before the program starts, such as a limit on its files."""
    output: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    """Of this start."""
    _process: subprocess.Popen[bytes] | None = None
    _reader: threading.Thread | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _ended: bool = False
    _ids: int = 0

    # --- Starting and ending -----------------------------------------------------------------------------------------

    @property
    def complaints(self) -> str:
        """What it wrote on standard error, over all its starts."""
        file = self._error_file
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    @property
    def _error_file(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.stderr")

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self, **environment: str) -> Event:
        """Start, and wait for `ready`."""
        self.begin(**environment)
        return self.wait_for(lambda event: event["event"] == "ready", "ready")

    def begin(self, **environment: str) -> None:
        """Start the process."""
        self.events, self._ended = [], False
        arguments = ["till", "--headless", "--data-dir", str(self.folder), "--ledger", self.url]
        arguments += ["--config", str(self.config)]
        with self._error_file.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "pos_app", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **self.environment, **environment},
                preexec_fn=self.before,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self.wait_end()

    def quit(self) -> int:
        """Say quit; returns the exit code."""
        with suppress(BrokenPipeError):
            self.say("quit")
        return self.wait_end()

    def wait_end(self) -> int:
        """Wait for the end of the process; returns the exit code."""
        assert self._process is not None
        assert self._reader is not None
        code = self._process.wait(WAIT_S)
        self._reader.join(WAIT_S)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        self._process = None
        return code

    def end(self) -> None:
        """End whatever runs."""
        if self._process is not None:
            self.kill()

    # --- Talking -----------------------------------------------------------------------------------------------------

    def write(self, line: bytes) -> None:
        """Write a line as it is."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def close_input(self) -> None:
        """The end of the input."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()

    def say(self, do: str, **parameters: Any) -> int:
        """Send a command; returns its id."""
        self._ids += 1
        self.write(json.dumps({"id": self._ids, "do": do, **parameters}).encode("utf-8"))
        return self._ids

    def ask(self, do: str, wait_s: float = WAIT_S, **parameters: Any) -> Event:
        """Send a command and wait for its answer."""
        line_id = self.say(do, **parameters)
        return self.answer_to(line_id, wait_s)

    def answer_to(self, line_id: int, wait_s: float = WAIT_S) -> Event:
        """Wait for the answer to a command, or for the error that stands for one."""
        return self.wait_for(
            lambda event: event["event"] in {"answer", "error"} and event["id"] == line_id,
            f"the answer to {line_id}",
            wait_s,
        )

    def wait_for(self, holds: Callable[[Event], bool], what: str, wait_s: float = WAIT_S) -> Event:
        """Wait for an event of this start."""
        with self._changed:
            seen = lambda: next((each for each in self.events if holds(each)), None)  # noqa: E731 - asked twice below
            self._changed.wait_for(lambda: seen() or self._ended, wait_s)
            found = seen()
        if found is None and self._ended:
            raise TillEndedError(f"{what}: the till ended. {self.complaints[-2000:]}")
        assert found is not None, f"{what}: not within {wait_s:g} s; heard {self.events[-5:]}"
        return found

    def wait_row(self, key: str, state: str, wait_s: float = WAIT_S) -> dict[str, Any]:
        """Wait until the journal says that a row is in this state."""
        ends = time.monotonic() + wait_s
        while True:
            row = self.row(key)
            if row["state"] == state:
                return row
            assert time.monotonic() < ends, f"{key} is {row['state']}, not {state}"
            time.sleep(0.02)

    def row(self, key: str) -> dict[str, Any]:
        """One row of the journal."""
        return next(each for each in self.ask("journal")["detail"]["rows"] if each["key"] == key)

    def of(self, event: str) -> list[Event]:
        """The events of one kind, of this start."""
        with self._changed:
            return [each for each in self.events if each["event"] == event]

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            text = line.decode("ascii")
            with self._changed:
                self.output.append(text)
                with suppress(ValueError):
                    self.events.append(json.loads(text))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def a_headless_till(
    folder: Path, url: str, *, more: str = QUICK, login: str = LOGIN, **environment: str
) -> HeadlessTill:
    """A till that was not started yet."""
    return HeadlessTill(folder, url, write_settings(folder, login=login, more=more), environment)


@contextmanager
def headless_till(
    folder: Path, url: str, *, more: str = QUICK, login: str = LOGIN, **environment: str
) -> Iterator[HeadlessTill]:
    """A till in its data folder, started, and ended with the block."""
    till = a_headless_till(folder, url, more=more, login=login, **environment)
    try:
        till.start()
        yield till
    finally:
        till.end()
