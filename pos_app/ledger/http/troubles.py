"""Everything that may stand between a request and its answer, and how each is said over HTTP.

    exception                       HTTP   reason on /sync       also sent
    MalformedError                  400    malformed
    NotAuthenticatedError           401    not_authenticated     WWW-Authenticate
    NotAdministratorError           401    not_authenticated     WWW-Authenticate
    ForbiddenError                  403    its own               what goes with it, as members
    HTTPNotFound, UnknownKeyError   404    unknown
    NobodyError                     404    unknown
    HTTPMethodNotAllowed            405    wrong_method          Allow
    TooSlowError                    408    too_slow
    ConflictError                   409    its own               what goes with it, as members
    GoneError                       410    its own
    TooLargeError                   413    too_large
    TooManyError                    429    too_many              Retry-After
    any other                       500    trouble
    LedgerBusyError, StoppingError  503    busy                  Retry-After

A "no" to the customer's question is none of these: it is HTTP 200 (contract 1.5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import falcon

from pos_app.ledger.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    LedgerBusyError,
    NobodyError,
    UnknownKeyError,
)
from pos_app.wire.formats import MalformedError

CHALLENGE: Final = 'Basic realm="Points Desk ledger", charset="UTF-8"'
"""Not optional: a .NET client sends its login only after it was asked (contract 1.2)."""

ADMIN_CHALLENGE: Final = 'Bearer realm="Points Desk ledger"'

_BUSY_RETRY_S: Final = 1
_STOPPING_RETRY_S: Final = 2
"""Long enough for another process to be asked, or for this one to be back."""

_CLOSE: Final = {"Connection": "close"}

_MALFORMED = "Input is invalid, Please check request parameters or input xml/json"
_NOT_AUTHENTICATED = "Please check your username/password or authentication token"
_FAILED = "All requests have failed due to errors"
_FORBIDDEN = {
    "till_disabled": "This till is disabled; ask head office",
    "till_lost": "This till is marked as lost; enrol it again with a code from head office",
    "till_frozen": "This till is frozen; enrol it again with a code from head office",
    "not_enrolled": "This till is not enrolled",
    "stale_till_epoch": "This till was enrolled again since; enrol it again",
    "enrolment_code_needed": "Another key needs an enrolment code from head office",
    "enrolment_code_wrong": "This enrolment code is wrong, used or too old; ask head office for another one",
    "pin_wrong": "The PIN is wrong",
    "operator_locked": "This operator is locked after too many wrong PINs",
    "operator_unknown": "This operator cannot sign in at this till",
}
_CONFLICTS = {
    "gap": "Rows before this one are missing; send from next_seq",
    "no_open_lease": "This till holds no open lease of this customer in this program",
}


class TooLargeError(Exception):
    """The request is larger than any honest one."""


class TooSlowError(Exception):
    """The body of the request did not arrive in time."""


class StoppingError(Exception):
    """The ledger is being stopped: nothing was begun, and another process, or this one later, may be asked."""


class NotAuthenticatedError(Exception):
    """No login, or a wrong one."""


class NotAdministratorError(Exception):
    """No token of the administrator, or a wrong one."""


class TooManyError(Exception):
    """The till asks more often than it may; `retry_after_s` is a whole number of seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Told:
    """How a trouble is told: HTTP status, the word of `/sync`, the text of the status block, further headers."""

    status: int
    reason: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, object] = field(default_factory=dict)
    """Members of the error of `/sync` that go with its reason."""
    field: str | None = None

    @property
    def is_ours(self) -> bool:
        """Say whether the ledger itself is at fault, so that somebody must look."""
        return self.status == 500


def tell(error: Exception) -> Told:
    """Say how `error` is told to the one who called; nothing of its text or traceback goes out."""
    match error:
        case MalformedError():
            return Told(400, "malformed", _MALFORMED, field=error.field)
        case NotAuthenticatedError():
            return Told(401, "not_authenticated", _NOT_AUTHENTICATED, {"WWW-Authenticate": CHALLENGE})
        case NotAdministratorError():
            return Told(401, "not_authenticated", _NOT_AUTHENTICATED, {"WWW-Authenticate": ADMIN_CHALLENGE})
        case ForbiddenError() | UnknownKeyError() | NobodyError() | ConflictError() | GoneError():
            return _sure_no(error)
        case TooLargeError() | TooSlowError() | TooManyError() | LedgerBusyError() | StoppingError():
            return _beyond_bounds(error)
        case falcon.HTTPMethodNotAllowed():
            return Told(405, "wrong_method", "This address does not take this method", _allow(error))
        case falcon.HTTPNotFound():
            return Told(404, "unknown", "There is nothing at this address")
        case falcon.HTTPError() if error.status_code < 500:
            return Told(400, "malformed", _MALFORMED)
        case _:
            return Told(500, "trouble", _FAILED)


def _sure_no(error: Exception) -> Told:
    """What the ledger understood and does not do: not allowed, not there, not fitting, gone."""
    match error:
        case ForbiddenError():
            message = _FORBIDDEN.get(error.reason, "This is not allowed")
            return Told(403, error.reason, message, more=error.more)
        case ConflictError():
            message = _CONFLICTS.get(error.reason, "This does not fit what the ledger knows")
            return Told(409, error.reason, message, more=error.more, field=error.field)
        case GoneError():
            return Told(410, error.reason, "Please take a new snapshot")
        case NobodyError():
            return Told(404, "unknown", "Nobody has this identifier")
        case _:
            return Told(404, "unknown", "This key is not known here")


def _beyond_bounds(error: Exception) -> Told:
    """More than the ledger takes, or takes now: too large, too slow, too often, too busy."""
    match error:
        case TooLargeError():
            return Told(413, "too_large", "The request is too large")
        case TooSlowError():
            return Told(408, "too_slow", "The request did not arrive in time", _CLOSE)
        case TooManyError():
            return Told(429, "too_many", "Too many requests", {"Retry-After": str(error.retry_after_s)})
        case StoppingError():
            headers = {"Retry-After": str(_STOPPING_RETRY_S), **_CLOSE}
            return Told(503, "busy", "The ledger is stopping, please try again", headers)
        case _:
            return Told(503, "busy", "The ledger is busy, please try again", {"Retry-After": str(_BUSY_RETRY_S)})


def _allow(error: falcon.HTTPMethodNotAllowed) -> dict[str, str]:
    """The methods of an address; OPTIONS, which the framework adds, is none of the contract's."""
    named = dict(error.headers or {}).get("Allow", "")
    return {"Allow": ", ".join(each for each in named.split(", ") if each != "OPTIONS")}
