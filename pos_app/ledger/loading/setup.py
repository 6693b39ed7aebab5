"""Imports what an organisation is set up with: itself, its programs, tills and operators."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, Table, insert, select, update

from pos_app.domain.facts import CeilingPeriod, Pooling, ProgramGroupRule
from pos_app.domain.money import Rounding
from pos_app.ledger import schema
from pos_app.ledger.codes import STRAIGHT_FAILURES_MAX
from pos_app.ledger.databases.bulk import Bulk
from pos_app.ledger.databases.database import raise_rules_version
from pos_app.ledger.databases.locks import hold_setup
from pos_app.ledger.entries import canonical_json
from pos_app.ledger.feed.telling import mute, unmute
from pos_app.ledger.loading.fields import A_HASH, HASH, FaultyLineError, Fields
from pos_app.ledger.rulebook import OrganisationRules, Rulebook, to_ms
from pos_app.ledger.sending.text import UnknownSenderError, read_sender
from pos_app.ledger.staff.pins import hash_pin, is_pin_right
from pos_app.ledger.tills import digest_of, proof_of
from pos_app.wire.operators import is_pin

ROLES: Final = ("cashier", "supervisor", "manager", "auditor", "trainer")
_TILL_STATES: Final = ("ACTIVE", "FROZEN", "LOST", "DISABLED")
_PIN_HASH: Final = re.compile(
    r"\$argon2id\$v=\d{1,3}\$m=\d{1,7},t=\d{1,2},p=\d{1,2}\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,128}", re.ASCII
)
_NAME_MAX: Final = 200


class Site:
    """Where an import writes, and what the ledger knows so far."""

    def __init__(self, pepper: bytes, bulk: Bulk, now: datetime, *, keep_good: bool) -> None:
        self.now: Final = now
        self.pepper: Final = pepper
        self.bulk: Final = bulk
        self.keep_good: Final = keep_good
        self.last_program: Final[dict[int, int]] = {}
        """The line of each organisation's last program: a missing default is reported there."""
        self._rulebook = Rulebook()
        self._rules: Mapping[int, OrganisationRules] | None = None
        self._connection: Connection | None = None
        self._were_empty: dict[int, bool] = {}
        self._looks = False
        self._muted: set[int] = set()

    @contextmanager
    def within(self, connection: Connection) -> Iterator[None]:
        """Write in this transaction for a while; of several imports one writes at a time."""
        hold_setup(connection)
        self._connection, self._rules = connection, None
        try:
            yield
            unmute(connection)
        finally:
            self._connection = None
            self._muted.clear()

    @property
    def connection(self) -> Connection:
        """The transaction."""
        if self._connection is None:
            raise RuntimeError("an import writes inside a transaction")
        return self._connection

    def rules(self, fields: Fields, name: str = "organisation") -> OrganisationRules:
        """The organisation a line belongs to.

        Raises:
            FaultyLineError: it did not come before.
        """
        org = fields.id(name)
        if org not in self.organisations:
            fields.refuse(name, org, "an organisation that came before")
        return self.organisations[org]

    @property
    def organisations(self) -> Mapping[int, OrganisationRules]:
        """Those that came before."""
        if self._rules is None:
            self._rules = self._rulebook.at(self.connection).organisations
        return self._rules

    def has_only_new_customers(self, organisations: Iterable[int]) -> bool:
        """Say whether these organisations had no customers before this file; those of the file may still come twice."""
        customer = schema.customer
        for org in organisations:
            if org not in self._were_empty:
                anybody = select(customer.c.id).where(customer.c.org == org).limit(1)
                self._were_empty[org] = self.connection.execute(anybody).first() is None
            if self._looks or not self._were_empty[org]:
                return False
            if org not in self._muted:
                self._muted.add(org)
                mute(self.connection, org)
        return True

    def is_muted(self, org: int) -> bool:
        """Say whether tills are told of everything at once, at the end (see `feed.telling`)."""
        return org in self._muted

    def look_for_customers(self) -> None:
        """From now on look for each customer before writing: this file has some twice."""
        self._looks = True

    def changed(self) -> None:
        """An organisation, a program or a till changed: every process must read them anew."""
        raise_rules_version(self.connection)
        self._rules = None


