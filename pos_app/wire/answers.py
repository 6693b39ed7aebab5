"""Answers of the points calls: domain <-> JSON and XML (contract 2.9, 3, 4).

Writers emit exactly the "we emit" column of 1.4, readers take everything in "we accept". A yes is believed only when
the item's success and its code agree; an answer that contradicts itself is no answer.
"""

from __future__ import annotations

from typing import Any, Final

from pos_app.domain.answers import (
    CAN_BE_REDEEMED,
    CODE_ISSUED,
    CODE_NOT_SENT_WARNING,
    CheckAnswer,
    CodeAnswer,
    Effect,
    Extension,
    Identity,
    RedeemAnswer,
)
from pos_app.domain.refusals import Refusal
from pos_app.wire.codes import Endpoint, refusal_for
from pos_app.wire.extension import extension_tree, read_extension
from pos_app.wire.formats import (
    Format,
    UnreadableAnswerError,
    dump_json,
    dump_xml,
    parse_answer,
    plain_number,
)
from pos_app.wire.reading import (
    Tree,
    find_object,
    flag,
    id_or_none,
    list_of,
    number,
    object_or_none,
    points,
    points_or_none,
    text,
    text_or_none,
    whole,
    whole_or_none,
)

STATUS_MESSAGES: Final = {
    200: "Success",
    201: "Some requests have failed due to errors",
    400: "Input is invalid, Please check request parameters or input xml/json",
    401: "Please check your username/password or authentication token",
    403: "You do not have access to this resource",
    404: "The requested resource does not exist",
    405: "The method is not supported for this resource",
    413: "The request is too large",
    429: "Too many requests",
    500: "All requests have failed due to errors",
    503: "The service is not available now",
}
"""`status.message` by code (1.5). Clients decide on codes, never on texts."""

CODE_SENT_STATUS: Final = "Operation Successful"
"""`status.message` of a code that was issued, as the sample of section 3 has it."""

_WARNINGS: Final = frozenset({CODE_NOT_SENT_WARNING, 872, 873, 877, 900})
"""Codes that may go with a yes as well: the main thing was done, something beside it failed (2.9)."""

_YES: Final = {
    Endpoint.ISREDEEMABLE: {CAN_BE_REDEEMED},
    Endpoint.VALIDATIONCODE: {CODE_ISSUED, CAN_BE_REDEEMED},
    Endpoint.REDEEM: {CAN_BE_REDEEMED},
}


# --- Status ---------------------------------------------------------------------------------------------------


def status_tree(code: int, message: str | None = None) -> dict[str, Any]:
    """The status block: `success` is text, `code` a number (1.4)."""
    return {
        "success": boolean_text(code in {200, 201}),
        "code": code,
        "message": STATUS_MESSAGES[code] if message is None else message,
    }


def write_status(code: int, message: str, fmt: Format) -> bytes:
    """Write a status block alone, as 400, 401, 404 and the like have it (1.5)."""
    return write_response({"status": status_tree(code, message)}, fmt)


def read_status(body: bytes) -> tuple[bool, int, str] | None:
    """Read the status block of any v1.1 body: success, code, message. None: there is none. Never raises."""
    try:
        status = object_or_none(response_of(parse_answer(body)), "status")
        if status is None:
            return None
        code = whole(status, "code")
    except UnreadableAnswerError:
        return None
    success = flag(status, "success")
    return code in {200, 201} if success is None else success, code, text(status, "message")


def write_response(response: dict[str, Any], fmt: Format, extension: Extension | None = None) -> bytes:
    """Write the whole body; the extension stands beside `response`, in JSON only (sync-api 2)."""
    if fmt is Format.XML:
        return dump_xml("response", response)
    if extension is None:
        return dump_json({"response": response})
    return dump_json({"response": response, "extension": extension_tree(extension)})


def response_of(tree: Tree) -> Tree:
    """What stands under `response`; some older answers lack that level (section 5)."""
    return object_or_none(tree, "response") or tree


def item_status(success: bool, code: int | str, message: str) -> dict[str, Any]:
    """An item's outcome; `code` is text in `customer/get` only (1.4)."""
    return {"success": boolean_text(success), "code": code, "message": message}


def boolean_text(value: bool) -> str:
    """A boolean as v1.1 writes nearly all of them: as text (1.4)."""
    return "true" if value else "false"


