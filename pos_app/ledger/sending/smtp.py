"""Codes by e-mail, through the mail server of the shop or of its provider.

The line is encrypted before anything personal travels: `smtps://` from its first byte, `smtp://` by STARTTLS. Only a
mail server on this machine may do without; one that offers STARTTLS there is held to it all the same.
"""

from __future__ import annotations

import logging
import platform
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from ipaddress import ip_address
from typing import Final

from pos_app.files.line_safety import is_loopback
from pos_app.ledger.sending.senders import EMAIL, CodeMessage, SenderFailedError
from pos_app.ledger.sending.settings import one_address
from pos_app.ledger.sending.text import MailBy

LOG: Final = logging.getLogger(__name__)


class _NotSecureError(smtplib.SMTPException):
    """The mail server offers no encryption."""


class SmtpSender:
    """Sends each message over a connection of its own."""

    channels: Final = (EMAIL,)

    def __init__(
        self,
        server: MailBy,
        *,
        sender: str,
        password: Callable[[], str],
        trusted: ssl.SSLContext,
        timeout_s: float,
    ) -> None:
        """Say where to send to and as whom.

        Args:
            server: the mail server, and the login there.
            sender: the address in From; empty: the user where that is one, else no-reply at the server's host.
            password: reads the login's password anew for each message, so that it may be changed while we run.
            trusted: whose certificates are believed.
            timeout_s: how long any step may take, in seconds.
        """
        self._server = server
        self._sender = sender or _own_address(server)
        self._password = password
        self._trusted = trusted
        self._timeout_s = timeout_s

    def send(self, message: CodeMessage) -> str:
        """Hand one e-mail over; it has left once the server has taken it.

        Raises:
            SenderFailedError: the server was not reached, is not who it should be, or refused.
        """
        try:
            self._hand_over(self._mail(message), message.to)
        except (smtplib.SMTPException, MessageError, OSError, ValueError) as error:
            # Only its kind is told: replies of mail servers quote addresses, and sometimes whole messages.
            LOG.warning("sender=smtp fault=%s answer=%s", type(error).__name__, getattr(error, "smtp_code", "-"))
            raise SenderFailedError("the e-mail did not leave") from None
        return EMAIL

    def _mail(self, message: CodeMessage) -> EmailMessage:
        """The e-mail. An address or a subject that would begin another header raises ValueError."""
        mail = EmailMessage(policy=SMTP)
        mail["From"] = one_address(self._sender)
        mail["To"] = one_address(message.to)
        mail["Subject"] = message.subject
        mail["Date"] = message.issued_at
        mail["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"  # So that absence notes do not answer it (RFC 3834).
        mail.set_content(message.text)
        return mail

    def _hand_over(self, mail: EmailMessage, to: str) -> None:
        line = self._connected()
        try:
            if not self._server.is_tls_from_start:
                self._encrypt(line)
            if self._server.user:
                line.login(self._server.user, self._password())
            line.send_message(mail, self._sender, [to])
            with suppress(smtplib.SMTPException, OSError):
                line.quit()  # The server has the message: how we part changes nothing.
        finally:
            line.close()

    def _connected(self) -> smtplib.SMTP:
        host, port, name = self._server.host, self._server.port, platform.node() or "localhost"
        if self._server.is_tls_from_start:
            return smtplib.SMTP_SSL(host, port, name, timeout=self._timeout_s, context=self._trusted)
        return smtplib.SMTP(host, port, name, timeout=self._timeout_s)

    def _encrypt(self, line: smtplib.SMTP) -> None:
        line.ehlo_or_helo_if_needed()
        if line.has_extn("starttls"):
            line.starttls(context=self._trusted)
        elif not is_loopback(self._server.host):
            raise _NotSecureError


def _own_address(server: MailBy) -> str:
    """A sender for those who named none."""
    if "@" in server.user:
        return server.user
    try:
        host = ip_address(server.host)
    except ValueError:
        return f"no-reply@{server.host}"
    return "no-reply@localhost" if host.is_loopback else f"no-reply@[{'IPv6:' * (host.version == 6)}{host}]"
