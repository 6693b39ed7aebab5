"""What a ledger's settings file may say of its HTTP face (`ledger serve --config FILE`, TOML)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pos_app.ledger.leases.settings import NAMES as LEASE_NAMES
from pos_app.ledger.leases.settings import BadLeaseSettingError, LeaseSettings
from pos_app.ledger.sending.settings import NAMES as SENDER_NAMES
from pos_app.ledger.sending.settings import BadSenderSettingError, SenderSettings


class FaceSettingsError(Exception):
    """The settings file cannot be used; the message is a sentence for the administrator."""


@dataclass(frozen=True, slots=True)
class FaceSettings:
    """Settings of the HTTP face."""

    extension: bool = True
    """False: a service of the v1.1 contract alone (sync-api 1, "Off by configuration")."""
    rate_per_minute: int | None = None
    """`rate.per_minute`: requests a till may send a minute; None: as many as it likes."""
    sender: SenderSettings = field(default_factory=SenderSettings)
    """`sender.*`: how codes are sent."""
    leases: LeaseSettings = field(default_factory=LeaseSettings)
    """`lease.*`, `late_settle.*`: how much tills may hold, and for how long."""


def read_settings(file: Path) -> FaceSettings:
    """Read a settings file.

    Raises:
        FaceSettingsError: it cannot be read, or says something this ledger does not know.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FaceSettingsError(f"--config: {file} cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FaceSettingsError(f"--config: {file} is no TOML file ({error}).") from error
    named = _dotted(document)
    for name in named:
        if name not in {"extension", "rate.per_minute"} | SENDER_NAMES | LEASE_NAMES:
            raise FaceSettingsError(f"--config: this version of the ledger has no setting {name}.")
    extension = named.get("extension", True)
    per_minute = named.get("rate.per_minute")
    if not isinstance(extension, bool):
        raise FaceSettingsError("--config: extension must be true or false.")
    if per_minute is not None and (type(per_minute) is not int or per_minute < 1):
        raise FaceSettingsError("--config: rate.per_minute must be a whole number above zero.")
    try:
        sender, leases = SenderSettings.read(named), LeaseSettings.read(named)
    except (BadSenderSettingError, BadLeaseSettingError) as error:
        raise FaceSettingsError(f"--config: {error}.") from error
    return FaceSettings(extension, per_minute, sender, leases)


def _dotted(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The settings by their dotted names (house 6)."""
    named: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            named |= _dotted(value, f"{prefix}{name}.")
        else:
            named[prefix + name] = value
    return named
