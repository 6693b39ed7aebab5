"""One set-up for all logs: a file a day for 14 days, and one redactor nothing gets around (reliability 4.7).

What is logged is chosen with care at each place; the redactor is the net below. It may take too much out, never too
little: a six-letter word after "code" goes too.
"""

from __future__ import annotations

import logging
import re
import sys
from logging.handlers import TimedRotatingFileHandler
from pathlib import Path
from typing import Final

from pos_app.domain.trouble import StorageError
from pos_app.files.folders import make_private_file
from pos_app.files.log_lines import LogFormat, formatter_for, keep_fields

LOG_NAME: Final = "pos-app.log"
DAYS_KEPT: Final = 14
_QUIET: Final = ("urllib3", "requests", "keyring", "asyncio", "sqlalchemy", "babel", "granian", "falcon", "PIL")
"""Libraries that may tell addresses or parameters below WARNING."""

_PATTERNS: Final = (
    (re.compile(r"(?i)(authorization\W{0,4})(\w+\s+)?[^\s,;}]+"), r"\1<hidden>"),
    (re.compile(r"(?i)\b(basic|bearer)\s+[\w+/=.~-]{6,}"), r"\1 <hidden>"),
    (
        re.compile(
            r"(?i)\b\w*(password|passwd|secret|token|pin|digest|database_key)\w*[\"']?\s*[:=]\s*[\"']?[^\s,;\"'}&]+"
        ),
        r"\1=<hidden>",
    ),
    (re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://\S+"), "<url>"),
    (re.compile(r"\?[^\s\"'?]*=[^\s\"']*"), "?<query>"),
    (re.compile(r"[^\s@<>\"'(),;:=]+@[^\s@<>\"'(),;]+"), "<e-mail>"),
    # A code has six characters; of other lengths (an organisation's choice) it is known by a digit in it.
    (
        re.compile(
            r"(?i)((?:code|otp)\w*[\"']?(?:\s+(?:is|was))?\s*[:=]?\s*[\"']?)"
            r"(?:[a-z0-9]{6}|(?=[a-z]*\d)[a-z0-9]{5,12})(?![a-z0-9_])"
        ),
        r"\1<code>",
    ),
    (re.compile(r"\b[0-9a-fA-F]{32,}\b"), "<hex>"),
    # Seven digits and more, however grouped, but for a date; or ten in a row, even inside a word.
    (re.compile(r"(?<!\w)(?!\d{4}-\d\d-\d\d(?!\d))\+?\(?\d(?:[ ().\-/]{0,2}\d){6,}(?!\w)|\+?\d{10,}"), "<number>"),
)
_SIGNS: Final = (
    *("?", "@", "://", "code", "otp", "pin", "authorization", "basic", "bearer"),
    *("password", "passwd", "secret", "token", "digest", "database_key"),
)
_SEVEN_DIGITS: Final = re.compile(r"[0-9](?:[ ().\-/]{0,2}[0-9]){6}")
_LONG_HEX: Final = re.compile(r"[0-9a-f]{32}")
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), 127, 0x85, 0x2028, 0x2029)} | {
    10: "\\n", 13: "\\r", 9: " ",
}  # fmt: skip


def redact(text: str) -> str:
    """Take phones, e-mails, codes, logins, addresses and query strings out of a text, and put it on one line."""
    if _is_harmless(text):
        return text
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text.translate(_CONTROLS)


def _is_harmless(text: str) -> bool:
    """Say whether no pattern can match: each needs a sign or a long number. Most lines have neither, and it is quick.

    Only for ASCII: elsewhere there are letters that patterns take for others, and more digits than ten.
    """
    if not (text.isascii() and text.isprintable()):
        return False
    lowered = text.lower()
    if any(sign in lowered for sign in _SIGNS):
        return False
    return _SEVEN_DIGITS.search(lowered) is None and _LONG_HEX.search(lowered) is None


class RedactingFilter(logging.Filter):
    """Rewrites each record before it is written: its message and its exception, on one line.

    `keeps_fields`: named values are kept beside the text too, redacted, for lines that are JSON.
    """

    _PLAIN: Final = logging.Formatter()

    def __init__(self, *, keeps_fields: bool = False) -> None:
        super().__init__()
        self._keeps_fields = keeps_fields

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place and let it through."""
        if self._keeps_fields:
            keep_fields(record, redact)
        parts = [_message_of(record)]
        if record.exc_info:
            parts.append(self._PLAIN.formatException(record.exc_info))
        if record.stack_info:
            parts.append(record.stack_info)
        record.msg, record.args = redact("\n".join(parts)), None
        record.exc_info = record.exc_text = record.stack_info = None
        return True


def set_up_logging(folder: Path | None, level: int = logging.INFO, form: LogFormat = LogFormat.TEXT) -> None:
    """Send all logs to `folder` (to standard error when None), redacted, kept for 14 days. May be called again.

    Raises:
        StorageError: the folder does not take a log.
    """
    handler = _to_file(folder) if folder is not None else logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter_for(form))
    handler.addFilter(RedactingFilter(keeps_fields=form is LogFormat.JSON))
    root = logging.getLogger()
    for old in [each for each in root.handlers if any(isinstance(f, RedactingFilter) for f in each.filters)]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class _LogFile(TimedRotatingFileHandler):
    """A log whose own failure (a full disk) is not told on standard error with the record's bare arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Lose this line: there is no better place to say it."""

    def doRollover(self) -> None:  # noqa: N802 - the library's name
        """Begin a new file, as private as the old one."""
        super().doRollover()
        make_private_file(Path(self.baseFilename))


def _to_file(folder: Path) -> logging.Handler:
    path = folder / LOG_NAME
    try:
        make_private_file(path)
        return _LogFile(path, when="midnight", backupCount=DAYS_KEPT, encoding="utf-8", utc=True)
    except OSError as error:
        raise StorageError("This till may not write its logs: ask whoever set it up to give it the folder.") from error


def _message_of(record: logging.LogRecord) -> str:
    """The record's message; a wrong format string must not stop the till nor show its arguments."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} (with arguments that do not fit)"
