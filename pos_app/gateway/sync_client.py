"""The extension's calls over HTTP (sync-api 3 to 9), beside the documented ones that `HttpLedger` makes.

What an answer means (sync-api 1): only JSON with status 200 that reads as the answer to what was asked is one. 403,
404, 409 and 410 with a word of the ledger's are its sure no. Whatever else comes is unclear to a call that acts, and no
line, or somebody else's words, to one that only asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final, TypeVar

from pos_app.domain.answers import Capabilities, SignedIn
from pos_app.domain.commands import ChangePin, Enrol, SignIn
from pos_app.domain.feed import ChangesPage, CustomerRows, Heartbeat, HeartbeatAnswer, Scope, SnapshotPage
from pos_app.domain.leases import Freed, GiveBack, LeaseRequest, LeaseResult, Owner
from pos_app.domain.request import CustomerRef
from pos_app.domain.settling import SettleAnswer, Spend
from pos_app.domain.trouble import ExtensionLostError, SyncRefusedError, Trouble, WrongAddressError
from pos_app.gateway.caller import Caller
from pos_app.gateway.known import KnownService
from pos_app.gateway.replies import Reply, trouble_of
from pos_app.gateway.sync_echoes import (
    check_closed,
    check_leases,
    check_settled,
    check_signed_in,
    check_snapshot,
    check_till,
)
from pos_app.wire.answers import read_status
from pos_app.wire.feed import read_changes, read_customer_rows, read_regulars, read_snapshot, write_customer_asked
from pos_app.wire.formats import UnreadableAnswerError
from pos_app.wire.heartbeats import read_heartbeat_answer, write_heartbeat
from pos_app.wire.leases import read_freed, read_lease_results, write_close, write_lease_requests
from pos_app.wire.operators import read_nothing, read_signed_in, write_change_pin, write_enrol, write_sign_in
from pos_app.wire.settling import read_settle_answer, write_settle
from pos_app.wire.sync import read_capabilities, read_sync_refusal

_SURE_NO: Final = frozenset({403, 404, 409, 410})
_UNKNOWN: Final = "unknown"

_Answer = TypeVar("_Answer")


class HttpSyncLedger:
    """Implements `services.sync_port.SyncLedger` over what `HttpLedger` sends by. Safe to use from any thread."""

    def __init__(self, caller: Caller, service: KnownService) -> None:
        self._caller = caller
        self._service = service

    # --- The till and its people -------------------------------------------------------------------------------------

    def enrol(self, command: Enrol) -> Capabilities:
        """Make this till's key known (sync-api 4.1)."""
        told = self._post("enrol", write_enrol(command), read_capabilities, check_till(self._caller.login))
        self._service.told(told)
        return told

    def sign_in(self, command: SignIn) -> SignedIn:
        """Prove an operator's PIN (sync-api 4.2)."""
        body = write_sign_in(command)
        return self._post("operators/sign-in", body, read_signed_in, check_signed_in(command), moves=False)

    def change_pin(self, command: ChangePin) -> None:
        """Change an operator's PIN (sync-api 4.2)."""
        self._post("operators/pin", write_change_pin(command), read_nothing)

    # --- The feed ----------------------------------------------------------------------------------------------------

    def snapshot(self, scope: Scope, page: str | None = None, limit: int = 1000) -> SnapshotPage:
        """One page of all rows (sync-api 5)."""
        query = {"scope": scope.value, "limit": str(limit)}
        if page is not None:
            query["page"] = page
        return self._get("snapshot", query, read_snapshot, check_snapshot(scope))

    def changes(self, cursor: str, limit: int = 500) -> ChangesPage:
        """What changed after a cursor (sync-api 5)."""
        return self._get("changes", {"cursor": cursor, "limit": str(limit)}, read_changes)

    def customer_rows(self, customer: CustomerRef) -> CustomerRows | None:
        """The feed's rows of one customer; None: nobody has this identifier (sync-api 5)."""
        try:
            return self._post("customer", write_customer_asked(customer), read_customer_rows, moves=False)
        except SyncRefusedError as refused:
            if refused.reason == _UNKNOWN:
                return None
            raise

    def regulars(self) -> Sequence[tuple[Owner, int]]:
        """Owners with a program that this store sees often (sync-api 6)."""
        return self._get("regulars", {}, read_regulars)

    # --- Leases, settling, heartbeat ---------------------------------------------------------------------------------

    def lease(self, till_epoch: int, requests: Sequence[LeaseRequest]) -> Sequence[LeaseResult]:
        """Ask for leases, at most 100, answered in the same order (sync-api 6)."""
        body = write_lease_requests(till_epoch, requests)
        return self._post("leases", body, read_lease_results, check_leases(self._caller.login, till_epoch, requests))

    def close_leases(self, till_epoch: int, given_back: Sequence[GiveBack]) -> Sequence[Freed]:
        """Give leases back (sync-api 6)."""
        return self._post("leases/close", write_close(till_epoch, given_back), read_freed, check_closed(given_back))

    def settle(self, till_epoch: int, spends: Sequence[Spend]) -> SettleAnswer:
        """Tell of redemptions made without a line, at most 100, by `seq` (sync-api 7)."""
        return self._post("settle", write_settle(till_epoch, spends), read_settle_answer, check_settled(spends))

    def heartbeat(self, beat: Heartbeat) -> HeartbeatAnswer:
        """Say how this till is, and hear what the ledger wants of it (sync-api 9)."""
        return self._post("heartbeat", write_heartbeat(beat), read_heartbeat_answer, moves=False)

    # --- Sending and reading -----------------------------------------------------------------------------------------

    def _get(
        self,
        call: str,
        query: Mapping[str, str],
        read: Callable[[bytes], _Answer],
        is_ours: Callable[[_Answer], bool] | None = None,
    ) -> _Answer:
        reply = self._caller.get(call, f"/sync/v1/{call}", query)
        return self._understood(reply, read, is_ours, moves=False)

    def _post(
        self,
        call: str,
        body: bytes,
        read: Callable[[bytes], _Answer],
        is_ours: Callable[[_Answer], bool] | None = None,
        *,
        moves: bool = True,
    ) -> _Answer:
        reply = self._caller.post(call, f"/sync/v1/{call}", body, moves=moves)
        return self._understood(reply, read, is_ours, moves=moves)

    def _understood(
        self,
        reply: Reply,
        read: Callable[[bytes], _Answer],
        is_ours: Callable[[_Answer], bool] | None,
        *,
        moves: bool,
    ) -> _Answer:
        """The answer to what was asked.

        Raises:
            SyncRefusedError: a sure no.
            Trouble: anything else, see `trouble_of`.
        """
        if not reply.is_ok:
            raise self._refused(reply) or trouble_of(reply, moves=moves)
        try:
            answer = read(_json(reply.body))
        except UnreadableAnswerError:
            raise trouble_of(reply, moves=moves) from None
        if is_ours is not None and not is_ours(answer):
            raise trouble_of(reply, moves=moves)
        return answer

    def _refused(self, reply: Reply) -> Trouble | None:
        """The sure no of a reply; None: it holds none."""
        refusal = read_sync_refusal(reply.body) if reply.status in _SURE_NO else None
        if refusal is not None:
            return SyncRefusedError(*refusal)
        is_gone = reply.status == HTTPStatus.NOT_FOUND and read_status(reply.body) is not None
        if not is_gone:
            return None
        if self._service.had_extension:
            self._service.lose_extension()
            return ExtensionLostError("the service had the sync extension before and has none now")
        return WrongAddressError("the service has no sync extension")


def _json(body: bytes) -> bytes:
    """The body of an answer of /sync, which is JSON and never XML: a sign-in page may be well-formed.

    Raises:
        UnreadableAnswerError: it does not begin as an object.
    """
    if not body.lstrip().startswith(b"{"):
        raise UnreadableAnswerError("body: expected an object")
    return body
