"""What may differ between tills: each setting has a name, a type, a default and a sentence (house 6).

The first place that names a setting wins: the command line, the environment (`POS_LEDGER_URL` for `ledger.url`), the
machine's policy, the user's file, the default. Files are TOML with the same dotted names. No secret is a setting.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pos_app.files.secrets import TillSecrets

KEYRING_SERVICE: Final = "pos-app"


class SettingsError(Exception):
    """A setting cannot be used. The message names where it stands, what was found and what is expected."""


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise ValueError("a text in quotes")
    return found


def _optional_path(found: object) -> Path | None:
    return Path(_text(found)).expanduser() if found else None


def _flag(found: object) -> bool:
    if isinstance(found, bool):
        return found
    if isinstance(found, str) and found.lower() in {"true", "false", "1", "0"}:
        return found.lower() in {"true", "1"}
    raise ValueError("true or false")


def _number(least: float, most: float) -> Callable[[object], float]:
    def read(found: object) -> float:
        expected = f"a number from {least:g} to {most:g}"
        if isinstance(found, bool) or not isinstance(found, (int, float, str)):
            raise ValueError(expected)
        try:
            number = float(found)
        except ValueError:
            raise ValueError(expected) from None
        if not least <= number <= most:
            raise ValueError(expected)
        return number

    return read


def _choice(*allowed: str) -> Callable[[object], str]:
    def read(found: object) -> str:
        if found not in allowed:
            raise ValueError("one of " + ", ".join(allowed))
        return str(found)

    return read


def _waits(found: object) -> tuple[int, ...]:
    parts = found.split(",") if isinstance(found, str) else found
    expected = "one to five whole numbers of seconds"
    if not isinstance(parts, (list, tuple)) or not 1 <= len(parts) <= 5:
        raise ValueError(expected)
    try:
        return tuple(int(part) for part in parts)
    except (TypeError, ValueError):
        raise ValueError(expected) from None


def _setting(name: str, default: Any, read: Callable[[object], Any], sentence: str) -> Any:
    return field(default=default, metadata={"name": name, "read": read, "sentence": sentence})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a till, read once."""

    ledger_url: str = _setting("ledger.url", "", _text, "Address of the ledger, https://...")
    ledger_login: str = _setting("ledger.login", "", _text, "The till's login at the ledger.")
    ledger_password_file: Path | None = _setting(
        "ledger.password_file", None, _optional_path, "A file with the till's password, read at the first start."
    )
    ledger_ca_file: Path | None = _setting(
        "ledger.ca_file", None, _optional_path, "Certificates to trust beside the system's."
    )
    ledger_proxy: str = _setting("ledger.proxy", "", _text, "Proxy to reach the ledger by; empty for none.")
    retry_connect_s: float = _setting("retry.connect_s", 3.0, _number(0.1, 60), "Seconds to wait for a connection.")
    retry_read_s: float = _setting("retry.read_s", 10.0, _number(0.1, 120), "Seconds to wait for an answer.")
    retry_foreground_s: float = _setting(
        "retry.foreground_s", 20.0, _number(0, 300), "Seconds a redemption is repeated while the cashier waits."
    )
    retry_base_s: float = _setting("retry.base_s", 1.0, _number(0.01, 60), "Shortest wait of the outbox, in seconds.")
    retry_cap_s: float = _setting("retry.cap_s", 60.0, _number(0.1, 3600), "Longest wait of the outbox, in seconds.")
    service_idempotent_redeem: bool = _setting(
        "service.idempotent_redeem", False, _flag, "Whether a service without the extension repeats a known key."
    )
    sync_scope: str = _setting(
        "sync.scope", "store", _choice("store", "all"), "Customers kept here: those of this store lately, or all."
    )
    lease_per_lookup: bool = _setting(
        "lease.per_lookup", True, _flag, "Set points aside for a customer who was looked up, for when the line drops."
    )
    risk_off: bool = _setting(
        "risk.off", False, _flag, "Never redeem at the shop's risk here, even where the organisation allows it."
    )
    till_store: str = _setting("till.store", "", _text, "Store shown in the header while the ledger tells none.")
    till_name: str = _setting("till.name", "", _text, "Till shown in the header while the ledger tells none.")
    sale_bill: str = _setting(
        "sale.bill", "optional", _choice("off", "optional", "required"), "Whether a bill number is asked for."
    )
    code_ask_first: bool = _setting(
        "code.ask_first", False, _flag, "Ask before sending a code, instead of sending it with the check."
    )
    code_validity_minutes: float = _setting(
        "code.validity_minutes", 10.0, _number(1, 10), "How long a code lasts when nobody tells."
    )
    code_resend_waits_s: tuple[int, ...] = _setting(
        "code.resend_waits_s", (30, 60, 120), _waits, "Seconds between sendings of a code."
    )
    entry_whole_values: bool = _setting(
        "entry.whole_values", False, _flag, "Take values in whole units only, for services that know no others."
    )
    look_theme: str = _setting("look.theme", "light", _choice("light", "dark", "contrast"), "Colours of the window.")
    look_text_px: float = _setting("look.text_px", 16.0, _number(12, 32), "Size of the text in pixels.")
    log_level: str = _setting(
        "log.level", "INFO", _choice("DEBUG", "INFO", "WARNING", "ERROR"), "How much the log says."
    )


