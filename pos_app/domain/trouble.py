"""Failures of the world between a till and its ledger. A "no" is never here: that is a `Refusal`.

    Trouble
    +-- LineDownError        nothing was sent, or a question that moves nothing got no answer
    +-- UnclearAnswerError   no sure answer came and the ledger may have acted: send the same key again
    +-- NotAcceptedError     401 or 403: the till's login was not accepted
    +-- WrongAddressError    a JSON 404 of the service: the address or version is wrong
    +-- NotTheServiceError   HTML, a redirect, anything that is not the service (a sign-in page of the network)
    |   +-- ExtensionLostError   the service had the sync extension and has none now: a supervisor must look
    +-- NotSafeError         the certificate is not trusted, or plain HTTP to another machine
    +-- SlowDownError        429 or 503: wait `retry_after_s`
    +-- ServiceTroubleError  the service has a problem of its own (5xx to a question that moves nothing)
    +-- NotUnderstoodError   400: the till sent what the service does not understand
    +-- SyncRefusedError     the ledger's sure no to a call of the extension (403, 404, 409, 410), with its word
    +-- StorageError         the till cannot write its journal: nothing may be sent

Messages name no customer, code or address: they may end in a log.
"""

from __future__ import annotations

from collections.abc import Mapping


class Trouble(Exception):  # noqa: N818 - the family name; its members end in Error
    """Any failure of the world; see the tree above."""


class LineDownError(Trouble):
    """No line: nothing was sent, or a question that moves nothing got no answer."""


class UnclearAnswerError(Trouble):
    """No sure answer came. The ledger may have acted, so send the same key again."""


class NotAcceptedError(Trouble):
    """The till's login was not accepted (401), or it may not do this (403)."""


class WrongAddressError(Trouble):
    """The service says there is nothing at this address (404)."""


class NotTheServiceError(Trouble):
    """Somebody else answered: a sign-in page, a redirect, a body that is no answer."""


class ExtensionLostError(NotTheServiceError):
    """The service had the sync extension before and has none now (sync-api 3). The till goes on as without a line."""


class NotSafeError(Trouble):
    """The connection would not be safe: certificate not trusted, or plain HTTP beyond this machine."""


class SlowDownError(Trouble):
    """Too many requests, or busy: wait `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float = 1.0) -> None:
        super().__init__(f"wait {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class ServiceTroubleError(Trouble):
    """The service failed at a question that moves nothing."""


class NotUnderstoodError(Trouble):
    """The service did not understand the request (400)."""


class SyncRefusedError(Trouble):
    """The ledger understood a call of the extension and said no (sync-api 1). Decide on `reason`, never on a text.

    `told` holds what some answers say beside it: `tries_left`, `until`, `next_seq`; nothing personal.
    """

    def __init__(self, reason: str, told: Mapping[str, object] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.told = dict(told or {})


class StorageError(Trouble):
    """The till's own files cannot be written, so nothing may be sent."""
