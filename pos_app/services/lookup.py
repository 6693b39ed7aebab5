"""Finds a customer: at the ledger while the line is up, in the cache while it is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from pos_app.domain.answers import TillInfo
from pos_app.domain.facts import CustomerRecord, Organisation, Program
from pos_app.domain.request import CustomerRef
from pos_app.domain.trouble import LineDownError, NotSafeError, NotTheServiceError, Trouble, UnclearAnswerError
from pos_app.services.line import Line
from pos_app.services.ports import Cache, Clock, Ledger
from pos_app.services.results import CannotLookUpOfflineError, Found, LineState, Source
from pos_app.services.row_lookup import RowLookup

RULES_AGE_MAX_S: Final = 24 * 3600.0
"""Rules are fetched anew once a day (sync-api 11)."""

RULES_AGAIN_S: Final = 60.0
"""Rules that could not be fetched are not asked for again sooner, or a slow service would delay every lookup."""

RULES_PATIENCE_S: Final = 1.0
"""A lookup fetches no further rules after so many seconds: the cashier waits for the customer, not for rules."""

AGES_AGO: Final = datetime.min.replace(tzinfo=UTC)
"""The age of what nobody dated: too old for any answer."""

NO_LINE: Final = (LineDownError, NotTheServiceError, UnclearAnswerError)
"""Nobody answered. With a sign-in page of the network on the line the till behaves as offline (sync-api 3)."""


OnFound = Callable[[CustomerRecord, CustomerRef], object]


class LookupService:
    """Customer lookup, and what the till knows of programs. Safe to use from any thread."""

    def __init__(
        self,
        ledger: Ledger,
        cache: Cache,
        line: Line,
        clock: Clock,
        *,
        on_found: OnFound | None = None,
        rows: RowLookup | None = None,
    ) -> None:
        """`on_found` hears of each customer the ledger found, and by what she was named; it must cost nothing.

        `rows` is asked instead of `customer/get` where the service has the extension.
        """
        self._rows = rows
        self._ledger = ledger
        self._on_found = on_found
        self._cache = cache
        self._line = line
        self._clock = clock
        self._lock = threading.Lock()
        self._rules_due_at: dict[int, float] = {}
        self._own_program_id: int | None = None
        self._till: TillInfo | None = None

    def find(self, customer: CustomerRef) -> Found | None:
        """Find a customer and remember her; None: the ledger says nobody has this identifier.

        Raises:
            CannotLookUpOfflineError: no line, and never seen here.
            Trouble: the service answered but not usefully (login, address); never seen here.
        """
        view = self._line.view
        if view.state is LineState.OFFLINE:
            return self._from_cache(customer, view.trouble or LineDownError("the line is down"))
        try:
            record = self._ask(customer)
        except Trouble as trouble:
            self._line.met(trouble)
            return self._from_cache(customer, trouble)
        self._line.met(None)
        if record is None:
            return None
        self._learn_programs(record.programs)
        if not all(each.name for each in record.programs):
            record = replace(record, programs=self._known_of(record.programs))
        if self._on_found is not None:
            self._on_found(record, customer)
        return Found(record=record, source=Source.LEDGER, as_of=record.as_of or self._clock.wall())

    def _known_of(self, programs: Iterable[Program]) -> tuple[Program, ...]:
        """Programs of which only the numbers were told, as far as they are known by now."""
        known = (self._cache.program(each.program_id) for each in programs)
        return tuple(each for each in known if each is not None)

    def _ask(self, customer: CustomerRef) -> CustomerRecord | None:
        """Ask the ledger and keep what it told, as of now; None: nobody has this identifier."""
        if self._rows is not None and self._rows.is_offered:
            record = self._rows.find(customer, self._clock.wall)
            if record is None:
                return None
            # No feed told of some of them yet: ask for their rules.
            return replace(record, programs=(*record.programs, *_unknown_programs(record)))
        record = self._ledger.find_customer(customer)
        if record is None:
            return None
        now = self._clock.wall()
        record = replace(record, as_of=now)
        self._cache.keep_customer(record, customer, now)
        return record

    def programs(self) -> Sequence[Program]:
        """Programs known on this till, the till's own first."""
        known = self._cache.programs()
        return tuple(sorted(known, key=lambda program: program.program_id != self._own_program_id))

    def organisation(self) -> Organisation | None:
        """The organisation's switches as last told, None when never told. Asks nobody."""
        return self._cache.organisation()

    def till(self) -> TillInfo | None:
        """What the ledger said of this till since the start, None while it said nothing. Asks nobody."""
        return self._till

    def refresh_rules(self) -> None:
        """Fetch capabilities, the organisation's switches and the rules of each known program. Slow.

        Raises: Trouble, as the ledger does.
        """
        try:
            till = self._ledger.capabilities().till
            organisation = self._ledger.organisation()
            if organisation is not None:
                self._cache.keep_organisation(organisation, self._clock.wall())
            known = {program.program_id: program for program in self._cache.programs()}
            self._till = till or self._till
            if till is not None and till.program_id is not None:
                self._own_program_id = till.program_id
                known.setdefault(till.program_id, Program(program_id=till.program_id, name="", are_rules_known=False))
            for program in known.values():
                self._fetch_rules(program)
        except Trouble as trouble:
            self._line.met(trouble)
            raise
        self._line.met(None)

    def _from_cache(self, customer: CustomerRef, trouble: Trouble) -> Found:
        record = self._cache.find_customer(customer)
        if record is None:
            if isinstance(trouble, NO_LINE):
                raise CannotLookUpOfflineError("no line, and never seen on this till") from None
            if isinstance(trouble, NotSafeError):
                raise NotSafeError(str(trouble)) from None
            raise trouble
        return Found(record=record, source=Source.CACHE, as_of=record.as_of or AGES_AGO)

    def _learn_programs(self, told: Iterable[Program]) -> None:
        """Fetch the rules of programs that are new or a day old. Best effort: the customer has been found already."""
        patience_ends = self._clock.mono() + RULES_PATIENCE_S
        for program in told:
            if not self._wants_rules(program.program_id):
                continue
            if self._clock.mono() > patience_ends or not self._has_fetched(program):
                self._keep_without_rules(program)
                return

    def _has_fetched(self, program: Program) -> bool:
        try:
            self._fetch_rules(program)
        except Trouble as trouble:
            self._line.met(trouble)
            self._wait_for_rules(program.program_id, RULES_AGAIN_S)
            return False
        return True

    def _wants_rules(self, program_id: int) -> bool:
        with self._lock:
            return self._clock.mono() >= self._rules_due_at.get(program_id, float("-inf"))

    def _wait_for_rules(self, program_id: int, seconds: float) -> None:
        with self._lock:
            self._rules_due_at[program_id] = self._clock.mono() + seconds

    def _fetch_rules(self, told: Program) -> None:
        """Ask for a program's rules and keep them; where the service does not tell, keep what was told of it.

        A criteria answer does not say which program is the default: the customer's answer does.
        """
        rules = self._ledger.program(told.program_id)
        self._wait_for_rules(told.program_id, RULES_AGE_MAX_S)
        if rules is None:
            self._keep_without_rules(told)
        else:
            is_default = rules.is_default or told.is_default
            self._cache.keep_program(replace(rules, is_default=is_default), self._clock.wall())

    def _keep_without_rules(self, told: Program) -> None:
        if told.name and self._cache.program(told.program_id) is None:
            self._cache.keep_program(replace(told, are_rules_known=False), self._clock.wall())


def _unknown_programs(record: CustomerRecord) -> tuple[Program, ...]:
    """The programs of her wallets that the record does not tell of: only their numbers are known."""
    told = {each.program_id for each in record.programs}
    ids = dict.fromkeys(wallet.program_id for wallet in record.wallets if wallet.program_id not in told)
    return tuple(Program(program_id=each, name="", are_rules_known=False) for each in ids)
