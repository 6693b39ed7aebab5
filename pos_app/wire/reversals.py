"""`POST /v2/points/reverse` (contract section 7): JSON <-> the reversal command and its answer.

This call reuses numbers of the other points calls with meanings of its own; `codes.Endpoint.REVERSE` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pos_app.domain.answers import Extension, ReversalRefusal, ReverseAnswer
from pos_app.domain.commands import Reverse
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import AskedPoints, CustomerRef, IdentifierKind, UnreadableAmount
from pos_app.wire.extension import HEADER, ExtensionAsk, extension_tree, read_extension
from pos_app.wire.formats import (
    MalformedError,
    UnreadableAnswerError,
    dump_json,
    kind_of,
    parse_answer,
    parse_json_body,
    plain_number,
)
from pos_app.wire.parameters import given, read_points, read_program_id
from pos_app.wire.reading import id_or_none, list_of, object_or_none, points, text_or_none, whole_or_none
from pos_app.wire.v2 import FieldMissingError, write_v2_error

REVERSAL_CODES: Final[Mapping[ReversalRefusal, int]] = {
    ReversalRefusal.KEY_MISMATCH: 903,
    ReversalRefusal.KEY_CANCELLED: 903,
    ReversalRefusal.SWITCHED_OFF: 905,
    ReversalRefusal.APPROVAL_MISSING: 905,
    ReversalRefusal.APPROVAL_REFUSED: 905,
    ReversalRefusal.POINTS_NOT_VALID: 901,
    ReversalRefusal.REDEMPTION_UNKNOWN: 902,
    ReversalRefusal.PROGRAM_DIFFERS: 885,
    ReversalRefusal.IDENTIFIER_MALFORMED: 802,
    ReversalRefusal.CUSTOMER_UNKNOWN: 8015,
    ReversalRefusal.OTHER_CUSTOMER: 901,
    ReversalRefusal.ALREADY_REVERSED: 3802,
    ReversalRefusal.MORE_THAN_LEFT: 903,
    ReversalRefusal.BUSY: 904,
}
"""901: points invalid, customer not eligible. 903: limit exceeded. 904: locked. 905: not enabled (contract 9.2)."""

_MESSAGES: Final[Mapping[ReversalRefusal, str]] = {
    ReversalRefusal.KEY_MISMATCH: "The key was used for another request",
    ReversalRefusal.KEY_CANCELLED: "The key was cancelled",
    ReversalRefusal.SWITCHED_OFF: "Reversal is not enabled for the organization",
    ReversalRefusal.APPROVAL_MISSING: "Reversal needs the approval of a second person",
    ReversalRefusal.APPROVAL_REFUSED: "The approval of the reversal does not hold",
    ReversalRefusal.POINTS_NOT_VALID: "Points must be greater than zero and have at most three decimals",
    ReversalRefusal.REDEMPTION_UNKNOWN: "Redemption id does not exist",
    ReversalRefusal.PROGRAM_DIFFERS: "Program id is invalid",
    ReversalRefusal.IDENTIFIER_MALFORMED: "Customer identifier is invalid",
    ReversalRefusal.CUSTOMER_UNKNOWN: "Customer not found",
    ReversalRefusal.OTHER_CUSTOMER: "The redemption is not of this customer",
    ReversalRefusal.ALREADY_REVERSED: "Points are already reversed",
    ReversalRefusal.MORE_THAN_LEFT: "Points are more than what is left of the redemption",
    ReversalRefusal.BUSY: "The redemption is locked by another request",
}
_KINDS: Final[Mapping[str, IdentifierKind]] = {
    "mobile": IdentifierKind.MOBILE,
    "phone": IdentifierKind.MOBILE,
    "email": IdentifierKind.EMAIL,
    "externalid": IdentifierKind.EXTERNAL_ID,
    "id": IdentifierKind.ID,
    "cardnumber": IdentifierKind.CARD_NUMBER,
    "cardexternalid": IdentifierKind.CARD_EXTERNAL_ID,
}
"""The words of the older page and of the newest, without regard to case; cards as elsewhere (contract 7)."""


def read_reverse(query: Mapping[str, str], body: bytes, ask: ExtensionAsk | None) -> tuple[Reverse, dict[str, Any]]:
    """Read the command, and the identifier as it was sent, for the answer to echo.

    Raises:
        MalformedError: no JSON object, an identifier of no known type, or the header without a key.
        FieldMissingError: no `redemptionId`, or an identifier without type or value.
    """
    tree = parse_json_body(body)
    if ask is not None and ask.key is None:
        raise MalformedError(f"{HEADER}.key", "a key", "none")
    redemption_id = _text(tree, "redemptionId")
    if redemption_id is None:
        raise FieldMissingError("redemptionId")
    customer, sent = _identifier(tree.get("identifier"))
    program = _text(tree, "programId") or given(query, "programId")
    command = Reverse(
        redemption_id=redemption_id,
        points=_points(tree.get("pointsToBeReversed")),
        customer=customer,
        program_id=read_program_id(program),
        key=None if ask is None else ask.key,
        cashier=None if ask is None else ask.cashier,
        approval=None if ask is None else ask.approval,
    )
    return command, sent


def _identifier(tree: object) -> tuple[CustomerRef | None, dict[str, Any]]:
    """The customer, whom the older page does not ask for (section 7)."""
    if tree in (None, "", [], {}):
        return None, {}
    if not isinstance(tree, Mapping):
        raise MalformedError("identifier", "an object", kind_of(tree))
    kind, value = _text(tree, "type"), _text(tree, "value")
    for name, found in (("identifier.type", kind), ("identifier.value", value)):
        if found is None:
            raise FieldMissingError(name)
    word = _KINDS.get((kind or "").replace("_", "").lower())
    if word is None:
        raise MalformedError("identifier.type", f"one of {', '.join(_KINDS)}", "another word")
    return CustomerRef(word, value or ""), {"type": kind, "value": value}


def _points(value: object) -> Points | UnreadableAmount | None:
    """Points as a number or its text; None where all of them are meant."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return UnreadableAmount(Refusal.POINTS_NOT_POSITIVE)
    text = value.strip() if isinstance(value, str) else plain_number(Decimal(value))
    if not text or text == "null":
        return None
    asked = read_points(text)
    return asked.points if isinstance(asked, AskedPoints) else asked


