"""Gathers what the rules must know, by a few statements built once (contract 2.8).

Nearly every question is answered by less: `glance` reads the same in one statement. This is the way for all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, func, select

from pos_app.domain.ceilings import first_day
from pos_app.domain.facts import Criteria, Customer, Facts, FamilyGroup, Pooling, Program, Wallet
from pos_app.domain.points import Points
from pos_app.domain.request import RedemptionRequest, ValidationType
from pos_app.ledger import schema
from pos_app.ledger.calls import find_call
from pos_app.ledger.databases.prepared import Prepared
from pos_app.ledger.lots import alive
from pos_app.ledger.people import Person, find_family_group, find_person
from pos_app.ledger.rulebook import OrganisationRules
from pos_app.ledger.tills import Till

_WALLET: Final = schema.wallet
_LOT: Final = schema.lot
_SHARE: Final = schema.share
_MEMBER: Final = schema.family_member

_IN_ORG: Final = _WALLET.c.org == bindparam("org")
_IN_PROGRAM: Final = _WALLET.c.program_id == bindparam("program")


WALLET_ROW: Final = (
    _WALLET.c.id,
    _WALLET.c.program_id,
    _WALLET.c.state,
    _WALLET.c.version,
    _WALLET.c.lifetime_points,
    _WALLET.c.lifetime_purchases,
    _WALLET.c.promised_points,
)
"""Followed by the sums of `rem` and `res` of the lots that still count (`kept_wallet`)."""


def _wallets(*conditions: Any) -> Select[Any]:
    return (
        select(
            *WALLET_ROW,
            func.coalesce(func.sum(_LOT.c.rem), 0),
            func.coalesce(func.sum(_LOT.c.res), 0),
        )
        .join_from(_WALLET, _LOT, (_LOT.c.wallet_id == _WALLET.c.id) & alive, isouter=True)
        .where(*conditions)
        .group_by(_WALLET.c.id)
        .order_by(_WALLET.c.id)
    )


_OWN_ALL: Final = _wallets(_IN_ORG, _WALLET.c.customer_id == bindparam("owner"))
_OWN: Final = Prepared(_wallets(_IN_ORG, _WALLET.c.customer_id == bindparam("owner"), _IN_PROGRAM))
_OF_FAMILY: Final = _WALLET.c.family_group_id == bindparam("owner")
_OF_MEMBERS: Final = _WALLET.c.customer_id.in_(
    select(_MEMBER.c.customer_id).where(
        _MEMBER.c.org == bindparam("org"), _MEMBER.c.family_group_id == bindparam("owner"), _MEMBER.c.is_active
    )
)
_FAMILY: Final = _wallets(_IN_ORG, _OF_FAMILY, _IN_PROGRAM)
_FAMILY_ALL: Final = _wallets(_IN_ORG, _OF_FAMILY)
_MEMBERS: Final = _wallets(_IN_ORG, _OF_MEMBERS, _IN_PROGRAM)
_MEMBERS_ALL: Final = _wallets(_IN_ORG, _OF_MEMBERS)
_BY_ID: Final = _wallets(_WALLET.c.id.in_(bindparam("ids", expanding=True)))
_REDEEMED_DAYS: Final = (
    select(_SHARE.c.day, func.sum(_SHARE.c.points - _SHARE.c.reversed))
    .where(_SHARE.c.wallet_id.in_(bindparam("wallets", expanding=True)), _SHARE.c.day >= bindparam("start"))
    .group_by(_SHARE.c.day)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWallet:
    """A wallet's row and the sums of its lots that still count."""

    wallet_id: int
    program_id: int
    is_paused: bool
    version: int
    lifetime_points: Points
    lifetime_purchases: Decimal
    promised_points: Points
    balance: Points
    reserved: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Which store's till holds most of what other tills hold of a wallet, and until when (sync-api 2)."""

    store: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A question's facts, and what only the ledger uses of them. `wallets` are those that would pay."""

    facts: Facts
    rules: OrganisationRules
    person: Person | None
    wallets: tuple[KeptWallet, ...] = ()
    call_id: int | None = None
    """The missed call that would confirm her, where the request asks for one (2.6)."""
    hold: Hold | None = None
    """Known only where the extension tells of it."""

    @property
    def customer_id(self) -> int | None:
        """Whom the identifier names."""
        return None if self.person is None else self.person.customer.customer_id

    @property
    def family_group_id(self) -> int | None:
        """The family group the request names, None when it names none that exists."""
        return None if self.facts.family_group is None else self.facts.family_group.group_id

    @property
    def program_id(self) -> int | None:
        """The program the question is about, None when it is unknown."""
        return None if self.facts.program is None else self.facts.program.program_id


