"""Leases on the wire: asking, being given, giving back (sync-api 6).

What a till sends is read strictly (`MalformedError`), what the ledger answers as an answer (`UnreadableAnswerError`).
A lease that cannot be read is no lease: nothing in it has a default, for a till must never spend more than was meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pos_app.domain.leases import Allocation, Freed, GiveBack, Lease, LeaseRequest, LeaseResult, NoLease
from pos_app.wire.extension import GIVE_BACK_MAX
from pos_app.wire.faults import MalformedError, UnreadableAnswerError
from pos_app.wire.formats import dump_json, parse_answer, parse_json_body
from pos_app.wire.giving_back import LEASE_ID_MAX_CHARACTERS, give_back_trees, read_give_backs
from pos_app.wire.members import (
    Tree,
    id_in,
    key_in,
    moment_in,
    number_in,
    objects_in,
    owner_in,
    owner_tree,
    points_in,
    text_in,
)
from pos_app.wire.moments import write_moment

REQUESTS_MAX: Final = 100
"""Of one call, requests and leases given back alike."""
ALLOCATIONS_MAX: Final = 10_000
CUSTOMERS_MAX: Final = 10_000
_SIGNATURE_MAX: Final = 200


# --- Asking ----------------------------------------------------------------------------------------------------------


def write_lease_requests(till_epoch: int, requests: Sequence[LeaseRequest]) -> bytes:
    """Write the body of `POST /sync/v1/leases`."""
    asked = [
        {
            "request_id": each.request_id,
            "owner": owner_tree(each.owner),
            "program_id": each.program_id,
            "wanted": None if each.wanted is None else str(each.wanted),
            "give_back": give_back_trees(each.give_back),
        }
        for each in requests
    ]
    return dump_json({"till_epoch": till_epoch, "requests": asked})


def read_lease_requests(body: bytes) -> tuple[int, tuple[LeaseRequest, ...]]:
    """Read that body: the till's epoch and what it asks for.

    Raises:
        MalformedError: a member is missing or no such thing.
    """
    tree = parse_json_body(body)
    asked = objects_in(tree, "requests", least=1, most=REQUESTS_MAX)
    return number_in(tree, "till_epoch"), tuple(_request(each, where) for where, each in asked)


def _request(tree: Tree, at: str) -> LeaseRequest:
    return LeaseRequest(
        request_id=key_in(tree, "request_id", at),
        owner=owner_in(tree, at),
        program_id=id_in(tree, "program_id", at),
        wanted=None if tree.get("wanted") is None else points_in(tree, "wanted", at),
        give_back=read_give_backs(tree.get("give_back"), f"{at}give_back", GIVE_BACK_MAX),
    )


def write_lease_results(server_time: datetime, results: Sequence[LeaseResult]) -> bytes:
    """Write the answer: a lease, or why there is none, for each request in its order."""
    told = [
        {
            "request_id": each.request_id,
            "lease": None if each.lease is None else lease_tree(each.lease),
            "reason": None if each.reason is None else each.reason.value,
        }
        for each in results
    ]
    return dump_json({"server_time": write_moment(server_time), "results": told})


def read_lease_results(body: bytes) -> tuple[LeaseResult, ...]:
    """Read that answer. A reason not known is read as NOTHING_AVAILABLE: whatever it means, there is no lease.

    Raises:
        UnreadableAnswerError: it is no such answer.
    """
    tree = parse_answer(body)
    try:
        return tuple(_result(each, where) for where, each in objects_in(tree, "results", most=REQUESTS_MAX))
    except MalformedError as error:
        raise UnreadableAnswerError(str(error)) from None


def _result(tree: Tree, at: str) -> LeaseResult:
    lease, reason = tree.get("lease"), tree.get("reason")
    if lease is not None:
        return LeaseResult(request_id=key_in(tree, "request_id", at), lease=_lease(lease, f"{at}lease."))
    known = NoLease(reason) if isinstance(reason, str) and reason in set(NoLease) else NoLease.NOTHING_AVAILABLE
    return LeaseResult(request_id=key_in(tree, "request_id", at), reason=known)


# --- The lease itself ------------------------------------------------------------------------------------------------


def signed_part(lease: Lease) -> dict[str, Any]:
    """What the ledger's signature covers: every member but `signature`, to be written as canonical JSON."""
    return {
        "lease_id": lease.lease_id,
        "till": lease.till,
        "till_epoch": lease.till_epoch,
        "owner": owner_tree(lease.owner),
        "customer_ids": list(lease.customer_ids),
        "program_id": lease.program_id,
        "amount": str(lease.amount),
        "allocations": [
            {
                "wallet_id": each.wallet_id,
                "lot_id": each.lot_id,
                "points": str(each.points),
                "usable_until": None if each.usable_until is None else write_moment(each.usable_until),
            }
            for each in lease.allocations
        ],
        "granted_at": write_moment(lease.granted_at),
        "expires_at": write_moment(lease.expires_at),
        "term_s": lease.term_s,
        "settle_until": write_moment(lease.settle_until),
    }


