"""Makes the customer card of what was found: masked, with ages and dates in words (ux B.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from PySide6.QtCore import QCoreApplication

from pos_app.domain.facts import Customer, Lot, Organisation, Program, Wallet
from pos_app.domain.masking import mask_card, mask_email, mask_mobile, short_name
from pos_app.domain.money import worth_of
from pos_app.domain.points import Points, total
from pos_app.services.allowances import Allowance
from pos_app.services.offline import today_of
from pos_app.services.results import Found, Source
from pos_app.ui.card_view import CardView, ProgramLine
from pos_app.ui.formats import day_text, day_words, isolated, money_text, points_text, time_text
from pos_app.ui.offline_words import allowance_text
from pos_app.ui.wording import Grade, age_text

CONTEXT: Final = "card"
NONE_HELD: Final[Mapping[int, Allowance]] = MappingProxyType({})
EXPIRING_DAYS: Final = 30
DATES_MAX: Final = 2


def card_view(
    found: Found,
    programs: Iterable[Program],
    chosen_id: int | None,
    organisation: Organisation,
    now: datetime,
    allowances: Mapping[int, Allowance] = NONE_HELD,
) -> CardView:
    """What the card shows of a customer at `now`. Balances older than a day are hidden (ux B.4, Freshness).

    `allowances` are what is set aside here by program: without a line they stand in the place of the balance.
    """
    customer = found.record.customer
    known = {each.program_id: each for each in (*found.record.programs, *programs)}
    age, is_ageing, is_hidden = age_words(found, now)
    if found.source is Source.CACHE and chosen_id in allowances:
        age, is_ageing = _translated("Set aside for this till"), False
    today = today_of(organisation, now)
    lines: list[ProgramLine] = []
    for wallet in found.record.wallets:
        is_chosen = wallet.program_id == chosen_id
        held = allowances.get(wallet.program_id) if found.source is Source.CACHE else None
        if held is not None:
            lines.append(_held_line(held, known.get(wallet.program_id), organisation, is_chosen=is_chosen))
        elif not is_hidden:
            lines += _lines(wallet, known.get(wallet.program_id), organisation, today, is_chosen)
    name = short_name(customer.first_name, customer.last_name) or _translated("No name known")
    groups = ", ".join(group.name for group in found.record.family_groups if group.name and group.is_active)
    return CardView(
        name=name,
        spoken=_spoken(name, customer),
        identifiers=_identifiers(customer, is_open=False),
        open_identifiers=_identifiers(customer, is_open=True),
        family=_translated("Family: {names}").format(names=groups) if groups else "",
        lines=tuple(lines),
        age=age,
        is_ageing=is_ageing,
    )


def age_words(found: Found, now: datetime) -> tuple[str, bool, bool]:
    """How old the balance is, whether that needs a look, and whether it is too old to show."""
    text, grade = age_text((now - found.as_of).total_seconds())
    is_ageing = grade in (Grade.AGEING, Grade.OLD, Grade.HIDDEN)
    is_hidden = found.source is Source.CACHE and grade is Grade.HIDDEN
    if found.as_of.year == datetime.min.replace(tzinfo=UTC).year:
        return _translated("Balance from an unknown time"), True, True
    if grade is Grade.LIVE and found.source is Source.CACHE:
        text = _translated("less than a minute ago")  # Without a line nothing is live.
    sentence = _translated("Balance hidden: {age}") if is_hidden else _translated("Balance from {time} ({age})")
    return sentence.format(time=time_text(found.as_of), age=text), is_ageing, is_hidden


def _held_line(held: Allowance, program: Program | None, organisation: Organisation, *, is_chosen: bool) -> ProgramLine:
    """What is set aside here of one program, and until when; an allowance that cannot be used says why."""
    name = isolated_name(program, held.held.lease.program_id)
    points = points_text(held.left, program.decimals if program is not None else 0)
    worth = ""
    if program is not None and program.ratio is not None:
        worth = money_text(worth_of(held.left, program.ratio, organisation.currency), organisation.currency)
    until = allowance_text(held)
    spoken = _translated("{program}, {points} points set aside for this till, {until}")
    return ProgramLine(
        name=name,
        points=points,
        worth=worth,
        expires=until,
        spoken=spoken.format(program=name, points=points, until=until),
        is_expiring=held.unusable is not None,
        is_chosen=is_chosen,
    )


def _lines(
    wallet: Wallet, program: Program | None, organisation: Organisation, today: date, is_chosen: bool
) -> Iterable[ProgramLine]:
    decimals = program.decimals if program is not None else 0
    name = isolated_name(program, wallet.program_id)
    points = points_text(wallet.balance, decimals)
    worth = ""
    if program is not None and program.ratio is not None:
        worth = money_text(worth_of(wallet.balance, program.ratio, organisation.currency), organisation.currency)
    soon = _expiring(wallet.lots, today)
    shown = ", ".join(
        _translated("{points} by {day}").format(points=points_text(amount, decimals), day=day_text(day))
        for day, amount in soon[:DATES_MAX]
    )
    told = [name, _translated("{points} points").format(points=points)]
    told += [
        _translated("{points} expire {day}").format(points=points_text(amount, decimals), day=day_words(day))
        for day, amount in soon
    ]
    yield ProgramLine(
        name=name,
        points=points,
        worth=worth,
        expires=shown or _translated("none"),
        spoken=", ".join(told),
        is_expiring=bool(soon),
        is_chosen=is_chosen,
    )
    if wallet.promised_points:
        promised = points_text(wallet.promised_points, decimals)
        yield ProgramLine(
            name=_translated("Promised"),
            points=promised,
            worth=_translated("not yet"),
            expires="",
            spoken=_translated("{program}, promised, {points} points not usable yet").format(
                program=name, points=promised
            ),
        )


def isolated_name(program: Program | None, program_id: int) -> str:
    """A program's name; its number where the name is not known."""
    if program is not None and program.name:
        return program.name
    return _translated("Program {id}").format(id=program_id)


def _expiring(lots: Iterable[Lot], today: date) -> list[tuple[date, Points]]:
    last = today + timedelta(days=EXPIRING_DAYS)
    days = sorted({lot.expires_on for lot in lots if lot.expires_on is not None and today <= lot.expires_on <= last})
    return [(day, total(lot.points for lot in lots if lot.expires_on == day)) for day in days]


def _identifiers(customer: Customer, *, is_open: bool) -> str:
    """Mobile, card and e-mail on one line, masked unless open."""
    card = customer.cards[0] if customer.cards else ""
    parts = (
        ("Mobile {value}", customer.mobile if is_open else mask_mobile(customer.mobile)),
        ("Card {value}", card if is_open else mask_card(card)),
        ("Email {value}", customer.email if is_open else mask_email(customer.email)),
    )
    return "   ".join(_translated(text).format(value=isolated(value)) for text, value in parts if value)


def _spoken(name: str, customer: Customer) -> str:
    if customer.mobile:
        return _translated("Customer {name}, mobile ending {digits}").format(name=name, digits=customer.mobile[-4:])
    return _translated("Customer {name}").format(name=name)


def _translated(sentence: str) -> str:
    return QCoreApplication.translate(CONTEXT, sentence)
