"""Makes the senders that settings name, and sees to it that none of them holds anybody up.

A sender works in a thread of its own, and who waits for it goes on after `sender.timeout_s` whatever it does: a
receiver that sends one byte a second would outlast any time-out of a socket. Both the threads at work for one sender
and the calls that wait for all of them are bounded, so that a till's other questions always find the server free.
"""

from __future__ import annotations

import logging
import queue
from pathlib import Path
from threading import BoundedSemaphore, Thread
from typing import Final

from pos_app.files.line_safety import trusting
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.sending.senders import CodeMessage, CodeSender, SenderFailedError
from pos_app.ledger.sending.settings import SenderSettings
from pos_app.ledger.sending.spool import SpoolSender
from pos_app.ledger.sending.text import MailBy, PostTo, SpoolTo, read_sender
from pos_app.services.ports import Clock

LOG: Final = logging.getLogger(__name__)

WAITING_MAX: Final = 16
"""Calls that may wait for senders: half of the server's threads, so that the other half answers everybody else."""

AT_WORK_MAX: Final = 8
"""Messages one sender may be sending at a time."""


class SenderMaker:
    """Makes senders out of settings. One for each process, because what waits is counted together."""

    def __init__(self, secrets: LedgerSecrets, settings: SenderSettings, clock: Clock) -> None:
        self._secrets = secrets
        self._settings = settings
        self._clock = clock
        self._waiting = BoundedSemaphore(WAITING_MAX)

    def make(self, text: str) -> CodeSender:
        """The sender a setting names.

        Raises:
            UnknownSenderError: it names none.
            OSError: the certificates it is to believe cannot be read any more.
        """
        named, settings = read_sender(text), self._settings
        inner: CodeSender
        match named:
            case SpoolTo(folder):
                return SpoolSender(folder)
            case MailBy():
                from pos_app.ledger.sending.smtp import SmtpSender  # Loaded where codes go by mail, and only there.

                inner = SmtpSender(
                    named,
                    sender=settings.sender,
                    password=lambda: _password(self._secrets.folder / "smtp.password"),
                    trusted=trusting(settings.smtp_ca_file),
                    timeout_s=settings.timeout_s,
                )
            case PostTo(url):
                from pos_app.ledger.sending.webhook import WebhookSender  # As above.

                inner = WebhookSender(
                    url,
                    key=self._secrets.webhook_key,
                    trusted=trusting(settings.webhook_ca_file),
                    clock=self._clock,
                    timeout_s=settings.timeout_s,
                )
        return BoundedSender(inner, timeout_s=settings.timeout_s, waiting=self._waiting)


def _password(file: Path) -> str:
    """The password of the mail server's login, written by the administrator (sync-api 14)."""
    return file.read_text(encoding="utf-8").strip("\r\n")


class BoundedSender:
    """Another sender, whose time and whose share of the server have an end."""

    def __init__(self, inner: CodeSender, *, timeout_s: float, waiting: BoundedSemaphore) -> None:
        self._inner = inner
        self._timeout_s = timeout_s
        self._waiting = waiting
        self._at_work = BoundedSemaphore(AT_WORK_MAX)

    @property
    def channels(self) -> tuple[str, ...]:
        """The other sender's."""
        return self._inner.channels

    def send(self, message: CodeMessage) -> str:
        """Send, within `timeout_s`.

        Raises:
            SenderFailedError: it failed, took too long, or too many messages are on their way already.
        """
        if not self._waiting.acquire(blocking=False):
            LOG.warning("sender=%s fault=too_many_waiting", type(self._inner).__name__)
            raise SenderFailedError("too many messages are on their way")
        try:
            return self._send_in_time(message)
        finally:
            self._waiting.release()

    def _send_in_time(self, message: CodeMessage) -> str:
        if not self._at_work.acquire(timeout=self._timeout_s):
            raise SenderFailedError("too many messages are on their way")
        outcome: queue.SimpleQueue[str | Exception] = queue.SimpleQueue()

        def work() -> None:
            try:
                outcome.put(self._inner.send(message))
            except Exception as error:  # Whatever it was, the one who waits must hear of it.
                outcome.put(error)
            finally:
                self._at_work.release()

        Thread(target=work, name="code sender", daemon=True).start()
        try:
            said = outcome.get(timeout=self._timeout_s)
        except queue.Empty:
            LOG.warning("sender=%s fault=too_slow", type(self._inner).__name__)
            raise SenderFailedError("the sender took too long") from None
        if isinstance(said, str):
            return said
        if not isinstance(said, SenderFailedError):
            LOG.error("sender=%s fault=%s", type(self._inner).__name__, type(said).__name__)
        raise SenderFailedError("the sender failed") from None
