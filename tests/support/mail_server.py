"""A real mail server on loopback (aiosmtpd), in a thread of its own.

with MailServer(starttls=context) as server:
    ...  # server.port, server.mails

"""

from __future__ import annotations

import asyncio
import ssl
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

WAIT_S = 30.0


class MailServer:
    """Keeps every mail it takes. Refuses one receiver, where `refused` names one.

    Args:
        tls: encrypts from the first byte.
        starttls: offers STARTTLS, and insists on it.
        login: user and password it wants; None: anybody may send.
        refused: the receiver it does not know.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        refused: str = "",
    ) -> None:
        self.mails: list[EmailMessage] = []
        self.receivers: list[str] = []
        self.was_encrypted: list[bool] = []
        self.connections = 0
        self._tls, self._starttls, self._login, self._refused = tls, starttls, login, refused
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(self._loop.create_server(self._talk, "127.0.0.1", 0, ssl=self._tls))
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()

    # --- What the library asks ---------------------------------------------------------------------------------------

    async def handle_RCPT(  # noqa: N802 - named by the library
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """A receiver is named."""
        if address == self._refused:
            return "550 nobody of that name here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - named by the library
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """A mail has come."""
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.receivers += envelope.rcpt_tos
        self.was_encrypted.append(session.ssl is not None or self._tls is not None)
        return "250 taken"

    def _talk(self) -> SMTP:
        self.connections += 1
        return SMTP(
            self,
            hostname="mail.test",
            tls_context=self._starttls,
            require_starttls=self._starttls is not None,
            auth_required=self._login is not None,
            auth_require_tls=self._tls is None,
            authenticator=self._check,
            loop=self._loop,
        )

    def _check(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        is_right = (given.login.decode(), given.password.decode()) == self._login
        return AuthResult(success=is_right, handled=False)

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks(self._loop) - {asyncio.current_task(self._loop)}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_S)