def gather(
    connection: Connection, rules: OrganisationRules, till: Till, request: RedemptionRequest, now: datetime
) -> Known:
    """Read everything `judge` may look at for one request, as this transaction sees it."""
    org, country_code = rules.organisation.organisation_id, rules.organisation.country_code
    person, is_usable = find_person(connection, org, request.customer, country_code)
    family_group = None
    if request.family_group is not None:
        family_group = find_family_group(connection, org, request.family_group, person, country_code)
    program = asked_program(rules, till, request.program_id)
    ruling = rules.default_program if request.program_group else program
    today = rules.day_of(now)
    wallets: tuple[KeptWallet, ...] = ()
    wallet = None
    if person is not None and ruling is not None:
        wallets = _paying_wallets(connection, rules, request, person.customer, family_group, ruling, today)
        criteria = ruling.criteria_for(person.customer.tier)
        redeemed = redeemed_days(connection, [each.wallet_id for each in wallets], criteria, today)
        wallet = as_one(wallets, ruling, redeemed)
    facts = facts_of(rules, program, person, wallet, today, is_usable=is_usable, family_group=family_group)
    call_id = None
    if request.validation_type is ValidationType.MISSED_CALL and not request.skip_validation and person is not None:
        call_id = find_call(connection, rules, person, now)
    return Known(facts=facts, rules=rules, person=person, wallets=wallets, call_id=call_id)


def facts_of(
    rules: OrganisationRules,
    program: Program | None,
    person: Person | None,
    wallet: Wallet | None,
    today: date,
    *,
    is_usable: bool,
    family_group: FamilyGroup | None = None,
) -> Facts:
    """What `judge` looks at; the proof comes later."""
    return Facts(
        organisation=rules.organisation,
        today=today,
        customer=None if person is None else person.customer,
        program=program,
        default_program=rules.default_program,
        wallet=wallet,
        family_group=family_group,
        is_identifier_usable=is_usable,
    )


def asked_program(rules: OrganisationRules, till: Till, program_id: int | None) -> Program | None:
    """The program a question is about: the one named, else the till's own, else the default (2.3)."""
    if program_id is not None:
        return rules.programs.get(program_id)
    if till.program_id is not None:
        return rules.programs.get(till.program_id)
    return rules.default_program


def own_wallets(connection: Connection, org: int, customer_id: int, today: date) -> list[KeptWallet]:
    """All wallets of one customer."""
    parameters = {"org": org, "owner": customer_id, "today": today.isoformat()}
    return [kept_wallet(row) for row in connection.execute(_OWN_ALL, parameters)]


def family_wallets(
    connection: Connection, rules: OrganisationRules, family_group_id: int, today: date
) -> list[KeptWallet]:
    """All wallets a family group spends from: its own, or those of its active members (import format, pooling)."""
    statement = _MEMBERS_ALL if rules.organisation.family_group_pooling is Pooling.MEMBERS else _FAMILY_ALL
    parameters = {"org": rules.organisation.organisation_id, "owner": family_group_id, "today": today.isoformat()}
    return [kept_wallet(row) for row in connection.execute(statement, parameters)]


def wallets_by_id(connection: Connection, wallet_ids: Iterable[int], today: date) -> list[KeptWallet]:
    """Some wallets by their ids."""
    return [
        kept_wallet(row) for row in connection.execute(_BY_ID, {"ids": sorted(wallet_ids), "today": today.isoformat()})
    ]


