"""Enrolment of tills and operators' PINs on the wire (sync-api 4.1 and 4.2)."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final

from pos_app.domain.answers import SignedIn
from pos_app.domain.commands import ChangePin, Enrol, SignIn
from pos_app.domain.request import ID_MAX
from pos_app.wire.formats import (
    MalformedError,
    UnreadableAnswerError,
    dump_json,
    kind_of,
    parse_answer,
    parse_json_body,
)
from pos_app.wire.moments import write_moment
from pos_app.wire.reading import moment, object_or_none, text, text_or_none, whole

PUBLIC_KEY_BYTES: Final = 32
PIN_LEAST: Final = 4
PIN_MOST: Final = 6
_CODE_MAX: Final = 64
_WORD_MAX: Final = 100


def is_pin(text: str) -> bool:
    """Say whether `text` has the form of a PIN: 4 to 6 digits."""
    return text.isascii() and text.isdigit() and PIN_LEAST <= len(text) <= PIN_MOST


# --- Signing in ----------------------------------------------------------------------------------------------------


def read_sign_in(body: bytes) -> SignIn:
    """Read the body of `operators/sign-in`.

    Raises:
        MalformedError: a member is missing or no such thing.
    """
    tree = parse_json_body(body)
    return SignIn(operator_id=_operator(tree), pin=_pin(tree, "pin"))


def read_change_pin(body: bytes) -> ChangePin:
    """Read the body of `operators/pin`. Raises: as `read_sign_in`."""
    tree = parse_json_body(body)
    return ChangePin(operator_id=_operator(tree), pin=_pin(tree, "pin"), new_pin=_pin(tree, "new_pin"))


def write_sign_in(command: SignIn) -> bytes:
    """Write that body."""
    return dump_json({"operator_id": command.operator_id, "pin": command.pin})


def write_change_pin(command: ChangePin) -> bytes:
    """Write the body of `operators/pin`."""
    return dump_json({"operator_id": command.operator_id, "pin": command.pin, "new_pin": command.new_pin})


def read_signed_in(body: bytes) -> SignedIn:
    """Read the answer of `operators/sign-in`; the caller compares the operator.

    Raises:
        UnreadableAnswerError: it is no such answer.
    """
    tree = parse_answer(body)
    operator, token = object_or_none(tree, "operator"), text_or_none(tree, "token")
    if operator is None or token is None:
        raise UnreadableAnswerError("operator, token: expected the answer of a sign-in")
    return SignedIn(
        operator_id=whole(operator, "id"),
        name=text(operator, "name"),
        role=text(operator, "role"),
        token=token,
        proved_at=moment(tree, "proved_at"),
        not_after=moment(tree, "not_after"),
        must_change_pin=tree.get("must_change_pin") is True,
    )


def read_nothing(body: bytes) -> None:
    """Read the answer of `operators/pin`: an object, in which there is nothing to say.

    Raises:
        UnreadableAnswerError: it is no object, or the block that says what went wrong.
    """
    tree = parse_answer(body)
    if "errors" in tree or "response" in tree:
        raise UnreadableAnswerError("body: expected an empty object")


def write_signed_in(signed_in: SignedIn) -> bytes:
    """Write the answer of `operators/sign-in`."""
    return dump_json(
        {
            "operator": {"id": signed_in.operator_id, "name": signed_in.name, "role": signed_in.role},
            "token": signed_in.token,
            "proved_at": write_moment(signed_in.proved_at),
            "not_after": write_moment(signed_in.not_after),
            "must_change_pin": signed_in.must_change_pin,
        }
    )


def write_nothing() -> bytes:
    """Write the answer of `operators/pin`: it was done, and there is nothing to say."""
    return dump_json({})


def _operator(tree: Mapping[str, Any]) -> int:
    value = tree.get("operator_id")
    if type(value) is not int or not 0 < value <= ID_MAX:
        raise MalformedError("operator_id", "an operator's number", kind_of(value))
    return value


def _pin(tree: Mapping[str, Any], name: str) -> str:
    value = tree.get(name)
    if not isinstance(value, str) or not is_pin(value):
        raise MalformedError(name, f"{PIN_LEAST} to {PIN_MOST} digits, as text", kind_of(value))
    return value


# --- Enrolment -----------------------------------------------------------------------------------------------------


def write_enrol(command: Enrol) -> bytes:
    """Write the body of `enrol`; its answer is that of `capabilities`."""
    return dump_json(
        {
            "public_key": command.public_key,
            "enrolment_code": command.enrolment_code,
            "software": command.software[:_WORD_MAX],
            "platform": command.platform[:_WORD_MAX],
        }
    )


def read_enrol(body: bytes) -> Enrol:
    """Read the body of `enrol`. The key is brought into the one spelling base64 has for it.

    Raises:
        MalformedError: a member is missing or no such thing.
    """
    tree = parse_json_body(body)
    code = tree.get("enrolment_code")
    if code is not None and not (isinstance(code, str) and len(code) <= _CODE_MAX):
        raise MalformedError("enrolment_code", "text, or null", kind_of(code))
    return Enrol(
        public_key=_public_key(tree),
        enrolment_code=code or None,
        software=_words(tree, "software"),
        platform=_words(tree, "platform"),
    )


def _public_key(tree: Mapping[str, Any]) -> str:
    value, expected = tree.get("public_key"), f"base64 of {PUBLIC_KEY_BYTES} bytes"
    if not isinstance(value, str):
        raise MalformedError("public_key", expected, kind_of(value))
    try:
        raw = b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedError("public_key", expected, "something else") from None
    if len(raw) != PUBLIC_KEY_BYTES:
        raise MalformedError("public_key", expected, "another number of bytes")
    return b64encode(raw).decode("ascii")


def _words(tree: Mapping[str, Any], name: str) -> str:
    value = tree.get(name)
    if not isinstance(value, str) or len(value) > _WORD_MAX:
        raise MalformedError(name, f"text of at most {_WORD_MAX} characters", kind_of(value))
    return value