def _text(tree: Mapping[str, Any], name: str) -> str | None:
    """A member as text without the spaces around it; numbers count as well, empty and `null` do not (1.4)."""
    value = tree.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return None
    text = value if isinstance(value, str) else plain_number(Decimal(value))
    return given({name: text}, name)


# --- The till's side -----------------------------------------------------------------------------------------------


class UnknownRefusalError(UnreadableAnswerError):
    """A sure no, with a number that this till has no word for."""


def write_reverse(command: Reverse) -> bytes:
    """Write the body; key, cashier and approval travel in the header of the extension (sync-api 2).

    Raises:
        ValueError: points that are none, which a till never sends.
    """
    if isinstance(command.points, UnreadableAmount):
        raise ValueError("only points can be given back")
    tree: dict[str, Any] = {"redemptionId": command.redemption_id}
    if command.customer is not None:
        tree["identifier"] = {"type": _SENT_AS[command.customer.kind], "value": command.customer.value}
    if command.points is not None:
        tree["pointsToBeReversed"] = command.points.decimal
    if command.program_id is not None:
        tree["programId"] = command.program_id
    return dump_json(tree)


def read_reverse_answer(body: bytes, command: Reverse) -> ReverseAnswer:
    """Read the answer to `command`; the caller compares what it echoes.

    Raises:
        UnknownRefusalError: a no with a number that is none of `REVERSAL_CODES`.
        UnreadableAnswerError: no answer of this call.
    """
    tree = parse_answer(body)
    extension = read_extension(object_or_none(tree, "extension"))
    errors = [each for each in list_of(tree, "errors") if isinstance(each, Mapping)]
    if errors:
        refusal = _refusal_of(whole_or_none(errors[0], "code"), extension)
        return ReverseAnswer(redemption_id=command.redemption_id, refusal=refusal, extension=extension)
    redemption_id, details = text_or_none(tree, "redemptionId"), object_or_none(tree, "pointsReversedDetails")
    if redemption_id is None or details is None:
        raise UnreadableAnswerError("redemptionId, pointsReversedDetails: expected the answer of a reversal")
    return ReverseAnswer(
        redemption_id=redemption_id,
        asked=points(tree, "pointsToBeReversed"),
        available=points(details, "available"),
        expired=points(details, "expired"),
        reversal_id=text_or_none(tree, "reversalId"),
        customer_id=id_or_none(tree, "customerId"),
        organisation_id=id_or_none(tree, "orgId"),
        extension=extension,
    )


def _refusal_of(code: int | None, extension: Extension | None) -> ReversalRefusal:
    """The refusal of a number; where several share it, the extension's `reason` tells them apart."""
    if code is None:
        raise UnreadableAnswerError("errors.code: expected a number")
    may_be = [refusal for refusal, number in REVERSAL_CODES.items() if number == code]
    if not may_be:
        raise UnknownRefusalError("errors.code: expected one of this call")
    told = None if extension is None else extension.reason
    return next((each for each in may_be if each.value == told), _USUAL.get(code, may_be[0]))


_USUAL: Final[Mapping[int, ReversalRefusal]] = {
    901: ReversalRefusal.POINTS_NOT_VALID,
    903: ReversalRefusal.MORE_THAN_LEFT,
    905: ReversalRefusal.SWITCHED_OFF,
}
"""What a number means that several refusals share, when nobody says which of them it is."""

_SENT_AS: Final[Mapping[IdentifierKind, str]] = {
    IdentifierKind.MOBILE: "mobile",
    IdentifierKind.EMAIL: "email",
    IdentifierKind.EXTERNAL_ID: "externalId",
    IdentifierKind.ID: "ID",
    IdentifierKind.CARD_NUMBER: "cardNumber",
    IdentifierKind.CARD_EXTERNAL_ID: "cardExternalId",
}


def write_reverse_answer(answer: ReverseAnswer, sent: Mapping[str, Any], *, with_extension: bool) -> tuple[int, bytes]:
    """HTTP status and body: 200 with what went back, 400 with the v2 error. `sent` is echoed as the identifier."""
    beside: dict[str, Any] = {}
    if with_extension and answer.extension is not None:
        beside = {"extension": extension_tree(answer.extension)}
    if answer.refusal is not None:
        return 400, write_v2_error(REVERSAL_CODES[answer.refusal], _MESSAGES[answer.refusal], beside)
    tree = {
        "redemptionId": answer.redemption_id,
        "pointsToBeReversed": answer.asked.decimal,
        "pointsReversed": (answer.available + answer.expired).decimal,
        "pointsReversedDetails": {"available": answer.available.decimal, "expired": answer.expired.decimal},
        "reversalId": answer.reversal_id,
        "customerId": answer.customer_id,
        "orgId": answer.organisation_id,
        "identifier": dict(sent) or {"type": "ID", "value": str(answer.customer_id)},
        "warnings": [],
        "errors": [],
    }
    return 200, dump_json(tree | beside)
