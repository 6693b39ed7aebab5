"""What came back, and what it means when it is not an answer (reliability 4.2, contract 1.5, sync-api 1).

    status                      a question                   redeem, cancel
    200 and a readable body     the answer                   the answer
    200 and anything else       NotTheServiceError           UnclearAnswerError
    3xx                         NotTheServiceError           UnclearAnswerError
    400, 405, 413, 415          NotUnderstoodError           NotUnderstoodError
    401, 403                    NotAcceptedError             NotAcceptedError
    402, 404                    WrongAddressError            WrongAddressError
    408                         LineDownError                UnclearAnswerError
    429                         SlowDownError                SlowDownError
    503                         SlowDownError                SlowDownError
    other 5xx                   ServiceTroubleError          UnclearAnswerError

4xx and 503 count only in the service's own words (a status block, an error of /sync): a page of somebody on the way,
a firewall or a sign-in page of the network, is NotTheServiceError, and UnclearAnswerError to a redeem or cancel. A 401
also counts with its `WWW-Authenticate`, as the contract's 1.2 has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    NotTheServiceError,
    NotUnderstoodError,
    ServiceTroubleError,
    SlowDownError,
    Trouble,
    UnclearAnswerError,
    WrongAddressError,
)
from pos_app.wire.answers import read_status
from pos_app.wire.sync import read_sync_error

RETRY_AFTER_DEFAULT_S: Final = 5.0
RETRY_AFTER_MAX_S: Final = 3600.0

_OWN_WORDS: Final[Mapping[int, type[Trouble]]] = {
    400: NotUnderstoodError,
    401: NotAcceptedError,
    402: WrongAddressError,
    403: NotAcceptedError,
    404: WrongAddressError,
    405: NotUnderstoodError,
    409: NotUnderstoodError,
    413: NotUnderstoodError,
    415: NotUnderstoodError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer, whole.

    `retry_after`, `date` and `request_id` are headers as they came, `asks_for_login` says that there was a
    `WWW-Authenticate`. The body is personal.
    """

    status: int
    body: bytes = field(repr=False)
    retry_after: str = ""
    date: str = ""
    request_id: str = ""
    asks_for_login: bool = False

    @property
    def is_ok(self) -> bool:
        """Say whether the status is 200."""
        return self.status == HTTPStatus.OK

    @property
    def has_own_words(self) -> bool:
        """Say whether the body is one that the service writes: a v1.1 status block or an error of /sync."""
        return read_status(self.body) is not None or read_sync_error(self.body) is not None

    @property
    def retry_after_s(self) -> float:
        """`Retry-After` in seconds; nonsense counts as a few seconds.

        A moment is taken against the answer's own `Date`: the till's clock may differ from the service's.
        """
        text = self.retry_after.strip()
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return min(float(text), RETRY_AFTER_MAX_S)
        then, now = _moment(text), _moment(self.date)
        if then is None or now is None:
            return RETRY_AFTER_DEFAULT_S
        return min(max(0.0, (then - now).total_seconds()), RETRY_AFTER_MAX_S)


def _moment(header: str) -> datetime | None:
    """An HTTP date; None where it is none."""
    try:
        read = parsedate_to_datetime(header)
    except (TypeError, ValueError, OverflowError):
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def trouble_of(reply: Reply, *, moves: bool) -> Trouble:
    """What a reply means that holds no answer. `moves`: the request was a redeem or cancel."""
    status = reply.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return SlowDownError(reply.retry_after_s)
    if reply.has_own_words:
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            return SlowDownError(reply.retry_after_s)
        if status in _OWN_WORDS:
            return _OWN_WORDS[status](f"the service answered {status}")
    if status == HTTPStatus.UNAUTHORIZED and reply.asks_for_login:
        return NotAcceptedError("the service asks for another login")
    if moves:
        return UnclearAnswerError(f"HTTP {status} is no sure answer")
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return LineDownError("the request took too long to arrive")
    if status == HTTPStatus.SERVICE_UNAVAILABLE and reply.retry_after:
        return SlowDownError(reply.retry_after_s)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or (reply.is_ok and reply.has_own_words):
        return ServiceTroubleError(f"the service answered {status} without an answer")
    return NotTheServiceError(f"somebody else answered with HTTP {status}")
