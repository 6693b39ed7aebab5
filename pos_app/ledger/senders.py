"""How one-time codes leave the ledger (import format, "Where codes go").

A sender is called when no transaction is open, so a slow one never holds the database.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from pos_app.domain.points import Points
from pos_app.wire.moments import write_moment

_SPOOL: Final = "spool:"


class SenderFailedError(Exception):
    """The message could not be handed over: nothing reached the customer."""


class UnknownSenderError(ValueError):
    """The text names no sender this ledger has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMessage:
    """One code on its way to one customer. The code, the address and the text stay out of `repr`."""

    organisation: int
    customer_id: int
    channel: str
    """SMS where there is a mobile number, else EMAIL."""
    to: str = field(repr=False)
    code: str = field(repr=False)
    points: Points | None
    text: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime


class CodeSender(Protocol):
    """Hands codes to the customer's phone or mailbox."""

    def send(self, message: CodeMessage) -> str:
        """Send, and return the channel used, as the answer names it.

        Raises:
            SenderFailedError: the message did not leave.
        """
        ...


class SpoolSender:
    """Writes each message as one JSON file into a folder, for a messaging job of the shop and for tests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: CodeMessage) -> str:
        """Write one file; it gets its final name, `<UTC time>-<random>.json`, only when it is whole.

        Raises:
            SenderFailedError: the folder cannot be written.
        """
        document = {
            "organisation": message.organisation,
            "customer_id": message.customer_id,
            "channel": message.channel,
            "to": message.to,
            "code": message.code,
            "points": None if message.points is None else str(message.points),
            "text": message.text,
            "issued_at": write_moment(message.issued_at),
            "expires_at": write_moment(message.expires_at),
        }
        name = f"{message.issued_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(6)}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = self._folder / f".{name}.part"
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(document, file, ensure_ascii=False)
            unfinished.rename(self._folder / f"{name}.json")
        except OSError as error:
            raise SenderFailedError("the spool folder cannot be written") from error
        return message.channel


def sender_from(text: str) -> CodeSender:
    """Make the sender a setting names: `spool:DIRECTORY`.

    Raises:
        UnknownSenderError: the text names none, with a sentence for the administrator.
    """
    if text.startswith(_SPOOL) and len(text) > len(_SPOOL):
        return SpoolSender(Path(text.removeprefix(_SPOOL)))
    if text.startswith(("smtp://", "smtps://", "smtp:", "webhook:")):
        kind = text.partition(":")[0]
        raise UnknownSenderError(f"this version of the ledger cannot send codes by {kind}; use spool:DIRECTORY")
    raise UnknownSenderError("a code sender is written spool:DIRECTORY")
