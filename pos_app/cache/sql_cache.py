"""The cache of a till: the feed's rows, and whom it looked up, with the age of both (reliability 4.1, 4.4)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from pos_app.cache import feeding, rows, rules, statements
from pos_app.cache.families import find_family
from pos_app.cache.feed_rows import programs_of_note
from pos_app.cache.file import CacheFile, move_file
from pos_app.cache.identifiers import forms_of
from pos_app.cache.lookups import Seen, put_named, put_seen, record_in
from pos_app.cache.near import Near
from pos_app.cache.place import Place, find_place, put_place
from pos_app.cache.search import Finder
from pos_app.cache.staging import Staging
from pos_app.cache.tables import KIND_NUMBER
from pos_app.domain.facts import Customer, CustomerRecord, FamilyGroup, FamilyRecord, Organisation, Program, Wallet
from pos_app.domain.feed import ChangesPage, FeedItem, OperatorTold, OrganisationTold, SnapshotPage
from pos_app.domain.request import CustomerRef, FamilyGroupRef, IdentifierKind
from pos_app.files.columns import moment_or_none, moment_text
from pos_app.files.database import DriverConnection
from pos_app.services.feed_port import Applied, CacheState, FeedState, SnapshotState
from pos_app.services.ports import Clock
from pos_app.services.searching import HITS_MOST, SearchHit
from pos_app.wire.feed_reading import read_operator, read_organisation

KEPT_FOR: Final = timedelta(days=90)
"""A customer not looked up here for so long is forgotten, unless the feed tells of her (reliability 4.4)."""

_SEEN_AT_ONCE: Final = 5_000
_FORGOTTEN_AT_ONCE: Final = 500


class SqlCache:
    """Implements `services.ports.Cache`, `services.feed_port.FeedCache` and `services.searching.Search`.

    Any thread may call it. Programs and the organisation's switches are few and asked for at each lookup, so they are
    held in memory too.
    """

    def __init__(self, path: Path, key_hex: str, clock: Clock, *, read_only: bool) -> None:
        """Use `open`."""
        self._rules_lock = threading.Lock()
        self._programs: dict[int, Program] = {}
        self._of_note: tuple[Program, ...] = ()
        self._organisation: Organisation | None = None
        self._organisation_told: OrganisationTold | None = None
        self._place: Place | None = None
        self._clock = clock
        self._staging: Staging | None = None
        self._staged_path = path.with_name(f"{path.stem}.next{path.suffix}")
        self._key_hex = key_hex
        if not read_only and self._staged_path.exists():
            self._go_on_with_snapshot(path)
        self._file = CacheFile(path, key_hex, clock, on_open=self._load, read_only=read_only)
        self._finder = Finder(self._file.read)
        self._near = Near(self._file.read)

    @classmethod
    def open(cls, path: Path, key_hex: str, clock: Clock, *, read_only: bool = False) -> SqlCache:
        """Open the cache, making it when there is none, and forget who was not seen here for 90 days.

        A file that is damaged, has another key or is of another version is replaced by an empty one; a damaged one
        stays beside it as `cache.bad-<time>`. A file that cannot be opened is done without, and tried again later. With
        `read_only` (`pos-app check` beside a running window) no file is changed or made, and what is to be kept is
        forgotten.

        Raises:
            StorageError: with `read_only`: there is no file, or it cannot be read.
        """
        cache = cls(path, key_hex, clock, read_only=read_only)
        if not read_only:
            cache._forget_before(clock.wall() - KEPT_FOR)
        return cache

    def close(self) -> None:
        """Close the files; may be called twice. A snapshot that is being taken goes on at the next start."""
        if self._staging is not None:
            self._staging.close()
        self._file.close()

    # --- services.ports.Cache --------------------------------------------------------------------------------------

    def keep_customer(self, record: CustomerRecord, named: CustomerRef | None, at: datetime) -> None:
        """Keep a customer as looked up at `at`; `named` is an identifier the record itself may not carry."""
        self.keep_customers([(record, named)], at)

    def keep_customers(self, seen: Iterable[Seen], at: datetime) -> None:
        """Keep many customers in one commit: all of them or, when it fails, none."""
        batch = list(seen)
        if batch:
            self._file.write(lambda connection: put_seen(connection, batch, at))
            self._keep_programs(program for record, _named in batch for program in record.programs)

    def keep_wallet(self, customer_id: int, wallet: Wallet, version: int, at: datetime | None) -> None:
        """Keep what an answer told of one wallet of a customer, unless a newer version is kept.

        `version` 0: not told. `at`: her whole record is as of then; None: it is as old as before.
        """
        figures = (*rows.figures_tuple(customer_id, wallet, version), version)

        def work(connection: Connection) -> None:
            feeding.run(connection, statements.PUT_FIGURES, [figures])
            if at is not None:
                feeding.run(connection, statements.SEEN, [(moment_text(at), customer_id)])

        self._file.write(work)

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        """The customer as last seen, with `as_of`; None: never seen here, or the cache cannot be read."""
        if customer.kind is IdentifierKind.ID:
            if not customer.is_well_formed:
                return None
            return self._find(statements.FIND_BY_ID, (int(customer.value),))
        organisation = self._organisation
        forms = forms_of(customer, "" if organisation is None else organisation.country_code)
        return self._find(statements.FIND_BY_IDENTIFIER[len(forms)], (KIND_NUMBER[customer.kind], *forms))

    def find_family(self, named: FamilyGroupRef, customer: Customer) -> FamilyRecord | None:
        """The family group a request of this customer names, and the wallets that pay for it (contract 2.5).

        None: this till cannot say, because the feed did not tell of the family group or of all who share in it.
        """
        organisation = self._organisation
        if self._place is None or organisation is None:
            return None
        return self._file.read(
            lambda reader: find_family(
                reader, named, customer, organisation, lambda ref: self.find_identifier(reader, ref)
            )
        )

    def find_identifier(self, reader: DriverConnection, customer: CustomerRef) -> int | None:
        """Whom an identifier names, by number."""
        if customer.kind is IdentifierKind.ID:
            return int(customer.value) if customer.is_well_formed else None
        organisation = self._organisation
        for form in forms_of(customer, "" if organisation is None else organisation.country_code):
            found = reader.execute(statements.FIND_IDENTIFIER, (KIND_NUMBER[customer.kind], form)).fetchone()
            if found is not None:
                return int(found[0])
        return None

    def keep_program(self, program: Program, at: datetime) -> None:
        """Keep a program and its rules; rules once known stay when a service does not tell them."""
        self._keep_programs([program])

    def programs(self) -> Sequence[Program]:
        """All programs known here, the default first, then by name."""
        return sorted(self._programs.values(), key=lambda each: (not each.is_default, each.name, each.program_id))

    def program(self, program_id: int) -> Program | None:
        """One program, or None."""
        return self._programs.get(program_id)

    def keep_organisation(self, organisation: Organisation, at: datetime) -> None:
        """Keep the organisation's switches; of a till that syncs the feed alone tells them."""
        row = (1, rules.organisation_text(organisation), None)
        with self._rules_lock:
            if organisation == self._organisation or self._organisation_told is not None:
                return
            if self._file.write(lambda connection: feeding.run(connection, statements.PUT_ORGANISATION, [row])):
                self._organisation = organisation

    def organisation(self) -> Organisation | None:
        """The organisation's switches, None when never told."""
        return self._organisation

    def organisation_told(self) -> OrganisationTold | None:
        """The organisation as the feed tells of it, with its limits for leases and risk; None: no feed did."""
        return self._organisation_told

    def operators(self) -> Sequence[OperatorTold]:
        """The operators the feed tells of, by number."""
        told = self._rows(statements.OPERATORS)
        return tuple(read_operator(operator_id, json.loads(text)) for operator_id, text in told)

    # --- services.feed_port.FeedCache ------------------------------------------------------------------------------

    @property
    def state(self) -> CacheState:
        """How the cache is."""
        own = self._file.state
        if own is not CacheState.OK:
            return own
        return CacheState.OK if self._staging is None else CacheState.REBUILDING

    def feed_state(self) -> FeedState | None:
        """Where it stands in the feed; None: it was never filled by one, or had to be made anew."""
        return None if self._place is None else self._place.feed_state()

    def snapshot_state(self) -> SnapshotState | None:
        """Where the snapshot that is being taken stands, also after a restart; None: none is."""
        return None if self._staging is None else self._staging.state()

    def put_snapshot_page(self, page: SnapshotPage) -> Applied | None:
        """Keep a page of a snapshot with the token of the next one, in one commit; the first page begins it anew."""
        if self._staging is None:
            self._staging = Staging(self._staged_path, self._key_hex, self._clock)
        return self._or_give_up(self._staging.put_page(page))

    def index_snapshot(self) -> bool:
        """Do a part of what searches need, a second at most; True: there is more to do."""
        return self._staging is not None and self._staging.index()

    def put_snapshot_changes(self, page: ChangesPage) -> Applied | None:
        """Mend the snapshot by what changed while it was taken."""
        return None if self._staging is None else self._or_give_up(self._staging.put_changes(page))

    def finish_snapshot(self, at: datetime) -> bool:
        """Put the whole snapshot in the place of the cache in use; False: it could not be done now."""
        staging = self._staging
        if staging is None or not self._hand_over_seen(staging, at):
            return False
        staging.close()
        if self._file.replace_by(staging.path):
            self._staging = None
            return True
        self._staging = Staging(self._staged_path, self._key_hex, self._clock)
        return False

    def drop_snapshot(self) -> None:
        """Give up the snapshot that is being taken, if any."""
        if self._staging is not None:
            self._staging.delete()
            self._staging = None

    def put_changes(self, page: ChangesPage, at: datetime) -> Applied | None:
        """Keep a page of changes with its cursor, in one commit. `at`: when it was asked for. None: not kept."""
        if self._place is None:
            return None
        read = feeding.read_page(page.items)
        place = self._place.after_changes(page, read.applied, None if page.has_more else moment_text(at))

        def work(connection: Connection) -> None:
            feeding.put_page(connection, read)
            put_place(connection, place)

        if not self._file.write(work):
            return None
        self._place = place
        if read.tells_rules:
            self._file.read(self._load)
        return read.applied

    def keep_rows(self, items: Sequence[FeedItem], named: CustomerRef | None, at: datetime) -> CustomerRecord | None:
        """Keep the rows of one customer, looked up at `at`, and return her record; None: they tell of no customer."""
        told = [each for each in items if each.type in {"customer", "wallet", "family_group"}]
        read = feeding.read_page(told, moment_text(at))
        customer_id = next((each for each, row in read.customers.items() if row is not None), None)
        if customer_id is None:
            return None

        def work(connection: Connection) -> None:
            feeding.put_page(connection, read, anew=True)
            if named is not None:
                put_named(connection, customer_id, named, self._organisation)

        if self._file.write(work):
            kept = self._find(statements.FIND_BY_ID, (customer_id,))
            if kept is not None:
                return replace(kept, as_of=at)
        return record_in(told, customer_id, self._of_note, at)

    # --- services.searching.Search ---------------------------------------------------------------------------------

    def search(self, typed: str, limit: int = HITS_MOST) -> Sequence[SearchHit]:
        """Whom `typed` may mean, exact matches first, then who was seen here lately."""
        return self._finder.search(typed, limit, self._country_code)

    def search_near(self, typed: str, limit: int = HITS_MOST) -> Sequence[SearchHit]:
        """Whom it may mean if one letter or digit of it is wrong, missing, too many or swapped with the next."""
        return self._near.search(typed, limit, self._country_code)

    @property
    def _country_code(self) -> str:
        organisation = self._organisation
        return "" if organisation is None else organisation.country_code

    # --- Within ----------------------------------------------------------------------------------------------------

    def _load(self, reader: DriverConnection) -> None:
        """Read the programs, the organisation and the place; also after another file was opened."""
        programs = [rules.program_of(text) for (text,) in reader.execute(statements.PROGRAMS)]
        told = reader.execute(statements.ORGANISATIONS).fetchone()
        self._place = find_place(reader)
        self._programs = {each.program_id: each for each in programs}
        self._of_note = programs_of_note(self._programs)
        organisation = None if told is None else rules.organisation_of(told[0])
        self._organisation_told = None
        if told is not None and told[1] is not None and organisation is not None:
            self._organisation_told = read_organisation(organisation.organisation_id, json.loads(told[1]))
        self._organisation = organisation

    def _find(self, statement: str, wanted: tuple[Any, ...]) -> CustomerRecord | None:
        """One customer's record by a statement whose last parameters are forms of her identifier, the surest first."""

        def find(reader: DriverConnection) -> CustomerRecord | None:
            found = reader.execute(statement, wanted).fetchall()
            if not found:
                return None
            if len(found) > 1:
                surest = min((row[0] for row in found), key=wanted.index)
                found = [row for row in found if row[0] == surest]
            place = self._place
            return rows.record_of(
                found,
                family_groups=lambda *asked: _family_groups(reader, *asked),
                programs=self._programs_in,
                fresh_at="" if place is None or place.fresh_at is None else place.fresh_at,
            )

        return self._file.read(find)

    def _programs_in(self, listed: str | None) -> tuple[Program, ...]:
        """The programs of a list; None: the feed tells, so all that are in use."""
        if listed is None:
            return self._of_note
        known = (self._programs.get(each) for each in rows.parsed(listed))
        return tuple(each for each in known if each is not None)

    def _keep_programs(self, told: Iterable[Program]) -> None:
        """Keep those that are news: a lookup tells of the same programs each time."""
        with self._rules_lock:
            news = {each.program_id: each for each in told if _is_news(each, self._programs.get(each.program_id))}
            kept = [(each.program_id, rules.program_text(each), None) for each in news.values()]
            if news and self._file.write(lambda connection: feeding.run(connection, statements.PUT_PROGRAM, kept)):
                self._programs = self._programs | news
                self._of_note = programs_of_note(self._programs)

    def _go_on_with_snapshot(self, path: Path) -> None:
        """Take up what a former run left: a snapshot half taken, or a whole one that was not put in its place."""
        staging = Staging(self._staged_path, self._key_hex, self._clock)
        if staging.place is None:
            staging.delete()
        elif staging.place.is_whole:
            staging.close()
            with suppress(OSError):
                move_file(staging.path, path)
        else:
            self._staging = staging

    def _or_give_up(self, applied: Applied | None) -> Applied | None:
        """A snapshot that the disk does not take gives its room back."""
        if applied is None:
            self.drop_snapshot()
        return applied

    def _hand_over_seen(self, staging: Staging, at: datetime) -> bool:
        """Tell the new file who was looked up on this till; there are as many as a till serves in 90 days."""
        seen: list[tuple[Any, ...]] = []
        last_id = -1
        while batch := self._rows(statements.SEEN_ALL, (last_id, _SEEN_AT_ONCE)):
            seen += batch
            last_id = batch[-1][1]
        return staging.make_whole(seen, at)

    def _forget_before(self, moment: datetime) -> None:
        """Forget customers last seen before `moment`, but count from the last lookup where that is longer ago.

        So neither a till that was off for a season nor a clock that jumped ahead loses everybody at once.
        """
        found = self._rows(statements.NEWEST)
        newest = moment_or_none(found[0][0]) if found else None
        if newest is None:
            return
        since = moment_text(min(moment, newest - KEPT_FOR))
        gone = [row[0] for row in self._rows(statements.NOT_SEEN_SINCE, (since,))]
        for start in range(0, len(gone), _FORGOTTEN_AT_ONCE):
            self._file.write(partial(feeding.drop_customers, customer_ids=gone[start : start + _FORGOTTEN_AT_ONCE]))

    def _rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement, none where nothing can be read."""
        return self._file.read(lambda reader: reader.execute(statement, parameters).fetchall()) or []


def _is_news(told: Program, known: Program | None) -> bool:
    if known is None:
        return True
    return told != known and (told.are_rules_known or not known.are_rules_known)


def _family_groups(
    reader: DriverConnection, customer_id: int, default_id: int | None, listed: str | None
) -> tuple[FamilyGroup, ...]:
    """Her family groups: those listed with her, or (None) those the feed says she is in."""
    asked: list[Any]
    if listed is None:
        asked = [[row[0], row[0] == default_id] for row in reader.execute(statements.FAMILY_GROUPS_OF, (customer_id,))]
    else:
        asked = rows.parsed(listed)
    found = []
    for group_id, is_default in asked:
        row = reader.execute(statements.FIND_FAMILY_GROUP, (group_id,)).fetchone()
        if row is not None:
            found.append(rows.family_group_of(row, is_default))
    return tuple(found)