def _status_of(refusal: Refusal | None, message: str = STATUS_MESSAGES[200]) -> dict[str, Any]:
    return status_tree(200, message) if refusal is None else status_tree(500)


def _identity_tree(identity: Identity) -> dict[str, Any]:
    return {"mobile": identity.mobile, "email": identity.email, "external_id": identity.external_id}


def _read_identity(item: Tree) -> Identity:
    return Identity(mobile=text(item, "mobile"), email=text(item, "email"), external_id=text(item, "external_id"))


# --- isredeemable (2.9) ---------------------------------------------------------------------------------------


def write_check_answer(answer: CheckAnswer, fmt: Format, *, with_extension: bool) -> bytes:
    """Write the answer of `isredeemable` (2.9). The extension goes into JSON only."""
    is_yes = answer.refusal is None
    redeemable = {
        **_identity_tree(answer.identity),
        "points": answer.points.decimal,
        "is_redeemable": boolean_text(is_yes),
        "points_redeem_value": answer.worth,
        "points_redeem_local_value": answer.local_worth,
        "input_type": "currency" if answer.by_value else "points",
        "points_currency_ratio": plain_number(answer.ratio),
        "item_status": item_status(is_yes, answer.code, answer.message),
    }
    response = {"status": _status_of(answer.refusal), "points": {"redeemable": redeemable}}
    return write_response(response, fmt, answer.extension if with_extension else None)


def read_check_answer(body: bytes) -> CheckAnswer:
    """Read the answer of `isredeemable`, wherever `redeemable` stands in it (2.9).

    Raises:
        UnreadableAnswerError: there is none, or it contradicts itself.
    """
    tree = parse_answer(body)
    item = find_object(tree, "redeemable")
    if item is None:
        raise UnreadableAnswerError("redeemable: expected an object")
    extension = read_extension(object_or_none(tree, "extension"))
    is_redeemable = flag(item, "is_redeemable")
    code, message, refusal = _outcome(item, Endpoint.ISREDEEMABLE, extension, is_redeemable)
    if refusal is None and points_or_none(item, "points") is None:
        raise UnreadableAnswerError("points: expected a number")
    return CheckAnswer(
        identity=_read_identity(item),
        points=points(item, "points"),
        worth=number(item, "points_redeem_value"),
        local_worth=number(item, "points_redeem_local_value"),
        by_value=text(item, "input_type").strip().lower() == "currency",
        ratio=number(item, "points_currency_ratio"),
        refusal=refusal,
        code=code,
        message=message,
        extension=extension,
    )


def _outcome(
    item: Tree, endpoint: Endpoint, extension: Extension | None, is_redeemable: bool | None = None
) -> tuple[int, str, Refusal | None]:
    """An item's code, message and refusal, None for a yes.

    `is_redeemable`, where the call has it, is the answer; then `item_status.success` may say "false" beside the
    warning 876, which one page calls an error (2.9). Where no success is told, the code alone says it.
    """
    status = object_or_none(item, "item_status")
    if status is None:
        raise UnreadableAnswerError("item_status: expected an object")
    code = whole(status, "code")
    is_yes_code = code in _YES[endpoint]
    success = flag(status, "success") if is_redeemable is None else is_redeemable
    if success is None:
        success = is_yes_code
    if is_yes_code != success and code not in _WARNINGS:
        raise UnreadableAnswerError("item_status: success and code contradict each other")
    reason = None if extension is None else extension.reason
    return code, text(status, "message"), None if success else refusal_for(endpoint, code, reason)


# --- validationcode (section 3) -------------------------------------------------------------------------------


def write_code_answer(answer: CodeAnswer, fmt: Format, *, with_extension: bool) -> bytes:
    """Write the answer of `validationcode` (section 3); the code itself is never in it."""
    code = {
        **_identity_tree(answer.identity),
        "points": answer.points.decimal,
        "item_status": item_status(answer.refusal is None, answer.code, answer.message),
    }
    response = {"status": _status_of(answer.refusal, CODE_SENT_STATUS), "validation_code": {"code": code}}
    return write_response(response, fmt, answer.extension if with_extension else None)


