"""One-time codes (reliability 4.6, contract 2.6 and 3).

The theory. A code is never stored: it is derived from the pepper, the row's id and its nonce, so the same code can go
out again without being kept. Wrong tries are counted in a commit of their own *before* the code is looked at, since a
count inside a transaction that is rolled back counts nothing; a right code takes its try back in a second commit, so
a crash in between costs a try and never gives one away. The redemption itself uses the code up, in its own
transaction. Sending happens when everything about it is committed and no transaction is open.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, update

from pos_app.domain.answers import CodeView
from pos_app.domain.crash_points import reach
from pos_app.domain.points import Points
from pos_app.ledger import code_rows as rows
from pos_app.ledger import schema
from pos_app.ledger.code_rows import Question, bindings, covers, derive, is_live, serves, view_of, why_not_live
from pos_app.ledger.databases.database import Store, made_id
from pos_app.ledger.databases.locks import hold, hold_customer, hold_till
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.figures import Happening
from pos_app.ledger.people import Person
from pos_app.ledger.rulebook import OrganisationRules, from_ms, to_ms
from pos_app.ledger.sending.senders import CodeMessage, CodeSender, SenderFailedError, way_to
from pos_app.ledger.sending.settings import SenderSettings, Template
from pos_app.ledger.tills import Till
from pos_app.ledger.turns import CustomerTurns
from pos_app.services.ports import Clock

STRAIGHT_FAILURES_MAX: Final = 100
_STRAIGHT_WINDOW: Final = timedelta(days=30)
_TILL_FAILURES_MAX: Final = 20
_TILL_WINDOW: Final = timedelta(hours=1)
_NONCE_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What became of sending a code. `reason` is `sends_used_up` or `sender_failed` where none went out."""

    is_sent: bool
    view: CodeView | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """A try counted before the code is looked at. `row` is the newest code as it was; `was_counted`: it lived."""

    failure_id: int
    row: Any | None
    was_counted: bool
    is_last_straw: bool
    """The hundredth straight failure, should it be one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What the ledger says of a code a customer gave. `reason` as in sync-api 2."""

    is_right: bool
    otp_id: int | None = None
    view: CodeView | None = None
    reason: str | None = None