def redeemed_days(
    connection: Connection, wallet_ids: Sequence[int], criteria: Criteria, today: date
) -> tuple[tuple[date, Points], ...]:
    """Redemptions less reversals by day, only as far back as the ceilings look."""
    if not criteria.ceilings or not wallet_ids:
        return ()
    start = min(first_day(ceiling, today) for ceiling in criteria.ceilings)
    rows = connection.execute(_REDEEMED_DAYS, {"wallets": list(wallet_ids), "start": start.isoformat()})
    return tuple((date.fromisoformat(day), Points(int(count))) for day, count in rows)


def _paying_wallets(
    connection: Connection,
    rules: OrganisationRules,
    request: RedemptionRequest,
    customer: Customer,
    family_group: FamilyGroup | None,
    ruling: Program,
    today: date,
) -> tuple[KeptWallet, ...]:
    """The wallets that would pay: her own, all her own for a program group, or her family group's (2.4, 2.5).

    Where several pay together, a paused one stays out: its owner wants it left alone.
    """
    parameters: dict[str, object] = {
        "org": rules.organisation.organisation_id,
        "owner": customer.customer_id,
        "program": ruling.program_id,
        "today": today.isoformat(),
    }
    if request.family_group is not None:
        if family_group is None:
            return ()
        parameters["owner"] = family_group.group_id
        pools_members = rules.organisation.family_group_pooling is Pooling.MEMBERS
        statement = _MEMBERS if pools_members else _FAMILY
        found = [kept_wallet(row) for row in connection.execute(statement, parameters)]
        return _unpaused(found) if pools_members else tuple(found)
    if request.program_group:
        del parameters["program"]
        found = [kept_wallet(row) for row in connection.execute(_OWN_ALL, parameters)]
        return _unpaused([each for each in found if _is_active(rules, each)])
    return tuple(kept_wallet(row) for row in _OWN.rows(connection, parameters))


def _unpaused(wallets: Sequence[KeptWallet]) -> tuple[KeptWallet, ...]:
    """Those not paused; all of them when every one is, so that the answer says so."""
    return tuple(each for each in wallets if not each.is_paused) or tuple(wallets)


def _is_active(rules: OrganisationRules, wallet: KeptWallet) -> bool:
    program = rules.programs.get(wallet.program_id)
    return program is not None and program.is_active


def as_one(
    wallets: Sequence[KeptWallet], ruling: Program, redeemed: tuple[tuple[date, Points], ...] = ()
) -> Wallet | None:
    """What the rules see: one wallet, or the sum of several; None where there is none."""
    if not wallets:
        return None
    if len(wallets) == 1:  # Nearly always: nothing is to be added up.
        (own,) = wallets
        return Wallet(
            program_id=ruling.program_id,
            balance=own.balance,
            available=own.balance - own.reserved if own.reserved else own.balance,
            lifetime_points=own.lifetime_points,
            lifetime_purchases=own.lifetime_purchases,
            promised_points=own.promised_points,
            is_paused=own.is_paused,
            redeemed_days=redeemed,
            wallet_id=own.wallet_id,
        )
    balance = sum([each.balance.thousandths for each in wallets])
    reserved = sum([each.reserved.thousandths for each in wallets])
    return Wallet(
        program_id=ruling.program_id,
        balance=Points(balance),
        available=Points(balance - reserved),
        lifetime_points=Points(sum([each.lifetime_points.thousandths for each in wallets])),
        lifetime_purchases=sum([each.lifetime_purchases for each in wallets], Decimal(0)),
        promised_points=Points(sum([each.promised_points.thousandths for each in wallets])),
        is_paused=all(each.is_paused for each in wallets),
        redeemed_days=redeemed,
    )


def kept_wallet(row: Sequence[Any]) -> KeptWallet:
    """Read the columns of `WALLET_ROW` and the two sums."""
    wallet_id, program_id, state, version, earned, bought, promised, rem, res = row
    return KeptWallet(
        wallet_id=wallet_id,
        program_id=program_id,
        is_paused=state == "PAUSED",
        version=version,
        lifetime_points=Points(earned),
        lifetime_purchases=Decimal(bought),
        promised_points=Points(promised),
        balance=Points(int(rem)),
        reserved=Points(int(res)),
    )