def put(connection: Connection, table: Table, key: Mapping[str, object], values: Mapping[str, object]) -> bool:
    """Insert a row or bring it up to date; says whether anything changed."""
    conditions = [table.c[name] == value for name, value in key.items()]
    known = connection.execute(select(*(table.c[name] for name in values)).where(*conditions)).one_or_none()
    if known is None:
        connection.execute(insert(table).values(**key, **values))
        return True
    if dict(known._mapping) == dict(values):
        return False
    connection.execute(update(table).where(*conditions).values(**values))
    return True


# --- organisation --------------------------------------------------------------------------------------------------


def keep_organisation(site: Site, fields: Fields, _line: int) -> None:
    """One `organisation` line."""
    org = fields.id("id")
    settings = organisation_settings(fields)
    login, proof = _telephony(fields.inner("telephony"), site.pepper)
    fields.done()
    values = {"settings": canonical_json(settings), "telephony_login": login, "telephony_proof": proof}
    if put(site.connection, schema.organisation, {"id": org}, values):
        site.changed()


def organisation_settings(fields: Fields) -> dict[str, Any]:
    """What is kept of an organisation as its `settings`; what is missing gets its default."""
    settings: dict[str, Any] = {
        "name": fields.text("name", required=True, longest=_NAME_MAX),
        "currency": fields.text("currency", required=True, longest=3),
        "time_zone": fields.text("time_zone", required=True, longest=60),
        "country_code": fields.text("country_code", longest=4),
        "skip_validation_allowed": fields.boolean("skip_validation_allowed", default=False),
        "validation_required": fields.boolean("validation_required", default=False),
        "missed_call_enabled": fields.boolean("missed_call_enabled", default=False),
        "missed_call_number": fields.text("missed_call_number", longest=30),
        "redemptions_enabled": fields.boolean("redemptions_enabled", default=True),
        "program_group_redemption": fields.choice(
            "program_group_redemption", [each.value for each in ProgramGroupRule], default="disabled"
        ),
        "family_group_pooling": fields.choice(
            "family_group_pooling", [each.value for each in Pooling], default="wallet"
        ),
        "reversal_enabled": fields.boolean("reversal_enabled", default=True),
        "risk": _risk(fields.inner("risk")),
        "otp": _otp(fields.inner("otp")),
    }
    _check_organisation(fields, settings)
    return settings


