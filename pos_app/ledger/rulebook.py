"""What seldom changes, kept in memory: organisations, programs and tills.

The database counts every change of them (`rules_version`). A transaction reads that number first and takes the copy
in memory only when it is of the same number, so that several processes over one database stay right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from pos_app.domain.facts import (
    Ceiling,
    CeilingPeriod,
    Criteria,
    Organisation,
    Pooling,
    Program,
    ProgramGroupRule,
)
from pos_app.domain.money import Rounding
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.databases.prepared import Prepared
from pos_app.ledger.tills import Till

_READ_META: Final = Prepared(select(schema.meta.c.name, schema.meta.c.number))
_READ_ORGANISATIONS: Final = select(schema.organisation.c.id, schema.organisation.c.settings)
_READ_PROGRAMS: Final = select(schema.program.c.org, schema.program.c.id, schema.program.c.settings)
_READ_TILLS: Final = select(schema.till)

EPOCH_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRules:
    """One organisation: its switches, programs, days, and limits on codes (contract section 3, import format)."""

    organisation: Organisation
    zone: ZoneInfo
    programs: Mapping[int, Program] = field(default_factory=dict)
    default_program: Program | None = None
    sends_per_day: int = 10
    checks_per_window: int = 5
    window_s: int = 900
    sender: str | None = None
    """Where this organisation's codes go; None: where the server was told to send them."""

    def day_of(self, moment: datetime) -> date:
        """The organisation's day at a moment (house decision 13)."""
        return moment.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything of one `rules_version`."""

    version: int
    epoch: int
    organisations: Mapping[int, OrganisationRules]
    tills: Mapping[str, Till]


class Rulebook:
    """Keeps the newest `Rules` seen. Safe to use from any thread: the copy is replaced whole."""

    def __init__(self) -> None:
        self.newest: Rules | None = None
        """The copy in memory. The database may know better: only a transaction can say."""

    def at(self, connection: Connection) -> Rules:
        """The rules as this transaction sees them."""
        numbers: dict[str, int] = dict(_READ_META.rows(connection, {}))
        kept = self.newest
        if kept is None or (kept.version, kept.epoch) != (numbers["rules_version"], numbers["epoch"]):
            kept = _read(connection, numbers["rules_version"], numbers["epoch"])
            self.newest = kept
        return kept


def _read(connection: Connection, version: int, epoch: int) -> Rules:
    programs: dict[int, dict[int, Program]] = {}
    for org, program_id, settings in connection.execute(_READ_PROGRAMS):
        programs.setdefault(org, {})[program_id] = program_from(program_id, json.loads(settings))
    organisations = {
        org: organisation_rules_from(org, json.loads(settings), programs.get(org, {}))
        for org, settings in connection.execute(_READ_ORGANISATIONS)
    }
    tills = {
        row.login: Till(
            login=row.login,
            organisation_id=row.org,
            store=row.store,
            name=row.name,
            program_id=row.program_id,
            currency=row.currency,
            currency_rate=Decimal(row.currency_rate),
            state=row.state,
            till_epoch=row.till_epoch,
            proof=row.proof,
        )
        for row in connection.execute(_READ_TILLS)
    }
    return Rules(version=version, epoch=epoch, organisations=organisations, tills=tills)


# --- From the settings of an import line; the importer has checked them --------------------------------------------


def organisation_rules_from(
    org: int, settings: Mapping[str, Any], programs: Mapping[int, Program]
) -> OrganisationRules:
    """Read an organisation's kept settings."""
    otp = settings.get("otp", {})
    plain = Organisation()
    organisation = Organisation(
        organisation_id=org,
        name=settings["name"],
        currency=settings["currency"],
        time_zone=settings["time_zone"],
        country_code=settings.get("country_code", ""),
        redemptions_enabled=settings.get("redemptions_enabled", True),
        validation_required=settings.get("validation_required", False),
        skip_validation_allowed=settings.get("skip_validation_allowed", False),
        missed_call_enabled=settings.get("missed_call_enabled", False),
        missed_call_number=settings.get("missed_call_number", ""),
        program_group_redemption=ProgramGroupRule(settings.get("program_group_redemption", "disabled")),
        family_group_pooling=Pooling(settings.get("family_group_pooling", "wallet")),
        reversal_enabled=settings.get("reversal_enabled", True),
        otp_length=otp.get("length", plain.otp_length),
        otp_alphabet=otp.get("alphabet", plain.otp_alphabet),
        otp_validity_s=int(Decimal(otp.get("validity_minutes", "10")) * 60),
    )
    return OrganisationRules(
        organisation=organisation,
        zone=ZoneInfo(organisation.time_zone),
        programs=programs,
        default_program=next((each for each in programs.values() if each.is_default), None),
        sends_per_day=otp.get("sends_per_day", 10),
        checks_per_window=otp.get("checks_per_window", 5),
        window_s=int(Decimal(otp.get("window_minutes", "15")) * 60),
        sender=otp.get("sender"),
    )


def program_from(program_id: int, settings: Mapping[str, Any]) -> Program:
    """Read a program's kept settings."""
    ratio = settings.get("points_currency_ratio")
    return Program(
        program_id=program_id,
        name=settings["name"],
        is_default=settings.get("default", False),
        is_active=settings.get("active", True),
        ratio=None if ratio is None else Decimal(ratio),
        decimals=settings.get("decimals", 0),
        rounding=Rounding(settings.get("rounding", "half_up")),
        redemption_enabled=settings.get("redemption_enabled", True),
        family_groups_enabled=settings.get("family_groups_enabled", False),
        offline_redemption=settings.get("offline_redemption", False),
        criteria=criteria_from(settings.get("criteria", {})),
        tier_criteria={tier: criteria_from(each) for tier, each in settings.get("tier_criteria", {}).items()},
    )


def criteria_from(settings: Mapping[str, Any]) -> Criteria:
    """Read kept redeem conditions; missing and zero mean "no such rule"."""
    purchases = settings.get("lifetime_purchases_required")
    return Criteria(
        minimum=_rule(settings.get("minimum")),
        maximum=_rule(settings.get("maximum")),
        multiple_of=_rule(settings.get("multiple_of")),
        balance_required=_rule(settings.get("balance_required")),
        lifetime_points_required=_rule(settings.get("lifetime_points_required")),
        lifetime_purchases_required=Decimal(purchases) if purchases and Decimal(purchases) else None,
        ceilings=tuple(
            Ceiling(CeilingPeriod(each["period"]), Points.of(each["points"]), each.get("days", 0))
            for each in settings.get("ceilings", ())
        ),
    )


def _rule(text: str | None) -> Points | None:
    points = Points.of(text) if text is not None else None
    return points if points else None


# --- Moments in the database are whole UTC milliseconds ------------------------------------------------------------


def to_ms(moment: datetime) -> int:
    """A moment as the database keeps it."""
    return (moment - EPOCH_START) // timedelta(milliseconds=1)


def from_ms(count: int) -> datetime:
    """A kept moment, in UTC."""
    return EPOCH_START + timedelta(milliseconds=count)


def from_day(text: str | None) -> date | None:
    """A kept day; None is "never"."""
    return None if text is None else date.fromisoformat(text)
