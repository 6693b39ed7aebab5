"""Redemptions made without a line, as they are told to the ledger afterwards (sync-api 7).

A row is chained and signed by the till: `hash` is SHA-256 over the hash of the row before it and the canonical JSON of
the row without `hash` and `signature`; the signature is the till key's over the ascii bytes of `hash`. The ledger makes
the hash of the row as it arrived, with members it does not know, so that a newer till is still understood.

One bad row never stops the others (sync-api 7): what cannot be read comes as a `ReceivedSpend` without a spend.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pos_app.domain.request import ID_MAX
from pos_app.domain.settling import (
    FIRST_PREV_HASH,
    OfflineProof,
    OfflineProofKind,
    SettleAnswer,
    Settled,
    SettleOutcome,
    Spend,
    SpendKind,
)
from pos_app.wire.approvals import approval_tree, read_approval
from pos_app.wire.canonical import canonical_bytes
from pos_app.wire.extension import read_share, read_wallet, share_tree, wallet_tree
from pos_app.wire.faults import MalformedError, UnreadableAnswerError
from pos_app.wire.formats import dump_json, kind_of, parse_answer, parse_json_body
from pos_app.wire.members import (
    TEXT_MAX,
    Tree,
    id_in,
    id_or_none_in,
    key_in,
    moment_in,
    number_in,
    object_in,
    objects_in,
    owner_in,
    owner_tree,
    points_in,
    text_in,
    text_or_none_in,
    word_in,
)
from pos_app.wire.moments import write_moment
from pos_app.wire.passes import PASS_MAX_CHARACTERS
from pos_app.wire.reading import flag, list_of, moment, object_or_none, points, text, text_or_none, whole

SPENDS_MAX: Final = 100
SEQ_MAX: Final = 2**31 - 1

_HASH: Final = re.compile(r"[0-9a-f]{64}")


# --- The row ---------------------------------------------------------------------------------------------------------


def hashed_part(spend: Spend) -> dict[str, Any]:
    """The row without `hash` and `signature`."""
    return {
        "seq": spend.seq,
        "key": spend.key,
        "kind": spend.kind.value,
        "lease_id": spend.lease_id,
        "owner": owner_tree(spend.owner),
        "customer_id": spend.customer_id,
        "program_id": spend.program_id,
        "points": str(spend.points),
        "at": write_moment(spend.at),
        "transaction_number": spend.transaction_number,
        "cashier": spend.cashier,
        "proof": _proof_tree(spend.proof),
        "confirmed_epoch": spend.confirmed_epoch,
        "redemption_id": spend.redemption_id,
        "prev_hash": spend.prev_hash,
    }


def _proof_tree(proof: OfflineProof) -> dict[str, Any]:
    return {"kind": proof.kind.value, "pass": proof.pass_text, "approval": approval_tree(proof.approval)}


def hash_of(spend: Spend) -> str:
    """The hash a row must have: lower-case hexadecimal SHA-256 over `prev_hash` and its canonical JSON."""
    return _hash(spend.prev_hash, hashed_part(spend))


def signed_bytes(row_hash: str) -> bytes:
    """What the till's signature is made over: the ascii bytes of the row's `hash`."""
    return row_hash.encode("ascii")


def _hash(prev_hash: str, row: Mapping[str, Any]) -> str:
    return hashlib.sha256(prev_hash.encode("ascii") + canonical_bytes(row)).hexdigest()


def spend_tree(spend: Spend) -> dict[str, Any]:
    """A row as it is sent."""
    return hashed_part(spend) | {"hash": spend.hash, "signature": spend.signature}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpend:
    """A row as it arrived. `spend` None: it could not be read. `made_hash` is the hash of what arrived."""

    seq: int
    key: str
    spend: Spend | None
    made_hash: str

    @classmethod
    def of(cls, spend: Spend) -> ReceivedSpend:
        """A row that came without a wire."""
        return cls(seq=spend.seq, key=spend.key, spend=spend, made_hash=hash_of(spend))


def write_settle(till_epoch: int, spends: Sequence[Spend]) -> bytes:
    """Write the body of `POST /sync/v1/settle`."""
    return dump_json({"till_epoch": till_epoch, "spends": [spend_tree(each) for each in spends]})


def read_settle(body: bytes) -> tuple[int, tuple[ReceivedSpend, ...]]:
    """Read that body: the till's epoch and its rows, in the order of their numbers.

    Raises:
        MalformedError: the body is none, or a row has no `seq`, so that nothing could be answered about it.
    """
    tree = parse_json_body(body)
    rows = objects_in(tree, "spends", least=1, most=SPENDS_MAX)
    received = sorted((_received(each, where) for where, each in rows), key=lambda each: each.seq)
    return number_in(tree, "till_epoch"), tuple(received)


def _received(tree: Tree, at: str) -> ReceivedSpend:
    seq, key = number_in(tree, "seq", at, 1, SEQ_MAX), tree.get("key")
    spend, made_hash = None, ""
    try:
        spend = _spend(tree, at)
        made_hash = _hash(spend.prev_hash, {name: tree[name] for name in tree if name not in ("hash", "signature")})
    except (MalformedError, TypeError):  # TypeError: a member we do not know holds what is never hashed, as 1.5.
        spend = None
    return ReceivedSpend(seq=seq, key=key[:TEXT_MAX] if isinstance(key, str) else "", spend=spend, made_hash=made_hash)


def read_spend_tree(tree: object) -> Spend:
    """Read what `spend_tree` wrote.

    Raises:
        MalformedError: a member is missing or no such thing.
    """
    if not isinstance(tree, Mapping):
        raise MalformedError("spend", "an object", kind_of(tree))
    return _spend(tree, "spend.")


def _spend(tree: Tree, at: str) -> Spend:
    kind, amount = word_in(tree, "kind", SpendKind, at), points_in(tree, "points", at)
    if not amount:
        raise MalformedError(f"{at}points", "more than none", "none")
    confirmed = tree.get("confirmed_epoch")
    return Spend(
        seq=number_in(tree, "seq", at, 1, SEQ_MAX),
        key=key_in(tree, "key", at),
        kind=kind,
        owner=owner_in(tree, at),
        customer_id=id_in(tree, "customer_id", at),
        program_id=id_in(tree, "program_id", at),
        points=amount,
        at=moment_in(tree, "at", at),
        redemption_id=text_in(tree, "redemption_id", at),
        lease_id=text_in(tree, "lease_id", at) if kind is SpendKind.LEASE else text_or_none_in(tree, "lease_id", at),
        transaction_number=text_or_none_in(tree, "transaction_number", at),
        cashier=id_or_none_in(tree, "cashier", at),
        proof=_proof(object_in(tree, "proof", at), f"{at}proof."),
        confirmed_epoch=None if confirmed is None else number_in(tree, "confirmed_epoch", at, 0, ID_MAX),
        prev_hash=_hash_in(tree, "prev_hash", at),
        hash=_hash_in(tree, "hash", at),
        signature=text_in(tree, "signature", at),
    )


def _proof(tree: Tree, at: str) -> OfflineProof:
    return OfflineProof(
        kind=word_in(tree, "kind", OfflineProofKind, at),
        pass_text=text_or_none_in(tree, "pass", at, PASS_MAX_CHARACTERS),
        approval=read_approval(tree.get("approval"), f"{at}approval"),
    )


def _hash_in(tree: Tree, name: str, at: str) -> str:
    value = tree.get(name)
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise MalformedError(f"{at}{name}", f"{len(FIRST_PREV_HASH)} hexadecimal digits", kind_of(value))
    return value


# --- The answer ------------------------------------------------------------------------------------------------------


def write_settle_answer(answer: SettleAnswer) -> bytes:
    """Write the answer of `settle`."""
    return dump_json(
        {
            "server_time": write_moment(answer.server_time),
            "epoch": answer.epoch,
            "next_seq": answer.next_seq,
            "results": [settled_tree(each) for each in answer.results],
        }
    )


def settled_tree(settled: Settled) -> dict[str, Any]:
    """The result of one row."""
    return {
        "seq": settled.seq,
        "key": settled.key,
        "outcome": settled.outcome.value,
        "reason": settled.reason,
        "redemption_id": settled.redemption_id,
        "from_lease": str(settled.from_lease),
        "from_free": str(settled.from_free),
        "store_loss": str(settled.store_loss),
        "late": settled.is_late,
        "replayed": settled.is_replayed,
        "wallet": wallet_tree(settled.wallet),
        "breakdown": [share_tree(each) for each in settled.breakdown],
    }


def read_settle_answer(body: bytes) -> SettleAnswer:
    """Read the answer of `settle`; the caller compares numbers and keys with what it sent.

    Raises:
        UnreadableAnswerError: it is no such answer.
    """
    tree = parse_answer(body)
    if not isinstance(tree.get("results"), list):
        raise UnreadableAnswerError("results: expected a list")
    return SettleAnswer(
        epoch=whole(tree, "epoch"),
        server_time=moment(tree, "server_time"),
        next_seq=whole(tree, "next_seq"),
        results=tuple(read_settled_tree(each) for each in list_of(tree, "results")),
    )


def read_settled_tree(tree: object) -> Settled:
    """Read what `settled_tree` wrote.

    Raises:
        UnreadableAnswerError: it is no such result.
    """
    if not isinstance(tree, Mapping):
        raise UnreadableAnswerError("results: expected objects")
    outcome, key = text(tree, "outcome"), text(tree, "key")  # Without a key: that of a row that could not be read.
    if outcome not in set(SettleOutcome):
        raise UnreadableAnswerError("outcome: expected the result of a row")
    return Settled(
        seq=whole(tree, "seq"),
        key=key,
        outcome=SettleOutcome(outcome),
        reason=text_or_none(tree, "reason"),
        redemption_id=text_or_none(tree, "redemption_id"),
        from_lease=points(tree, "from_lease"),
        from_free=points(tree, "from_free"),
        store_loss=points(tree, "store_loss"),
        is_late=bool(flag(tree, "late")),
        is_replayed=bool(flag(tree, "replayed")),
        wallet=read_wallet(object_or_none(tree, "wallet")),
        breakdown=tuple(read_share(each) for each in list_of(tree, "breakdown")),
    )
