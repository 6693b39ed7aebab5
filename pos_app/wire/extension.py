"""The header and the answer member beside v1.1 (sync-api 2), and moments (sync-api 1)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pos_app.domain.answers import CodeView, Extension, Share, WalletView
from pos_app.domain.commands import Approval
from pos_app.domain.keys import is_key
from pos_app.domain.leases import GiveBack
from pos_app.domain.request import ID_MAX
from pos_app.wire.approvals import approval_tree, read_approval
from pos_app.wire.formats import MalformedError, UnreadableAnswerError, dump_json, parse_json_body
from pos_app.wire.giving_back import give_back_trees, read_give_backs
from pos_app.wire.moments import read_moment, write_moment
from pos_app.wire.reading import (
    day_or_none,
    flag,
    list_of,
    moment,
    moment_or_none,
    object_or_none,
    points,
    points_or_none,
    text_or_none,
    whole,
    whole_or_none,
)

__all__ = [
    "HEADER",
    "ExtensionAsk",
    "extension_tree",
    "read_extension",
    "read_extension_header",
    "read_moment",
    "read_share",
    "read_wallet",
    "share_tree",
    "wallet_tree",
    "write_extension_header",
    "write_moment",
]

HEADER: Final = "X-Pos-Extension"
VERSION: Final = 1
HEADER_MAX_CHARACTERS: Final = 4096
GIVE_BACK_MAX: Final = 8
"""So many leases may be given back beside one call of v1.1 (sync-api 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionAsk:
    """`X-Pos-Extension`, decoded. `cashier` is an operator id; `key` belongs to reversals.

    `give_back` are leases of the calling till: a check counts them as free, a redemption frees them.
    """

    v: int = VERSION
    cashier: int | None = None
    key: str | None = None
    approval: Approval | None = None
    give_back: tuple[GiveBack, ...] = ()


def read_extension_header(text: str) -> ExtensionAsk:
    """Read the header; members not known are ignored.

    Raises:
        MalformedError: too long, no base64url without padding, no JSON object, or a version that is not ours.
    """
    if len(text) > HEADER_MAX_CHARACTERS or not re.fullmatch(r"[A-Za-z0-9_-]+", text.strip()):
        raise MalformedError(HEADER, f"base64url of at most {HEADER_MAX_CHARACTERS} characters", "something else")
    trimmed = text.strip()
    try:
        decoded = base64.urlsafe_b64decode(trimmed + "=" * (-len(trimmed) % 4))
    except ValueError:
        raise MalformedError(HEADER, "base64url", "something else") from None
    tree = parse_json_body(decoded)
    version, cashier, key = tree.get("v"), tree.get("cashier"), tree.get("key")
    if type(version) is not int or version != VERSION:
        raise MalformedError(f"{HEADER}.v", str(VERSION), "something else")
    if cashier is not None and not (type(cashier) is int and 0 <= cashier <= ID_MAX):
        raise MalformedError(f"{HEADER}.cashier", "an operator's number", "something else")
    if key is not None and not (isinstance(key, str) and is_key(key)):
        raise MalformedError(f"{HEADER}.key", "a key", "something else")
    return ExtensionAsk(
        cashier=cashier,
        key=key,
        approval=read_approval(tree.get("approval"), f"{HEADER}.approval"),
        give_back=read_give_backs(tree.get("give_back"), f"{HEADER}.give_back", GIVE_BACK_MAX),
    )


def write_extension_header(ask: ExtensionAsk) -> str:
    """Write the header: base64url of a JSON object, without padding."""
    tree: dict[str, object] = {"v": ask.v}
    if ask.cashier is not None:
        tree["cashier"] = ask.cashier
    if ask.key is not None:
        tree["key"] = ask.key
    if ask.approval is not None:
        tree["approval"] = approval_tree(ask.approval)
    if ask.give_back:
        tree["give_back"] = give_back_trees(ask.give_back)
    return base64.urlsafe_b64encode(dump_json(tree)).decode("ascii").rstrip("=")


def extension_tree(extension: Extension) -> dict[str, Any]:
    """The `extension` member of an answer; points are text in it (sync-api 1)."""
    return {
        "v": VERSION,
        "epoch": extension.epoch,
        "server_time": write_moment(extension.server_time),
        "key": extension.key,
        "replayed": extension.replayed,
        "reason": extension.reason,
        "refusals": list(extension.refusals),
        "nearest": [str(each) for each in extension.nearest],
        "wallet": wallet_tree(extension.wallet),
        "customer_id": extension.customer_id,
        "otp": None if extension.otp is None else _code_tree(extension.otp),
        "breakdown": [share_tree(share) for share in extension.breakdown],
    }


def wallet_tree(wallet: WalletView | None) -> dict[str, Any] | None:
    """A wallet as the extension and `cancel` tell of it."""
    if wallet is None:
        return None
    return {
        "wallet_id": wallet.wallet_id,
        "version": wallet.version,
        "balance": str(wallet.balance),
        "available": str(wallet.available),
        "held_offline": str(wallet.held_offline),
        "held_until": None if wallet.held_until is None else write_moment(wallet.held_until),
        "held_store": wallet.held_store,
    }


def _code_tree(code: CodeView) -> dict[str, Any]:
    return {
        "otp_id": code.otp_id,
        "sent_at": write_moment(code.sent_at),
        "expires_at": write_moment(code.expires_at),
        "channel": code.channel,
        "covers_points": None if code.covers_points is None else str(code.covers_points),
        "tries_left": code.tries_left,
    }


def share_tree(share: Share) -> dict[str, Any]:
    """One line of a breakdown: points taken from one lot."""
    return {
        "wallet_id": share.wallet_id,
        "lot_id": share.lot_id,
        "points": str(share.points),
        "expires_on": None if share.expires_on is None else share.expires_on.isoformat(),
    }


def read_extension(tree: Mapping[str, Any] | None) -> Extension | None:
    """Read the member; None where there is none, or one of another version. Members that are missing are empty.

    Raises:
        UnreadableAnswerError: it says it is ours and cannot be read.
    """
    if not isinstance(tree, Mapping) or tree.get("v") != VERSION:
        return None
    return Extension(
        epoch=whole(tree, "epoch"),
        server_time=moment(tree, "server_time"),
        key=text_or_none(tree, "key"),
        replayed=bool(flag(tree, "replayed")),
        reason=text_or_none(tree, "reason"),
        refusals=tuple(_code_number(each) for each in list_of(tree, "refusals")),
        nearest=tuple(points({"nearest": each}, "nearest") for each in list_of(tree, "nearest")),
        wallet=read_wallet(object_or_none(tree, "wallet")),
        customer_id=whole_or_none(tree, "customer_id"),
        otp=_read_code(object_or_none(tree, "otp")),
        breakdown=tuple(read_share(each) for each in list_of(tree, "breakdown")),
    )


def _code_number(value: object) -> int:
    if type(value) is not int:
        raise UnreadableAnswerError("refusals: expected codes")
    return value


def read_wallet(tree: Mapping[str, Any] | None) -> WalletView | None:
    """Read what `wallet_tree` wrote.

    Raises:
        UnreadableAnswerError: it cannot be read.
    """
    if tree is None:
        return None
    return WalletView(
        wallet_id=whole_or_none(tree, "wallet_id"),
        version=whole(tree, "version"),
        balance=points(tree, "balance"),
        available=points(tree, "available"),
        held_offline=points(tree, "held_offline"),
        held_until=moment_or_none(tree, "held_until"),
        held_store=text_or_none(tree, "held_store"),
    )


def _read_code(tree: Mapping[str, Any] | None) -> CodeView | None:
    if tree is None:
        return None
    return CodeView(
        otp_id=whole(tree, "otp_id"),
        sent_at=moment(tree, "sent_at"),
        expires_at=moment(tree, "expires_at"),
        channel=text_or_none(tree, "channel") or "",
        covers_points=points_or_none(tree, "covers_points"),
        tries_left=whole(tree, "tries_left"),
    )


def read_share(tree: object) -> Share:
    """Read what `share_tree` wrote.

    Raises:
        UnreadableAnswerError: it cannot be read.
    """
    if not isinstance(tree, Mapping):
        raise UnreadableAnswerError("breakdown: expected objects")
    return Share(
        wallet_id=whole(tree, "wallet_id"),
        lot_id=whole(tree, "lot_id"),
        points=points(tree, "points"),
        expires_on=day_or_none(tree, "expires_on"),
    )
