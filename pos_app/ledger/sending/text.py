"""What `--code-sender` and `otp.sender` may say: which sender, and where it sends to (import format)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from pos_app.files.line_safety import is_loopback

EXPECTED: Final = "spool:DIRECTORY, smtp://[user@]HOST:PORT, smtps://[user@]HOST:PORT or webhook:URL"
_SPOOL: Final = "spool:"
_WEBHOOK: Final = "webhook:"
_MAIL: Final = ("smtp:", "smtps:")
_NO_PRINT: Final = re.compile(r"[^\x21-\x7e]")


class UnknownSenderError(ValueError):
    """The text names no sender this ledger has. `expected` says what would; `found` is fit to be shown."""

    def __init__(self, text: str, expected: str) -> None:
        # What stands before an @ may be a login with its password, which belongs into no message.
        self.found: Final = f"a text of {len(text)} characters" if "@" in text else f'"{text[:60]}"'
        self.expected: Final = expected
        super().__init__(f"found {self.found}, expected {expected}")


@dataclass(frozen=True, slots=True)
class SpoolTo:
    """`spool:DIRECTORY`."""

    folder: Path


@dataclass(frozen=True, slots=True)
class MailBy:
    """`smtp://[user@]HOST:PORT` (STARTTLS) or `smtps://` (TLS from the first byte)."""

    host: str
    port: int
    is_tls_from_start: bool
    user: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PostTo:
    """`webhook:URL`."""

    url: str = field(repr=False)


def read_sender(text: str) -> SpoolTo | MailBy | PostTo:
    """Read what a setting names.

    Raises:
        UnknownSenderError: it names no sender, with a sentence for the administrator.
    """
    if text.startswith(_SPOOL) and len(text) > len(_SPOOL):
        return SpoolTo(Path(text.removeprefix(_SPOOL)))
    if text.startswith(_WEBHOOK):
        return _read_webhook(text)
    if text.startswith(_MAIL):
        return _read_mail(text)
    raise UnknownSenderError(text, EXPECTED)


def _read_mail(text: str) -> MailBy:
    parts, port = _split(text, text, "smtp://[user@]HOST:PORT")
    scheme = parts.scheme
    if not text.startswith(f"{scheme}://") or not parts.hostname or port is None or parts.path not in ("", "/"):
        raise UnknownSenderError(text, f"{scheme}://[user@]HOST:PORT")
    if parts.query or parts.fragment:
        raise UnknownSenderError(text, f"{scheme}://[user@]HOST:PORT and nothing behind the port")
    if parts.password is not None:
        raise UnknownSenderError(text, "no password there: it is the file smtp.password of the secrets folder")
    return MailBy(parts.hostname, port, scheme == "smtps", unquote(parts.username or ""))


def _read_webhook(text: str) -> PostTo:
    url = text.removeprefix(_WEBHOOK)
    parts, _ = _split(url, text, "webhook:https://HOST/PATH")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        raise UnknownSenderError(text, "webhook:https://HOST/PATH")
    if parts.username is not None or parts.password is not None:
        raise UnknownSenderError(text, "no login in the address: messages are signed with webhook.key instead")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise UnknownSenderError(text, "webhook:https://...: plain http goes to this machine only")
    return PostTo(url)


def _split(url: str, text: str, expected: str) -> tuple[SplitResult, int | None]:
    """The parts of an address, and its port."""
    if _NO_PRINT.search(url):
        raise UnknownSenderError(text, f"{expected} without spaces and control characters")
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        raise UnknownSenderError(text, expected) from None
