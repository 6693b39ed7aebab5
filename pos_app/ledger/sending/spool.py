"""Codes as files: for shops with a messaging job of their own, and for tests."""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC
from pathlib import Path
from typing import Final

from pos_app.ledger.sending.senders import SMS_FIRST, CodeMessage, SenderFailedError


class SpoolSender:
    """Writes each message as one JSON file into a folder."""

    channels: Final = SMS_FIRST

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: CodeMessage) -> str:
        """Write one file; it gets its final name, `<UTC time>-<random>.json`, only when it is whole.

        Raises:
            SenderFailedError: the folder cannot be written.
        """
        name = f"{message.issued_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(6)}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = self._folder / f".{name}.part"
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(message.document(), file, ensure_ascii=False)
            unfinished.rename(self._folder / f"{name}.json")
        except OSError as error:
            raise SenderFailedError("the spool folder cannot be written") from error
        return message.channel
