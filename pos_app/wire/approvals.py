"""The second person on the wire: member `approval` of the header and of `cancel` (sync-api 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from pos_app.domain.commands import Approval, ApprovalPurpose, ApprovalReason
from pos_app.wire.formats import MalformedError, kind_of

TOKEN_MAX_CHARACTERS: Final = 2048
NOTE_MAX_CHARACTERS: Final = 200

_Word = TypeVar("_Word", bound=StrEnum)


def approval_tree(approval: Approval | None) -> dict[str, Any] | None:
    """Write an approval; null where there is none."""
    if approval is None:
        return None
    return {
        "token": approval.token,
        "purpose": approval.purpose.value,
        "reason": approval.reason.value,
        "note": approval.note,
    }


def read_approval(tree: object, field: str = "approval") -> Approval | None:
    """Read an approval; None where there is none. Whether it holds is for the ledger to say.

    Raises:
        MalformedError: it is no such object; `field` and the member are named.
    """
    if tree is None:
        return None
    if not isinstance(tree, Mapping):
        raise MalformedError(field, "an object", kind_of(tree))
    token, note = tree.get("token"), tree.get("note")
    if not isinstance(token, str) or not 0 < len(token) <= TOKEN_MAX_CHARACTERS:
        raise MalformedError(f"{field}.token", f"text of at most {TOKEN_MAX_CHARACTERS} characters", kind_of(token))
    purpose = _word(tree, "purpose", field, ApprovalPurpose)
    reason = _word(tree, "reason", field, ApprovalReason)
    if note is not None and not (isinstance(note, str) and len(note) <= NOTE_MAX_CHARACTERS):
        raise MalformedError(f"{field}.note", f"text of at most {NOTE_MAX_CHARACTERS} characters", kind_of(note))
    if reason is ApprovalReason.OTHER and not (note or "").strip():
        raise MalformedError(f"{field}.note", "a note, because the reason is other", "none")
    return Approval(token=token, purpose=purpose, reason=reason, note=note or "")


def _word(tree: Mapping[str, Any], name: str, field: str, words: type[_Word]) -> _Word:
    value = tree.get(name)
    if not isinstance(value, str) or value not in set(words):
        raise MalformedError(f"{field}.{name}", f"one of {', '.join(words)}", kind_of(value))
    return words(value)