_FIELDS: Final[dict[str, Field[Any]]] = {each.metadata["name"]: each for each in fields(Settings)}


def policy_file() -> Path:
    """Where the machine's policy lies: it binds every user of this machine."""
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "pos-app" / "policy.toml"
    return Path("/etc/pos-app/policy.toml")


def read_file(path: Path) -> dict[str, object]:
    """Read a TOML settings file as dotted names; a missing file is empty.

    Raises:
        SettingsError: the file is no TOML or cannot be read.
    """
    try:
        with path.open("rb") as opened:
            tree = tomllib.load(opened)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: this settings file cannot be read ({error}).") from error
    return dotted(tree)


def dotted(tree: Mapping[str, object]) -> dict[str, object]:
    """The settings of a tree of tables, by their dotted names."""
    return _dotted(tree, "")


def _dotted(tree: Mapping[str, object], before: str) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, found in tree.items():
        if isinstance(found, dict):
            flat.update(_dotted(found, f"{before}{name}."))
        else:
            flat[before + name] = found
    return flat


def from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    """Settings named by the environment: `POS_LEDGER_URL` for `ledger.url`."""
    named = {f"POS_{name.replace('.', '_').upper()}": name for name in _FIELDS}
    return {named[variable]: found for variable, found in environ.items() if variable in named}


def load(*sources: tuple[str, Mapping[str, object]]) -> Settings:
    """Make settings of sources given as (where it stands, dotted names), the strongest first.

    Raises:
        SettingsError: an unknown name or a value of the wrong kind; it says where, what was found, what is expected.
    """
    chosen: dict[str, Any] = {}
    for where, found_here in sources:
        for name, found in found_here.items():
            known = _FIELDS.get(name)
            if known is None:
                raise SettingsError(f"{where}: there is no setting {name!r}.")
            try:
                value = known.metadata["read"](found)
            except ValueError as expected:
                raise SettingsError(f"{where}: {name} is {found!r}, expected {expected}.") from None
            chosen.setdefault(known.name, value)
    return Settings(**chosen)


def load_from(user_file: Path, command_line: Mapping[str, object]) -> Settings:
    """The settings of this start, from all places of this machine.

    Raises:
        SettingsError: as `load` and `read_file`.
    """
    policy = policy_file()
    return load(
        ("command line", command_line),
        ("environment", from_environment(os.environ)),
        (str(policy), read_file(policy)),
        (str(user_file), read_file(user_file)),
    )


def keep(user_file: Path, changes: Mapping[str, object]) -> None:
    """Write changed settings into the user's file, keeping the others. No secret is ever given here.

    Raises:
        SettingsError: the file that is there cannot be read.
    """
    import tomli_w  # Needed only when something changed: not on the way to the first window.

    tree: dict[str, Any] = {}
    for name, found in {**read_file(user_file), **changes}.items():
        *tables, last = name.split(".")
        place = tree
        for table in tables:
            place = place.setdefault(table, {})
        place[last] = found
    user_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = user_file.with_suffix(".new")
    fresh.write_text(tomli_w.dumps(tree), encoding="utf-8")
    fresh.replace(user_file)


class TillError(Exception):
    """This start cannot go on; the message is a sentence for the person who started it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a till's files lie and what the command line said (house 6)."""

    data_dir: Path | None = None
    settings_file: Path | None = None
    command_line: Mapping[str, object] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The data folder."""
        if self.data_dir is not None:
            return self.data_dir
        from platformdirs import user_data_path

        return user_data_path("pos-app", appauthor=False)

    @property
    def user_file(self) -> Path:
        """The user's settings file; beside the data when a data folder was named."""
        if self.settings_file is not None:
            return self.settings_file
        if self.data_dir is not None:
            return self.data_dir / "settings.toml"
        from platformdirs import user_config_path

        return user_config_path("pos-app", appauthor=False) / "settings.toml"

    def settings(self) -> Settings:
        """The settings of this start.

        Raises:
            TillError: a settings file or option cannot be used.
        """
        try:
            return load_from(self.user_file, self.command_line)
        except SettingsError as error:
            raise TillError(str(error)) from error

    def secrets(self) -> TillSecrets:
        """Where this till's secrets are kept: with a data folder named always a file inside it (house 9)."""
        from pos_app.files.secrets import TillSecrets

        return TillSecrets.open(self.folder, service=KEYRING_SERVICE, use_keyring=self.data_dir is None)
