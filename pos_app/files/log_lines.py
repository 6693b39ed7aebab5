"""How a line of a log looks: words for people, or one JSON object for machines that collect logs."""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

TEXT_LINE: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_REDACTED: Final = "redacted_fields"
"""Where a record keeps its named values once they were made safe."""


class LogFormat(StrEnum):
    """How lines are written."""

    TEXT = "text"
    JSON = "json"


class Fields(ABC):
    """A log message made of named values: `request=... status=200` in a text, members of their own in JSON."""

    __slots__ = ()

    @property
    @abstractmethod
    def values(self) -> dict[str, str | float]:
        """The values by name."""

    def __str__(self) -> str:
        """The text form."""
        return " ".join([f"{name}={value}" for name, value in self.values.items()])


class JsonLines(logging.Formatter):
    """One JSON object a line: time in UTC, level, logger, and either named values or a message.

    Records come redacted (see `logs`): this only writes them down.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        line: dict[str, Any] = {"time": f"{at}Z", "level": record.levelname, "logger": record.name}
        fields = getattr(record, _REDACTED, None)
        return json.dumps(line | ({"message": record.getMessage()} if fields is None else fields))


def keep_fields(record: logging.LogRecord, redact: Callable[[str], str]) -> None:
    """Keep the named values of a record beside its text, each text among them redacted."""
    if isinstance(record.msg, Fields):
        values = record.msg.values.items()
        setattr(record, _REDACTED, {name: redact(each) if isinstance(each, str) else each for name, each in values})


def formatter_for(form: LogFormat) -> logging.Formatter:
    """The formatter that writes lines so."""
    return JsonLines() if form is LogFormat.JSON else logging.Formatter(TEXT_LINE)
