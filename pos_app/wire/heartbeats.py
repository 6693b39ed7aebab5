"""The heartbeat: how a till is, and what the ledger wants of it (sync-api 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pos_app.domain.feed import Countersigned, Heartbeat, HeartbeatAnswer
from pos_app.domain.request import ID_MAX
from pos_app.wire.formats import dump_json, parse_answer, parse_json_body
from pos_app.wire.members import moment_in, number_in, objects_in, points_in, text_in
from pos_app.wire.moments import write_moment
from pos_app.wire.reading import flag, list_of, moment, object_or_none, text, whole

LEASES_MAX: Final = 2_500
"""A till holds at most 2,000 of regulars, and those of today's lookups."""


def write_heartbeat(beat: Heartbeat) -> bytes:
    """Write the body of `POST /sync/v1/heartbeat`; of more leases than `LEASES_MAX` only the first are told."""
    leases = list(beat.leases.items())[:LEASES_MAX]
    return dump_json(
        {
            "till_epoch": beat.till_epoch,
            "version": beat.version,
            "wall_clock": write_moment(beat.wall_clock),
            "outbox_count": beat.outbox_count,
            "oldest_s": beat.oldest_s,
            "audit_head": beat.audit_head,
            "audit_count": beat.audit_count,
            "leases": [{"lease_id": lease_id, "spent": str(spent)} for lease_id, spent in leases],
        }
    )


def read_heartbeat(body: bytes) -> Heartbeat:
    """Read that body.

    Raises:
        MalformedError: a member is missing or no such thing.
    """
    tree = parse_json_body(body)
    leases = objects_in(tree, "leases", most=LEASES_MAX)
    return Heartbeat(
        till_epoch=number_in(tree, "till_epoch"),
        version=text_in(tree, "version"),
        wall_clock=moment_in(tree, "wall_clock"),
        outbox_count=number_in(tree, "outbox_count"),
        oldest_s=number_in(tree, "oldest_s", most=ID_MAX),
        audit_head=text_in(tree, "audit_head"),
        audit_count=number_in(tree, "audit_count"),
        leases={text_in(each, "lease_id", where): points_in(each, "spent", where) for where, each in leases},
    )


def write_heartbeat_answer(answer: HeartbeatAnswer) -> bytes:
    """Write the answer of `heartbeat`."""
    signed = answer.countersigned
    return dump_json(
        {
            "server_time": write_moment(answer.server_time),
            "epoch": answer.epoch,
            "redemptions_enabled": answer.redemptions_enabled,
            "till_state": answer.till_state,
            "give_back_wanted": list(answer.give_back_wanted),
            "revoked": list(answer.revoked),
            "changes_waiting": answer.has_changes,
            "audit_countersign": None
            if signed is None
            else countersigned_part(signed) | {"signature": signed.signature},
        }
    )


def countersigned_part(countersigned: Countersigned) -> dict[str, Any]:
    """What the ledger's signature covers, to be written as canonical JSON."""
    return {"head": countersigned.head, "count": countersigned.count, "at": write_moment(countersigned.at)}


def read_heartbeat_answer(body: bytes) -> HeartbeatAnswer:
    """Read the answer of `heartbeat`.

    Raises:
        UnreadableAnswerError: it is no such answer.
    """
    tree = parse_answer(body)
    return HeartbeatAnswer(
        server_time=moment(tree, "server_time"),
        epoch=whole(tree, "epoch"),
        redemptions_enabled=bool(flag(tree, "redemptions_enabled")),
        till_state=text(tree, "till_state"),
        give_back_wanted=_ids(tree, "give_back_wanted"),
        revoked=_ids(tree, "revoked"),
        has_changes=bool(flag(tree, "changes_waiting")),
        countersigned=_countersigned(object_or_none(tree, "audit_countersign")),
    )


def _ids(tree: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(each for each in list_of(tree, name) if isinstance(each, str))


def _countersigned(tree: Mapping[str, Any] | None) -> Countersigned | None:
    if tree is None:
        return None
    return Countersigned(
        head=text(tree, "head"), count=whole(tree, "count"), at=moment(tree, "at"), signature=text(tree, "signature")
    )
