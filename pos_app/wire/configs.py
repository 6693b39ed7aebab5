"""The organisation's switches as keys and values (sync-api 11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from pos_app.domain.facts import Organisation, ProgramGroupRule
from pos_app.wire.answers import boolean_text, response_of, status_tree, write_response
from pos_app.wire.formats import (
    Format,
    UnreadableAnswerError,
    parse_answer,
    plain_number,
)
from pos_app.wire.reading import (
    flag,
    id_or_none,
    list_of,
    number_or_none,
    object_or_none,
    text,
)


def write_configs(organisation: Organisation, fmt: Format) -> bytes:
    """Write `organization/configs` with our keys, all text."""
    values = {
        "currency": organisation.currency,
        "time_zone": organisation.time_zone,
        "country_code": organisation.country_code,
        "validation_required": boolean_text(organisation.validation_required),
        "skip_validation_allowed": boolean_text(organisation.skip_validation_allowed),
        "missed_call_enabled": boolean_text(organisation.missed_call_enabled),
        "missed_call_number": organisation.missed_call_number,
        "otp_length": str(organisation.otp_length),
        "otp_alphabet": organisation.otp_alphabet,
        "otp_validity_minutes": plain_number(round(Decimal(organisation.otp_validity_s) / 60, 4)),
        "reversal_enabled": boolean_text(organisation.reversal_enabled),
        "program_group_redemption": organisation.program_group_redemption.value,
    }
    configs = [_config_tree(key, value, organisation.organisation_id) for key, value in values.items()]
    return write_response({"status": status_tree(200), "organization": {"configs": {"config": configs}}}, fmt)


def _config_tree(key: str, value: str, organisation_id: int) -> dict[str, str]:
    return {
        "key": key,
        "value": value,
        "scopes": "ORG",
        "value_type": "BOOLEAN" if value in {"true", "false"} else "STRING",
        "modules": "POINTS",
        "entity_id": str(organisation_id),
    }


def read_configs(body: bytes) -> Organisation | None:
    """Read `organization/configs`. A key the service lacks, or whose value cannot be read, keeps its default.

    None: the service answered with a refusal, so it does not tell.

    Raises:
        UnreadableAnswerError: it is no such answer.
    """
    response = response_of(parse_answer(body))
    configs = object_or_none(object_or_none(response, "organization") or {}, "configs")
    if configs is None:
        status = object_or_none(response, "status")
        if status is not None and flag(status, "success") is False:
            return None
        raise UnreadableAnswerError("organization.configs: expected an object")
    told: dict[str, str] = {}
    entity: int | None = None
    for each in list_of(configs, "config"):
        if isinstance(each, dict):
            told[text(each, "key")] = text(each, "value").strip()
            entity = entity or id_or_none(each, "entity_id")
    return _organisation(told, Organisation(organisation_id=entity or 0))


def _organisation(told: Mapping[str, str], default: Organisation) -> Organisation:
    changes: dict[str, Any] = {}
    for key, (name, read) in _CONFIG_KEYS.items():
        value = read(told[key]) if told.get(key) else None
        if value is not None:
            changes[name] = value
    return replace(default, **changes)


def _read_boolean(value: str) -> bool | None:
    return flag({"value": value}, "value")


def _read_length(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and 0 < len(value) <= 2 else None


def _read_minutes(value: str) -> int | None:
    """Minutes, perhaps a fraction, as seconds."""
    try:
        minutes = number_or_none({"value": value}, "value")
    except UnreadableAnswerError:
        return None
    return round(minutes * 60) if minutes is not None and 0 < minutes <= 24 * 60 else None


def _read_program_group(value: str) -> ProgramGroupRule | None:
    return ProgramGroupRule(value) if value in set(ProgramGroupRule) else None


_CONFIG_KEYS: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "currency": ("currency", str),
    "time_zone": ("time_zone", str),
    "country_code": ("country_code", str),
    "validation_required": ("validation_required", _read_boolean),
    "skip_validation_allowed": ("skip_validation_allowed", _read_boolean),
    "missed_call_enabled": ("missed_call_enabled", _read_boolean),
    "missed_call_number": ("missed_call_number", str),
    "otp_length": ("otp_length", _read_length),
    "otp_alphabet": ("otp_alphabet", str),
    "otp_validity_minutes": ("otp_validity_s", _read_minutes),
    "reversal_enabled": ("reversal_enabled", _read_boolean),
    "program_group_redemption": ("program_group_redemption", _read_program_group),
}
"""Our keys: the field of `Organisation` each fills, and how its text is read."""
