"""`pos-app enrol`: makes this machine a till without the window (house 5, sync-api 4.1)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    NotSafeError,
    NotTheServiceError,
    StorageError,
    SyncRefusedError,
    Trouble,
    WrongAddressError,
)
from pos_app.settings import Place, SettingsError, TillError, keep, load

if TYPE_CHECKING:
    from pos_app.domain.answers import Capabilities
    from pos_app.settings import Settings

Say = Callable[[str], None]
AskCode = Callable[[], str | None]
"""Asks the person in front of the machine for an enrolment code; None: there is nobody, or no code."""

DONE, REFUSED, TROUBLE = 0, 1, 2
"""Exit codes."""

_TABLE: Final = "enrolment"
_MEMBERS: Final = ("address", "login", "password", "code")
_CODE_NEEDED: Final = "enrolment_code_needed"

REASONS: Final = {
    _CODE_NEEDED: "This till was enrolled before, so another key needs a code: `pos-app ledger till enrolment-code"
    " LOGIN` at head office makes one.",
    "enrolment_code_wrong": "That enrolment code is wrong, used or too old: ask head office for another one.",
    "till_disabled": "This till is disabled: ask head office.",
    "outbox_not_empty": "This till still has redemptions that the ledger was not told of. Connect it and wait until"
    " they are settled, then enrol it again.",
    "stale_till_epoch": "The ledger was restored and knows fewer enrolments than this till had: ask head office for"
    " another enrolment code.",
}
"""What each refusal says to the person in front of the till."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """What a provisioning file says: settings, and who this till is. Password and code stay out of `repr`."""

    settings: dict[str, object] = field(default_factory=dict)
    address: str | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: the exit code, and a sentence for the person who started it."""

    code: int
    sentence: str


def read_provision(file: Path) -> Provision:
    """Read a provisioning file: settings, and a table `[enrolment]` (house 6).

    Raises:
        TillError: it cannot be read, or says what it may not.
    """
    try:
        with file.open("rb") as opened:
            tree = tomllib.load(opened)
    except OSError as error:
        raise TillError(f"--provision: {file} cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        # What the parser says would show the line, and a password with it.
        raise TillError(f"--provision: {file} is not written as TOML.") from None
    told = tree.pop(_TABLE, {})
    if not isinstance(told, dict) or not all(isinstance(each, str) for each in told.values()):
        raise TillError(f"{file}: [{_TABLE}] has texts only: {', '.join(_MEMBERS)}.")
    unknown = sorted(set(told) - set(_MEMBERS))
    if unknown:
        raise TillError(f"{file}: there is no {_TABLE}.{unknown[0]}; expected {', '.join(_MEMBERS)}.")
    settings = _settings_in(file, tree)
    return Provision(settings=settings, **{name: told.get(name) or None for name in _MEMBERS})


def _settings_in(file: Path, tree: dict[str, object]) -> dict[str, object]:
    """The settings beside the table, each one looked at."""
    from pos_app.settings import dotted

    found = dotted(tree)
    try:
        load((str(file), found))
    except SettingsError as error:
        raise TillError(str(error)) from error
    return found


def enrol(place: Place, provision: Provision, ask_code: AskCode) -> Ended:
    """Enrol this machine; what was provided is kept first. Never raises what a person can do something about."""
    from pos_app.files.lock import DataFolderInUseError, DataFolderLock

    try:
        with DataFolderLock(place.folder):
            return _enrol(place, provision, ask_code)
    except (TillError, DataFolderInUseError, StorageError) as error:
        return Ended(TROUBLE, str(error))


def _enrol(place: Place, provision: Provision, ask_code: AskCode) -> Ended:
    from pos_app.bootstrap import live_till, take_password_file
    from pos_app.files.clock import SystemClock

    _keep(place, provision)
    settings = place.settings()
    if not settings.ledger_url or not settings.ledger_login:
        raise TillError(
            "Nobody told this machine its ledger: name a file with --provision, or set ledger.url and ledger.login."
        )
    kept = place.secrets()
    take_password_file(settings, kept)
    if kept.get("password_digest") is None:
        raise TillError("This till has no password: it stands in the provisioning file, or in ledger.password_file.")
    try:
        wired = live_till(settings, place.folder, kept, SystemClock())
    except (NotSafeError, WrongAddressError) as trouble:
        raise TillError(f"ledger.url: {trouble}.") from trouble
    try:
        return Ended(DONE, _welcome(_told(wired.services.enrolment.enrol, provision.code, ask_code), settings))
    except SyncRefusedError as refused:
        other = f"The ledger does not enrol this till ({refused.reason}): ask head office."
        return Ended(REFUSED, REASONS.get(refused.reason, other))
    except StorageError:
        raise
    except Trouble as trouble:
        return Ended(TROUBLE, _sentence(trouble))
    finally:
        wired.close()


def _told(enrolling: Callable[[str | None], Capabilities], code: str | None, ask_code: AskCode) -> Capabilities:
    """Enrol; where the ledger wants a code that nobody provided, somebody may know it."""
    try:
        return enrolling(code)
    except SyncRefusedError as refused:
        asked = ask_code() if refused.reason == _CODE_NEEDED and code is None else None
        if not asked:
            raise
        return enrolling(asked)


def _keep(place: Place, provision: Provision) -> None:
    """Keep what was provided: settings and address in the user's file, the password's digest in the secrets."""
    from pos_app.gateway import digest_of

    changes = dict(provision.settings)
    if provision.address is not None:
        changes["ledger.url"] = provision.address
    if provision.login is not None:
        changes["ledger.login"] = provision.login
    try:
        if changes:
            keep(place.user_file, changes)
        if provision.password is not None:
            place.secrets().put("password_digest", digest_of(provision.password))
    except SettingsError as error:
        raise TillError(str(error)) from error
    except OSError as error:
        raise TillError(f"{place.user_file} cannot be written ({error.strerror}).") from error


def _sentence(trouble: Trouble) -> str:
    match trouble:
        case NotAcceptedError():
            return "The ledger does not accept this till's login or password. Ask whoever runs the ledger."
        case NotSafeError():
            return "The connection to the ledger is not safe. Check the address and the certificates (ledger.ca_file)."
        case NotTheServiceError() | WrongAddressError():
            return "Something else answers at that address. Check the address, and the network's sign-in page."
        case LineDownError():
            return "Nobody answers there. Check the address, the cable and the firewall; then enrol again."
        case _:
            return "The ledger did not answer clearly. Enrol again: the same again does no harm."


def _welcome(told: Capabilities, settings: Settings) -> str:
    if told.till is None:
        name = settings.ledger_login
        return f"{name} is set up. This service keeps no tills: without a line this till only gives advice."
    till = told.till
    named = f"{till.name} ({till.login})" if till.name else till.login
    return f"This machine is till {named} of store {till.store}, enrolment {till.till_epoch}."


def delete_provision(file: Path, say: Say) -> None:
    """Delete a provisioning file; a password in it is in the secrets now."""
    try:
        file.unlink()
    except OSError as error:
        say(f"{file} could not be deleted ({error.strerror}). It holds a password: delete it yourself.")
    else:
        say(f"{file} was deleted.")