def read_code_answer(body: bytes) -> CodeAnswer:
    """Read the answer of `validationcode`.

    Raises:
        UnreadableAnswerError: it is none, or contradicts itself.
    """
    tree = parse_answer(body)
    issued = find_object(tree, "validation_code")
    item = None if issued is None else object_or_none(issued, "code")
    if item is None:
        raise UnreadableAnswerError("validation_code.code: expected an object")
    extension = read_extension(object_or_none(tree, "extension"))
    code, message, refusal = _outcome(item, Endpoint.VALIDATIONCODE, extension)
    return CodeAnswer(
        identity=_read_identity(item),
        points=points(item, "points"),
        refusal=refusal,
        code=code,
        message=message,
        extension=extension,
    )


# --- redeem (section 4) ---------------------------------------------------------------------------------------


def write_redeem_answer(answer: RedeemAnswer, fmt: Format, *, with_extension: bool) -> bytes:
    """Write the answer of `redeem` (section 4). A refusal has no `redemption_id`, and `user_id` is null."""
    is_yes = answer.refusal is None
    item: dict[str, Any] = _identity_tree(answer.identity)
    item["user_id"] = str(answer.customer_id) if is_yes and answer.customer_id is not None else None
    if is_yes:
        item["redemption_id"] = answer.redemption_id
    item |= {
        "points_redeemed": str(answer.points),
        "redemption_purpose": "",
        "redeemed_value": answer.worth,
        "redeemed_local_value": answer.local_worth,
        "balance": answer.balance.decimal,
    }
    if answer.is_group_redemption:
        item["is_group_redemption"] = True
    item["side_effects"] = {"effect": [_effect_tree(effect) for effect in answer.effects]}
    item["item_status"] = item_status(is_yes, answer.code, answer.message)
    response = {"status": _status_of(answer.refusal), "responses": {"points": item}}
    return write_response(response, fmt, answer.extension if with_extension else None)


def _effect_tree(effect: Effect) -> dict[str, Any]:
    return {
        "id": effect.effect_id,
        "case_value": "false",
        "num_points": effect.points.decimal,
        "currency_value": effect.worth,
        "validation_code": "",  # A code is never stored, and a repeat must answer the same (section 4).
        "points_redemption_summary_id": str(effect.effect_id),
        "redeemed_on_bill_number": effect.bill_number,
        "redeemed_on_bill_id": -1,
        "type": "points",
    }


def read_redeem_answer(body: bytes) -> RedeemAnswer:
    """Read the answer of `redeem`, under `responses.points` or `points` (section 4).

    Raises:
        UnreadableAnswerError: it is no sure yes and no sure no.
    """
    tree = parse_answer(body)
    response = response_of(tree)
    item = object_or_none(object_or_none(response, "responses") or response, "points")
    if item is None:
        raise UnreadableAnswerError("responses.points: expected an object")
    extension = read_extension(object_or_none(tree, "extension"))
    code, message, refusal = _outcome(item, Endpoint.REDEEM, extension)
    if refusal is None and _says_failed(response):
        raise UnreadableAnswerError("status: contradicts item_status")
    if refusal is None and points_or_none(item, "points_redeemed") is None:
        raise UnreadableAnswerError("points_redeemed: expected a number")
    return RedeemAnswer(
        identity=_read_identity(item),
        customer_id=id_or_none(item, "user_id"),
        redemption_id=text_or_none(item, "redemption_id"),
        points=points(item, "points_redeemed"),
        worth=number(item, "redeemed_value"),
        local_worth=number(item, "redeemed_local_value"),
        balance=points(item, "balance"),
        refusal=refusal,
        code=code,
        message=message,
        effects=_read_effects(item),
        is_group_redemption=bool(flag(item, "is_group_redemption")),
        extension=extension,
    )


def _says_failed(response: Tree) -> bool:
    status = object_or_none(response, "status")
    return status is not None and flag(status, "success") is False


def _read_effects(item: Tree) -> tuple[Effect, ...]:
    """The effects that can be read. They are details: one that cannot never makes a sure yes unsure."""
    effects = []
    side_effects = object_or_none(item, "side_effects") or {}
    for each in list_of(side_effects, "effect"):
        try:
            effect_id = whole_or_none(each, "id") if isinstance(each, dict) else None
            if effect_id is not None:
                effects.append(
                    Effect(
                        effect_id=effect_id,
                        points=points(each, "num_points"),
                        worth=number(each, "currency_value"),
                        bill_number=text(each, "redeemed_on_bill_number"),
                    )
                )
        except UnreadableAnswerError:
            continue
    return tuple(effects)
