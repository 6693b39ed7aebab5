"""Codes by a call of the shop's own service: the spool's JSON, signed (import format, "webhook:URL")."""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import ssl
from typing import Final

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.exceptions import NewConnectionError as NoConnectionError

from pos_app.ledger.sending.senders import SMS_FIRST, CodeMessage, SenderFailedError
from pos_app.services.ports import Clock
from pos_app.wire.moments import write_moment

LOG: Final = logging.getLogger(__name__)

TRIES_MAX: Final = 3
_PAUSE_S: Final = 0.2
_TOO_MANY: Final = 429


class WebhookSender:
    """Posts each message. A receiver knows a second copy of one by its `X-Message-Id`."""

    channels: Final = SMS_FIRST

    def __init__(self, url: str, *, key: bytes, trusted: ssl.SSLContext, clock: Clock, timeout_s: float) -> None:
        """Say where to post to.

        Args:
            url: https, or http on this machine.
            key: signs each message.
            trusted: whose certificates are believed.
            clock: tells when a message was signed, and when its time is over.
            timeout_s: how long all tries of one message may take together, in seconds.
        """
        # Below that urllib3 writes addresses into the log, and an address may hold the receiver's own secret.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        self._url = url
        self._key = key
        self._clock = clock
        self._timeout_s = timeout_s
        self._line = urllib3.PoolManager(ssl_context=trusted, maxsize=4)

    def send(self, message: CodeMessage) -> str:
        """Post one message, again where the receiver was not reached or asks for it.

        Raises:
            SenderFailedError: it was not taken.
        """
        body = json.dumps(message.document(), ensure_ascii=False).encode("utf-8")
        message_id = secrets.token_hex(16)
        until = self._clock.mono() + self._timeout_s
        for attempt in range(TRIES_MAX):
            if attempt:
                self._clock.sleep(_PAUSE_S * 2 ** (attempt - 1))
            left_s = until - self._clock.mono()
            if left_s <= 0:
                break
            status = self._post(body, message_id, left_s)
            if status is not None and 200 <= status < 300:
                return message.channel
            if not _is_worth_another(status):
                break
        raise SenderFailedError("the receiver did not take the message")

    def _post(self, body: bytes, message_id: str, left_s: float) -> int | None:
        """Post once and return the status; None: the connection failed, and another try may do better."""
        stamp = write_moment(self._clock.wall())
        signature = hmac.digest(self._key, stamp.encode("ascii") + b"." + body, "sha256").hex()
        headers = {
            "Content-Type": "application/json",
            "X-Message-Id": message_id,
            "X-Timestamp": stamp,
            "X-Signature": f"sha256={signature}",
        }
        try:
            answer = self._line.request(
                "POST",
                self._url,
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(total=left_s),
                retries=False,
                redirect=False,  # A signed code goes where the administrator said, and nowhere else.
                preload_content=False,
            )
        except (HTTPError, OSError, ValueError) as error:
            LOG.warning("sender=webhook fault=%s", type(error).__name__)
            if isinstance(error, (ProtocolError, NoConnectionError)):
                return None
            raise SenderFailedError("the receiver was not reached") from None
        answer.close()  # What it says beyond its status is of no interest.
        if not 200 <= answer.status < 300:
            LOG.warning("sender=webhook status=%d", answer.status)
        return answer.status


def _is_worth_another(status: int | None) -> bool:
    return status is None or status == _TOO_MANY or status >= 500