def _check_organisation(fields: Fields, settings: dict[str, Any]) -> None:
    currency, country_code = settings["currency"], settings["country_code"]
    if len(currency) != 3 or not (currency.isascii() and currency.isalpha() and currency.isupper()):
        fields.refuse("currency", currency, "an ISO 4217 code such as INR")
    if country_code and not (country_code.isascii() and country_code.isdigit()):
        fields.refuse("country_code", country_code, "digits, such as 91")
    try:
        ZoneInfo(settings["time_zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fields.refuse("time_zone", settings["time_zone"], "an IANA time zone such as Asia/Kolkata")


def _risk(fields: Fields | None) -> dict[str, Any]:
    read = fields or Fields({})
    risk: dict[str, Any] = {"enabled": read.boolean("enabled", default=False)}
    for name, default in (("per_redemption", 100), ("per_customer_day", 100), ("per_till_outage", 500)):
        points = read.points(name)
        risk[name] = str(default if points is None else points)
    read.done()
    return risk


def _otp(fields: Fields | None) -> dict[str, Any]:
    """The settings of one-time codes; a code needs 20 bits at least (reliability 2)."""
    read = fields or Fields({})
    alphabet = read.choice("alphabet", ("letters_digits", "digits"), default="letters_digits")
    otp: dict[str, Any] = {
        "alphabet": alphabet,
        "length": read.number("length", low=6 if alphabet == "digits" else 4, high=50, default=6),
        "validity_minutes": str(read.decimal("validity_minutes", most=10, above_zero=True) or 10),
        "sends_per_day": read.number("sends_per_day", high=1000, default=10),
        "checks_per_window": read.number("checks_per_window", low=1, high=STRAIGHT_FAILURES_MAX, default=5),
        "window_minutes": str(read.decimal("window_minutes", most=1440, above_zero=True) or 15),
    }
    sender = read.text("sender")
    if sender:
        try:
            read_sender(sender)
        except UnknownSenderError as error:
            raise FaultyLineError(read.path("sender"), error.found, error.expected) from None
        otp["sender"] = sender
    read.done()
    return otp


def _telephony(fields: Fields | None, pepper: bytes) -> tuple[str | None, str | None]:
    if fields is None:
        return None, None
    login = fields.text("login", required=True, longest=_NAME_MAX)
    proof = _read_proof(fields, pepper)
    fields.done()
    return login, proof


def _read_proof(fields: Fields, pepper: bytes) -> str:
    """What is kept of a password: made of it, or taken as an export wrote it. Only the same pepper makes that good."""
    proof = fields.secret("proof", shape=HASH, expected=A_HASH)
    if proof is not None and fields.has("password"):
        fields.refuse("proof", proof, "either a password or a proof", personal=True)
    return proof or proof_of(digest_of(fields.text("password", required=True, personal=True)), pepper)


# --- program -------------------------------------------------------------------------------------------------------


def keep_program(site: Site, fields: Fields, line: int) -> None:
    """One `program` line."""
    rules = site.rules(fields)
    org, program_id = rules.organisation.organisation_id, fields.id("id")
    settings = program_settings(fields)
    fields.done()
    default = rules.default_program
    if site.keep_good and settings["default"] and default is not None and default.program_id != program_id:
        fields.refuse("default", True, f"false: program {default.program_id} is the default")
    values = {"is_default": settings["default"], "settings": canonical_json(settings)}
    site.last_program[org] = line
    if put(site.connection, schema.program, {"org": org, "id": program_id}, values):
        site.changed()


def program_settings(fields: Fields) -> dict[str, Any]:
    """What is kept of a program as its `settings`; what is missing gets its default."""
    ratio = fields.decimal("points_currency_ratio", above_zero=True)
    return {
        "name": fields.text("name", required=True, longest=_NAME_MAX),
        "default": fields.boolean("default", default=False),
        "active": fields.boolean("active", default=True),
        "points_currency_ratio": None if ratio is None else f"{ratio:f}",
        "decimals": fields.number("decimals", high=3, default=0),
        "rounding": fields.choice("rounding", [each.value for each in Rounding], default="half_up"),
        "redemption_enabled": fields.boolean("redemption_enabled", default=True),
        "family_groups_enabled": fields.boolean("family_groups_enabled", default=False),
        "offline_redemption": fields.boolean("offline_redemption", default=False),
        "criteria": _criteria(fields.inner("criteria")),
        "tier_criteria": {tier: _criteria(each) for tier, each in fields.by_name("tier_criteria")},
    }


def _criteria(fields: Fields | None) -> dict[str, Any]:
    if fields is None:
        return {}
    names = ("minimum", "maximum", "multiple_of", "balance_required", "lifetime_points_required")
    read: dict[str, Any] = {name: fields.points(name) for name in names}
    read["lifetime_purchases_required"] = fields.decimal("lifetime_purchases_required")
    criteria: dict[str, Any] = {name: str(value) for name, value in read.items() if value}
    ceilings = []
    for each in fields.objects("ceilings"):
        period = each.choice("period", [known.value for known in CeilingPeriod])
        points = each.points("points")
        days = each.integer("days", low=1, high=3660)
        if (days is None) == (period == CeilingPeriod.PAST_DAYS):
            each.refuse("days", days, "a number of days with past_days, and only there")
        each.done()
        if points:
            ceilings.append({"period": period, "points": str(points), **({} if days is None else {"days": days})})
    if ceilings:
        criteria["ceilings"] = ceilings
    fields.done()
    return criteria


def check_defaults(site: Site) -> tuple[int, FaultyLineError] | None:
    """After the programs: an organisation that has some has exactly one default; else the line and its fault."""
    for org, line in site.last_program.items():
        rows = site.connection.execute(select(schema.program.c.is_default).where(schema.program.c.org == org))
        count = sum(1 for (is_default,) in rows if is_default)
        if count != 1:
            found = f"{count} default programs in organisation {org}"
            return line, FaultyLineError("default", found, "exactly one")
    site.last_program.clear()
    return None


# --- till, operator ------------------------------------------------------------------------------------------------


def keep_till(site: Site, fields: Fields, _line: int) -> None:
    """One `till` line."""
    rules = site.rules(fields)
    org = rules.organisation.organisation_id
    login = fields.text("login", required=True, longest=_NAME_MAX)
    proof = _read_proof(fields, site.pepper)
    rate = fields.decimal("currency_rate", above_zero=True)
    program_id = fields.integer("program_id", low=1)
    values: dict[str, object] = {
        "org": org,
        "proof": proof,
        "store": fields.text("store", required=True, longest=_NAME_MAX),
        "name": fields.text("name", longest=_NAME_MAX),
        "program_id": program_id,
        "currency": fields.text("currency", default=rules.organisation.currency, longest=3),
        "currency_rate": f"{rate or Decimal(1):f}",
    }
    at_first = {
        "state": fields.choice("state", _TILL_STATES, default="ACTIVE"),
        "till_epoch": fields.number("enrolments", high=2**31 - 1, default=0),
    }
    fields.done()
    if ":" in login:
        fields.refuse("login", login, "a login without a colon: Basic authentication cannot carry one")
    if program_id is not None and program_id not in rules.programs:
        fields.refuse("program_id", program_id, "a program of this organisation that came before")
    till = schema.till
    owner = site.connection.execute(select(till.c.org).where(till.c.login == login)).scalar_one_or_none()
    if owner not in (None, org):
        fields.refuse("login", login, "a login that no other organisation uses")
    if owner is None:
        values |= at_first  # Later only the ledger says so: a file must not put a lost till back to work.
    if put(site.connection, till, {"login": login}, values):
        site.changed()


def keep_operator(site: Site, fields: Fields, _line: int) -> None:
    """One `operator` line. Only an Argon2id hash of the PIN is kept."""
    org = site.rules(fields).organisation.organisation_id
    key: dict[str, object] = {"org": org, "id": fields.id("id")}
    values: dict[str, object] = {
        "name": fields.text("name", required=True, personal=True, longest=_NAME_MAX),
        "role": fields.choice("role", ROLES),
        "stores": json.dumps(fields.words("stores")),
        "badge": fields.text("badge", personal=True) or None,
        "is_active": fields.boolean("active", default=True),
    }
    pin = fields.text("pin", personal=True)
    if pin and not is_pin(pin):
        fields.refuse("pin", pin, "4 to 6 digits", personal=True)
    pin_hash = fields.secret("pin_hash", shape=_PIN_HASH, expected="an Argon2id hash as an export wrote it")
    if pin_hash is not None and pin:
        fields.refuse("pin_hash", pin_hash, "either a PIN or its hash", personal=True)
    must_change_pin = fields.boolean("must_change_pin", default=False)
    fields.done()
    put(site.connection, schema.operator, key, values)
    if pin:
        _keep_pin(site.connection, key, pin)
    elif pin_hash is not None:
        _keep_pin_hash(site, key, pin_hash, must_change=must_change_pin)


def _keep_pin(connection: Connection, key: dict[str, object], pin: str) -> None:
    """Keep a PIN of the file, unless another one was set at a till or by an administrator since."""
    operator = schema.operator
    conditions = (operator.c.org == key["org"], operator.c.id == key["id"])
    known = connection.execute(select(operator.c.pin_hash, operator.c.pin_set_at).where(*conditions)).one()
    if known.pin_set_at is None and not (known.pin_hash and is_pin_right(known.pin_hash, pin)):
        connection.execute(update(operator).where(*conditions).values(pin_hash=hash_pin(pin)))


def _keep_pin_hash(site: Site, key: dict[str, object], pin_hash: str, *, must_change: bool) -> None:
    """Keep the PIN an export brought, of an operator who has none; the first file's may be older and comes too late."""
    operator = schema.operator
    bare = (operator.c.org == key["org"], operator.c.id == key["id"], operator.c.pin_hash.is_(None))
    values = {"pin_hash": pin_hash, "must_change_pin": must_change, "pin_set_at": to_ms(site.now)}
    site.connection.execute(update(operator).where(*bare).values(**values))
