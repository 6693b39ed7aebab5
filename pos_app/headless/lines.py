"""The lines in and out: one JSON object each (reliability 5.2). Whatever comes in, a line out is whole."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NoReturn

LINE_MAX: Final = 64 * 1024
ID_MAX_CHARACTERS: Final = 100

Id = int | str | None


class BadLineError(Exception):
    """A line that is no command. `line_id` is its id where one could be read; the message says what is expected."""

    def __init__(self, line_id: Id, sentence: str) -> None:
        super().__init__(sentence)
        self.line_id = line_id


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it was written; `given` may hold what is personal."""

    line_id: Id
    do: str
    given: Mapping[str, object] = field(repr=False)


def read_line(line: bytes, known: frozenset[str]) -> Command:
    """Read one line. `known` are the commands there are.

    Raises:
        BadLineError: it is no command.
    """
    if len(line) > LINE_MAX:
        raise BadLineError(None, f"The line is too long: found {len(line)} bytes, expected at most {LINE_MAX}.")
    try:
        tree = json.loads(line.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadLineError(None, "The line is no JSON object in UTF-8.") from None
    if not isinstance(tree, dict):
        raise BadLineError(None, "The line is JSON, but no object.")
    line_id = _id_of(tree.pop("id", None))
    do = tree.pop("do", None)
    if not isinstance(do, str) or do not in known:
        raise BadLineError(line_id, f"do: expected one of {', '.join(sorted(known))}.")
    return Command(line_id, do, tree)


def _id_of(found: object) -> Id:
    is_text = isinstance(found, str) and len(found) <= ID_MAX_CHARACTERS
    if found is None or is_text or (isinstance(found, int) and not isinstance(found, bool)):
        return found  # type: ignore[return-value]
    raise BadLineError(None, "id: expected a whole number or a short text.")


def _no_number(_word: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


class Voice:
    """Says events, one a line, flushed. Safe to use from any thread; a listener that left is no trouble."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def say(self, event: str, **members: object) -> None:
        """Write one event."""
        line = json.dumps({"event": event, **members}).encode("ascii") + b"\n"
        with self._lock, contextlib.suppress(BrokenPipeError, ValueError):
            self._stream.write(line)
            self._stream.flush()
