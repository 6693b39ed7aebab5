"""Settings `sender.*` of the ledger's settings file: what messages say, and how they may be sent (reliability 5.2)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address
from pathlib import Path
from string import Formatter
from typing import Any, Final

from pos_app.domain.points import Points
from pos_app.files.line_safety import trusting

NAMES: Final = frozenset(
    {
        "sender.from",
        "sender.subject",
        "sender.text",
        "sender.timeout_s",
        "sender.smtp.ca_file",
        "sender.webhook.ca_file",
    }
)
TIMEOUT_MAX_S: Final = 60.0
_WORDS: Final = ("store", "points", "code", "minutes", "organisation")
_TEXT: Final = (
    "{code} is your code to pay with {points} points at {organisation}, store {store}. Valid for {minutes} min."
)
_SUBJECT: Final = "Your code for {organisation}"


class BadSenderSettingError(ValueError):
    """A setting `sender.*` cannot be used; the message is a sentence without its full stop."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with {store} {points} {code} {minutes} {organisation}.

    {points} is the number the customer agrees to, and "your" where none was named: "to pay with {points} points".
    """

    text: str

    @classmethod
    def read(cls, name: str, text: object, *, is_line: bool = False, needs_code: bool = False) -> Template:
        """Read a setting; `is_line`: it must fit on one line.

        Raises:
            BadSenderSettingError: it names something else, or lacks the code a customer must get.
        """
        known = ", ".join(f"{{{word}}}" for word in _WORDS)
        if not isinstance(text, str) or not text.strip():
            raise BadSenderSettingError(f"{name} must be a text, in which {known} are filled in")
        try:
            fields = [(field, spec, how) for _, field, spec, how in Formatter().parse(text) if field is not None]
        except ValueError:
            raise BadSenderSettingError(f"{name} has a brace without its partner; a plain brace is doubled") from None
        for field_, spec, how in fields:
            if field_ not in _WORDS or spec or how:
                raise BadSenderSettingError(f"{name}: found {{{field_}}}, expected only {known}")
        if needs_code and "code" not in [field_ for field_, _, _ in fields]:
            raise BadSenderSettingError(f"{name} lacks {{code}}: the customer would get a message without her code")
        if is_line and not text.isprintable():
            raise BadSenderSettingError(f"{name} must be one line without control characters")
        return cls(text)

    def filled(self, *, store: str, points: Points | None, code: str, minutes: int, organisation: str) -> str:
        """The text for one message."""
        named = "your" if points is None else str(points)
        values = {"store": store, "points": named, "code": code, "minutes": minutes, "organisation": organisation}
        return self.text.format_map(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderSettings:
    """How codes are sent; the same for every organisation of a ledger."""

    sender: str = ""
    """`sender.from`: the sender of e-mails; the SMTP user where that is an address, else no-reply at the SMTP host."""
    subject: Template = field(default=Template(_SUBJECT))
    """`sender.subject` of e-mails."""
    text: Template = field(default=Template(_TEXT))
    """`sender.text` of all messages."""
    timeout_s: float = 5.0
    """`sender.timeout_s`: how long sending one message may take in all, in seconds."""
    smtp_ca_file: Path | None = None
    """`sender.smtp.ca_file`: certificates to believe beside the system's, when sending e-mails."""
    webhook_ca_file: Path | None = None
    """`sender.webhook.ca_file`: the same, when calling webhooks."""

    @classmethod
    def read(cls, named: Mapping[str, Any]) -> SenderSettings:
        """Read settings by their dotted names; others than `NAMES` are not looked at.

        Raises:
            BadSenderSettingError: one of them cannot be used.
        """
        plain = cls()
        subject = named.get("sender.subject", plain.subject.text)
        text = named.get("sender.text", plain.text.text)
        return cls(
            sender=_address(named.get("sender.from", "")),
            subject=Template.read("sender.subject", subject, is_line=True),
            text=Template.read("sender.text", text, needs_code=True),
            timeout_s=_seconds(named.get("sender.timeout_s", plain.timeout_s)),
            smtp_ca_file=_certificates("sender.smtp.ca_file", named),
            webhook_ca_file=_certificates("sender.webhook.ca_file", named),
        )


def one_address(text: str) -> Address:
    """One e-mail address, without a name and without a second one.

    Raises:
        ValueError: it is something else.
    """
    try:
        address = Address(addr_spec=text) if text.isprintable() else Address()
    except (IndexError, HeaderParseError):  # What the library fails with on halves of addresses.
        address = Address()
    if not address.username or not address.domain:
        raise ValueError("no e-mail address")
    return address


def _address(value: object) -> str:
    if value == "":
        return ""
    try:
        return one_address(str(value)).addr_spec
    except ValueError:
        raise BadSenderSettingError("sender.from must be an e-mail address such as codes@shop.example") from None


def _seconds(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(float(str(value))) or not 0 < float(str(value)) <= TIMEOUT_MAX_S:
        raise BadSenderSettingError(f"sender.timeout_s must be a number of seconds, at most {TIMEOUT_MAX_S:.0f}")
    return float(str(value))


def _certificates(name: str, named: Mapping[str, Any]) -> Path | None:
    value = named.get(name)
    if value is None:
        return None
    try:
        trusting(Path(str(value)))
    except OSError:
        raise BadSenderSettingError(f"{name}: {value} holds no certificates that can be read (PEM)") from None
    return Path(str(value))