def lease_tree(lease: Lease) -> dict[str, Any]:
    """A lease with its signature."""
    return signed_part(lease) | {"signature": lease.signature}


def read_lease_tree(tree: object) -> Lease:
    """Read what `lease_tree` wrote. Whether the signature is right is for the till to check.

    Raises:
        UnreadableAnswerError: a member is missing or no such thing.
    """
    try:
        return _lease(tree, "lease.")
    except MalformedError as error:
        raise UnreadableAnswerError(str(error)) from None


def _lease(tree: object, at: str) -> Lease:
    if not isinstance(tree, Mapping):
        raise MalformedError(at.rstrip("."), "an object", "something else")
    return Lease(
        lease_id=text_in(tree, "lease_id", at, LEASE_ID_MAX_CHARACTERS),
        till=text_in(tree, "till", at),
        till_epoch=number_in(tree, "till_epoch", at),
        owner=owner_in(tree, at),
        customer_ids=_customer_ids(tree, at),
        program_id=id_in(tree, "program_id", at),
        amount=points_in(tree, "amount", at),
        allocations=tuple(
            Allocation(
                wallet_id=id_in(each, "wallet_id", where),
                lot_id=id_in(each, "lot_id", where),
                points=points_in(each, "points", where),
                usable_until=None if each.get("usable_until") is None else moment_in(each, "usable_until", where),
            )
            for where, each in objects_in(tree, "allocations", at, most=ALLOCATIONS_MAX)
        ),
        granted_at=moment_in(tree, "granted_at", at),
        expires_at=moment_in(tree, "expires_at", at),
        term_s=number_in(tree, "term_s", at),
        settle_until=moment_in(tree, "settle_until", at),
        signature=text_in(tree, "signature", at, _SIGNATURE_MAX),
    )


def _customer_ids(tree: Tree, at: str) -> tuple[int, ...]:
    value = tree.get("customer_ids")
    is_ids = isinstance(value, list) and len(value) <= CUSTOMERS_MAX and all(type(each) is int for each in value)
    if not is_ids:
        raise MalformedError(f"{at}customer_ids", "a list of customers' numbers", "something else")
    return tuple(tree["customer_ids"])


# --- Closing ---------------------------------------------------------------------------------------------------------


def write_close(till_epoch: int, given_back: Sequence[GiveBack]) -> bytes:
    """Write the body of `POST /sync/v1/leases/close`."""
    return dump_json({"till_epoch": till_epoch, "give_back": give_back_trees(given_back)})


def read_close(body: bytes) -> tuple[int, tuple[GiveBack, ...]]:
    """Read that body. Raises: MalformedError."""
    tree = parse_json_body(body)
    if tree.get("give_back") is None:
        raise MalformedError("give_back", "a list of leases", "nothing")
    return number_in(tree, "till_epoch"), read_give_backs(tree["give_back"], "give_back", REQUESTS_MAX)


def write_freed(freed: Sequence[Freed]) -> bytes:
    """Write its answer."""
    told = [{"lease_id": each.lease_id, "freed": str(each.freed), "still_held": str(each.still_held)} for each in freed]
    return dump_json({"results": told})


def read_freed(body: bytes) -> tuple[Freed, ...]:
    """Read its answer.

    Raises:
        UnreadableAnswerError: it is no such answer.
    """
    tree = parse_answer(body)
    try:
        return tuple(
            Freed(
                text_in(each, "lease_id", where, LEASE_ID_MAX_CHARACTERS),
                points_in(each, "freed", where),
                points_in(each, "still_held", where),
            )
            for where, each in objects_in(tree, "results", most=REQUESTS_MAX)
        )
    except MalformedError as error:
        raise UnreadableAnswerError(str(error)) from None