class Codes:
    """Issues, checks and uses up codes. Several processes over one database count together."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        pepper: bytes,
        sender_for: Callable[[OrganisationRules], CodeSender | None],
        settings: SenderSettings,
    ) -> None:
        self._store = store
        self._clock = clock
        self._pepper = pepper
        self._sender_for = sender_for
        self._settings = settings
        self._turns = CustomerTurns()

    # --- Sending ---------------------------------------------------------------------------------------------------

    def issue(
        self, rules: OrganisationRules, person: Person, question: Question, till: Till, cashier: int | None
    ) -> Issued:
        """Send the customer a code: the live one again where it covers the question, else a new one.

        `cashier` is the operator who asked for it, as far as the till says.

        Raises:
            LedgerBusyError: the database was not had in time; nothing was sent.
        """
        sender = self._sender_for(rules)
        way = None if sender is None else way_to(person.customer, sender)
        if sender is None or way is None:
            self._store.figures.count(Happening.CODE_FAILED, "none")
            return Issued(is_sent=False, reason="sender_failed")  # Nothing can go out, so no sending is used up.
        now, by = self._clock.wall(), {"till": till.login, "cashier": cashier}
        row = self._store.writing(lambda connection: self._ready_to_send(connection, rules, person, question, now, by))
        if row is None:
            return Issued(is_sent=False, reason="sends_used_up")
        message = self._message(row, rules, person, till, way)
        try:
            channel = sender.send(message)
        except SenderFailedError:
            self._store.figures.count(Happening.CODE_FAILED, message.channel.lower())
            return Issued(is_sent=False, reason="sender_failed")
        self._store.figures.count(Happening.CODE_SENT, message.channel.lower())
        with suppress(LedgerBusyError), self._store.write() as connection:  # The code is out, whatever comes now.
            connection.execute(rows.NOTE_CHANNEL, {"otp": row.id, "by": channel})
        return Issued(is_sent=True, view=view_of(row, channel=channel))

    def _ready_to_send(
        self,
        connection: Connection,
        rules: OrganisationRules,
        person: Person,
        question: Question,
        now: datetime,
        by: Mapping[str, object],
    ) -> Any | None:
        """Count this sending and choose or make the code; None when the day's sendings are used up (section 3)."""
        who = {"org": rules.organisation.organisation_id, "customer": person.customer.customer_id}
        hold_customer(connection, who["org"], who["customer"])
        today = rules.day_of(now).isoformat()
        if connection.execute(rows.COUNT_SENDS, {**who, "day": today}).scalar_one() >= rules.sends_per_day:
            return None
        connection.execute(
            schema.code_send.insert(), {"org": who["org"], "customer_id": who["customer"], "day": today, **by}
        )
        live = connection.execute(rows.LATEST, who).one_or_none()
        if live is not None and is_live(live, now) and covers(live, question):
            connection.execute(
                update(schema.otp)
                .where(schema.otp.c.id == live.id)
                .values(sends=schema.otp.c.sends + 1, sent_at=to_ms(now), **bindings(live, question))
            )
        else:
            connection.execute(rows.RETIRE, {"o": who["org"], "c": who["customer"]})
            self._make(connection, rules, who, question, now)
        return connection.execute(rows.LATEST, who).one()

    def _make(
        self, connection: Connection, rules: OrganisationRules, who: dict[str, int], question: Question, now: datetime
    ) -> None:
        validity = timedelta(seconds=rules.organisation.otp_validity_s)
        connection.execute(
            schema.otp.insert(),
            {
                "org": who["org"],
                "customer_id": who["customer"],
                "program_id": question.program_id,
                "family_group_id": question.family_group_id,
                "program_group": question.program_group,
                "points_max": None if question.points is None else question.points.thousandths,
                "nonce": secrets.token_bytes(_NONCE_BYTES),
                "issued_at": to_ms(now),
                "sent_at": to_ms(now),
                "expires_at": to_ms(now + validity),
            },
        )

    def _message(
        self, row: Any, rules: OrganisationRules, person: Person, till: Till, way: tuple[str, str]
    ) -> CodeMessage:
        organisation, (channel, to) = rules.organisation, way
        code = derive(self._pepper, row.id, row.nonce, organisation)
        points = None if row.points_max is None else Points(row.points_max)
        minutes = max(1, (row.expires_at - row.sent_at) // 60_000)

        def filled(template: Template) -> str:
            return template.filled(
                store=till.store, points=points, code=code, minutes=minutes, organisation=organisation.name
            )

        return CodeMessage(
            organisation=organisation.organisation_id,
            customer_id=person.customer.customer_id,
            channel=channel,
            to=to,
            code=code,
            points=points,
            text=filled(self._settings.text),
            subject=filled(self._settings.subject),
            issued_at=from_ms(row.sent_at),
            expires_at=from_ms(row.expires_at),
        )

    # --- Checking --------------------------------------------------------------------------------------------------

    def prove(
        self, rules: OrganisationRules, person: Person, question: Question, code: str, till: Till, cashier: int | None
    ) -> Proved:
        """Say whether this is the customer's code for this question. It is not used up.

        Raises:
            LedgerBusyError: the try could not be counted in time, so nothing was looked at.
        """
        # Copies of one request come together: one after the other, lest tries not yet given back kill a right code.
        with self._turns.take(person.customer.customer_id):
            now = self._clock.wall()
            counted = self._store.writing(lambda connection: self._count(connection, rules, person, till, cashier, now))
            if isinstance(counted, str):
                return Proved(is_right=False, reason=counted)
            reach("L2")
            return self._compare(rules, person, question, code, counted, now)

    def _compare(
        self, rules: OrganisationRules, person: Person, question: Question, code: str, counted: _Counted, now: datetime
    ) -> Proved:
        row = counted.row
        given = code.strip().upper().encode("utf-8", "replace")
        expected = b"" if row is None else derive(self._pepper, row.id, row.nonce, rules.organisation).encode("ascii")
        if row is None or not hmac.compare_digest(expected, given):
            return self._wrong(person, rules, counted, now)
        self._store.writing(lambda connection: self._take_back(connection, counted, now))
        if not counted.was_counted:
            return Proved(is_right=False, reason=why_not_live(row, now), view=view_of(row))
        if not serves(row, question):
            return Proved(is_right=False, reason="code_not_for_this", view=view_of(row))
        return Proved(is_right=True, otp_id=row.id, view=view_of(row))

    def _count(
        self,
        connection: Connection,
        rules: OrganisationRules,
        person: Person,
        till: Till,
        cashier: int | None,
        now: datetime,
    ) -> str | _Counted:
        """Count a wrong try before the code is looked at; a text says why nothing may be looked at."""
        who = {"org": rules.organisation.organisation_id, "customer": person.customer.customer_id}
        _hold_counted(connection, who, till, cashier)
        standing = connection.execute(rows.STANDING, who).one()

        def failures(since: datetime | int) -> int:
            moment = since if isinstance(since, int) else to_ms(since)
            return int(connection.execute(rows.COUNT_FAILURES, {**who, "since": moment}).scalar_one())

        if standing.codes_locked or failures(now - timedelta(seconds=rules.window_s)) >= rules.checks_per_window:
            return "customer_limit"
        hour = {"since": to_ms(now - _TILL_WINDOW)}
        by_till = connection.execute(rows.COUNT_TILL_FAILURES, {**hour, "till": till.login}).scalar_one()
        by_her = 0
        if cashier is not None:
            counting = {**hour, "org": who["org"], "cashier": cashier}
            by_her = connection.execute(rows.COUNT_CASHIER_FAILURES, counting).scalar_one()
        if max(by_till, by_her) >= _TILL_FAILURES_MAX:
            return "till_limit"
        failure = connection.execute(
            schema.code_try.insert(),
            {
                "org": who["org"],
                "customer_id": who["customer"],
                "till": till.login,
                "cashier": cashier,
                "at": to_ms(now),
            },
        )
        row = connection.execute(rows.LATEST, who).one_or_none()
        is_counted = row is not None and is_live(row, now)
        if row is not None and is_counted:
            is_counted = connection.execute(rows.COUNT_TRY, {"otp": row.id}).rowcount == 1
        return _Counted(
            failure_id=made_id(failure),
            row=row,
            was_counted=is_counted,
            is_last_straw=failures(max(to_ms(now - _STRAIGHT_WINDOW), standing.code_right_at)) >= STRAIGHT_FAILURES_MAX,
        )

    def _wrong(self, person: Person, rules: OrganisationRules, counted: _Counted, now: datetime) -> Proved:
        """A wrong code: the fifth one kills the code it was tried against, the hundredth in a row locks her codes."""
        row = counted.row
        view = None if row is None else view_of(row, tries=row.attempts + counted.was_counted)
        org, customer_id = rules.organisation.organisation_id, person.customer.customer_id
        is_killed = view is not None and counted.was_counted and view.tries_left == 0

        def consequences(connection: Connection) -> None:
            hold_customer(connection, org, customer_id)
            if is_killed and row is not None:
                connection.execute(rows.KILL, {"otp": row.id})
            if counted.is_last_straw:
                connection.execute(rows.LOCK_CODES, {"o": org, "c": customer_id})

        if is_killed or counted.is_last_straw:
            self._store.writing(consequences)
        if is_killed:
            reason = "code_dead"
        else:
            reason = "code_wrong" if row is None or counted.was_counted else why_not_live(row, now)
        return Proved(is_right=False, reason=reason, view=view)

    def _take_back(self, connection: Connection, counted: _Counted, now: datetime) -> None:
        """A right code is not a try (section 3), and a live one forgives the straight failures before it."""
        if counted.row is not None:
            hold_customer(connection, counted.row.org, counted.row.customer_id)
        connection.execute(rows.FORGET_TRY, {"failure": counted.failure_id})
        row = counted.row
        if counted.was_counted and row is not None:
            connection.execute(rows.GIVE_TRY_BACK, {"otp": row.id})
            connection.execute(rows.NOTE_RIGHT, {"o": row.org, "c": row.customer_id, "now": to_ms(now)})


def _hold_counted(connection: Connection, who: Mapping[str, int], till: Till, cashier: int | None) -> None:
    """Whoever counts tries of this customer, at this till or of this cashier waits until this one is written down."""
    hold_customer(connection, who["org"], who["customer"])
    hold_till(connection, till.login)
    if cashier is not None:
        hold(connection, schema.operator, schema.operator.c.org == who["org"], schema.operator.c.id == cashier)


def use_up(connection: Connection, otp_id: int, now: datetime) -> bool:
    """Use a code up inside the redemption's own transaction; False when it no longer can be."""
    return connection.execute(rows.USE_UP, {"otp": otp_id, "now": to_ms(now)}).rowcount == 1
