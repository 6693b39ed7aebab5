"""Calls beside the documented ones (sync-api 1, 3, 8, 11): capabilities, cancel, criteria, configs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

from pos_app.domain.answers import CancelAnswer, CancelOutcome, Capabilities, LedgerKey, TillInfo
from pos_app.domain.commands import Cancel, CancelReason
from pos_app.domain.keys import is_key
from pos_app.domain.request import ID_MAX
from pos_app.wire.approvals import approval_tree, read_approval
from pos_app.wire.configs import read_configs, write_configs
from pos_app.wire.criteria import read_program, write_program
from pos_app.wire.extension import read_wallet, wallet_tree
from pos_app.wire.formats import (
    MalformedError,
    UnreadableAnswerError,
    dump_json,
    kind_of,
    parse_answer,
    parse_json_body,
    plain_number,
)
from pos_app.wire.moments import write_moment
from pos_app.wire.reading import (
    Tree,
    id_or_none,
    list_of,
    moment_or_none,
    number_or_none,
    object_or_none,
    text,
    text_or_none,
    whole,
    whole_or_none,
)

__all__ = [
    "read_cancel",
    "read_cancel_answer",
    "read_capabilities",
    "read_configs",
    "read_program",
    "read_sync_error",
    "read_sync_refusal",
    "write_cancel",
    "write_cancel_answer",
    "write_capabilities",
    "write_configs",
    "write_program",
    "write_sync_error",
]

API_VERSION: Final = 1
SCHEMA_VERSION: Final = 1


# --- Errors (sync-api 1) --------------------------------------------------------------------------------------


def write_sync_error(
    http_code: int, reason: str, message: str, field: str | None = None, more: Mapping[str, object] | None = None
) -> bytes:
    """Write an error of `/sync`; clients decide on `reason`. `more`: members that go with it, such as `tries_left`."""
    error: dict[str, Any] = {"status": False, "code": http_code, "reason": reason, "message": message, **(more or {})}
    if field is not None:
        error["field"] = field
    return dump_json({"errors": [error]})


def read_sync_error(body: bytes) -> str | None:
    """The `reason` of an error body; None where it is none. Never raises."""
    found = read_sync_refusal(body)
    return None if found is None else found[0]


def read_sync_refusal(body: bytes) -> tuple[str, dict[str, object]] | None:
    """The `reason` of an error body and what is told beside it: `tries_left`, `until`, `next_seq`. Never raises."""
    try:
        errors = list_of(parse_answer(body), "errors")
    except UnreadableAnswerError:
        return None
    if not errors or not isinstance(errors[0], dict):
        return None
    reason = text_or_none(errors[0], "reason")
    return None if reason is None else (reason, _told_beside(errors[0]))


def _told_beside(error: Tree) -> dict[str, object]:
    """What goes with a reason, in our own types; what cannot be read is left out."""
    told: dict[str, object] = {}
    for name, read in _BESIDE.items():
        with suppress(UnreadableAnswerError):
            found = read(error, name)
            if found is not None:
                told[name] = found
    return told


_BESIDE: Final[Mapping[str, Callable[[Tree, str], object]]] = {
    "tries_left": whole_or_none,
    "until": moment_or_none,
    "next_seq": whole_or_none,
    "field": text_or_none,
}


# --- Capabilities (sync-api 3) --------------------------------------------------------------------------------


def write_capabilities(capabilities: Capabilities) -> bytes:
    """Write `GET /sync/v1/capabilities`; `enrol` answers the same.

    Raises:
        ValueError: no `server_time`, which is a fault of ours.
    """
    if capabilities.server_time is None:
        raise ValueError("capabilities need the server's time")
    return dump_json(
        {
            "service": capabilities.service,
            "version": capabilities.version,
            "api": API_VERSION,
            "schema": SCHEMA_VERSION,
            "epoch": capabilities.epoch,
            "server_time": write_moment(capabilities.server_time),
            "idempotent_redeem": capabilities.idempotent_redeem,
            "features": sorted(capabilities.features),
            "ledger_keys": [
                {"key_id": each.key_id, "public_key": each.public_key} for each in capabilities.ledger_keys
            ],
            "till": None if capabilities.till is None else _till_tree(capabilities.till),
        }
    )


def _till_tree(till: TillInfo) -> dict[str, Any]:
    return {
        "login": till.login,
        "store": till.store,
        "name": till.name,
        "program_id": till.program_id,
        "currency": till.currency,
        "currency_rate": plain_number(till.currency_rate),
        "state": till.state,
        "till_epoch": till.till_epoch,
    }


def read_capabilities(body: bytes) -> Capabilities:
    """Read `GET /sync/v1/capabilities`; `has_extension` is set.

    Raises:
        UnreadableAnswerError: it is no such answer.
    """
    tree = parse_answer(body)
    service = text_or_none(tree, "service")
    if service is None or whole(tree, "api") != API_VERSION:
        raise UnreadableAnswerError("service, api: expected a service we know")
    till = object_or_none(tree, "till")
    return Capabilities(
        service=service,
        version=text(tree, "version"),
        epoch=whole(tree, "epoch"),
        server_time=moment_or_none(tree, "server_time"),
        has_extension=True,
        idempotent_redeem=tree.get("idempotent_redeem") is True,
        features=frozenset(each for each in list_of(tree, "features") if isinstance(each, str)),
        till=None if till is None else _read_till(till),
        ledger_keys=tuple(
            LedgerKey(key_id=text(each, "key_id"), public_key=text(each, "public_key"))
            for each in list_of(tree, "ledger_keys")
            if isinstance(each, dict)
        ),
    )


def _read_till(tree: Tree) -> TillInfo:
    rate = number_or_none(tree, "currency_rate")
    return TillInfo(
        login=text(tree, "login"),
        store=text(tree, "store"),
        name=text(tree, "name"),
        program_id=id_or_none(tree, "program_id"),
        currency=text(tree, "currency"),
        currency_rate=Decimal(1) if rate is None else rate,
        state=text_or_none(tree, "state") or "ACTIVE",
        till_epoch=whole_or_none(tree, "till_epoch") or 0,
    )


# --- Cancel (sync-api 8) --------------------------------------------------------------------------------------


def write_cancel(command: Cancel) -> bytes:
    """Write the body of `POST /sync/v1/cancel`."""
    return dump_json(
        {
            "key": command.key,
            "cashier": command.cashier,
            "reason": command.reason.value,
            "approval": approval_tree(command.approval),
        }
    )


def read_cancel(body: bytes) -> Cancel:
    """Read that body. `cashier` and `approval` may be null.

    Raises:
        MalformedError: no real key (one of the trainer mode is none), a reason not known, or no approval's shape.
    """
    tree = parse_json_body(body)
    key, cashier, reason = tree.get("key"), tree.get("cashier"), tree.get("reason")
    if not isinstance(key, str) or not is_key(key):
        raise MalformedError("key", "a key", kind_of(key))
    if cashier is not None and not (type(cashier) is int and 0 <= cashier <= ID_MAX):
        raise MalformedError("cashier", "an operator's number", kind_of(cashier))
    if not isinstance(reason, str) or reason not in set(CancelReason):
        raise MalformedError("reason", f"one of {', '.join(CancelReason)}", kind_of(reason))
    approval = read_approval(tree.get("approval"))
    return Cancel(key=key, reason=CancelReason(reason), cashier=cashier, approval=approval)


def write_cancel_answer(answer: CancelAnswer) -> bytes:
    """Write the answer of `cancel`."""
    return dump_json(
        {
            "key": answer.key,
            "outcome": answer.outcome.value,
            "redemption_id": answer.redemption_id,
            "reversal_id": answer.reversal_id,
            "server_time": None if answer.server_time is None else write_moment(answer.server_time),
            "wallet": wallet_tree(answer.wallet),
        }
    )


def read_cancel_answer(body: bytes) -> CancelAnswer:
    """Read the answer of `cancel`; the caller compares the echoed key.

    Raises:
        UnreadableAnswerError: it is no such answer.
    """
    tree = parse_answer(body)
    key, outcome = text_or_none(tree, "key"), text(tree, "outcome")
    if key is None or outcome not in set(CancelOutcome):
        raise UnreadableAnswerError("key, outcome: expected the answer of a cancel")
    return CancelAnswer(
        key=key,
        outcome=CancelOutcome(outcome),
        redemption_id=text_or_none(tree, "redemption_id"),
        reversal_id=text_or_none(tree, "reversal_id"),
        server_time=moment_or_none(tree, "server_time"),
        wallet=read_wallet(object_or_none(tree, "wallet")),
    )
