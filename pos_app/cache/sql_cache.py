"""The cache of a till: what it has seen, each customer with the moment she was seen (reliability 4.1, 4.4)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Executable

from pos_app.cache import rows, rules, tables
from pos_app.cache.file import CacheFile
from pos_app.cache.identifiers import forms_of, identifiers_of, kept_value
from pos_app.domain.facts import CustomerRecord, FamilyGroup, Organisation, Program
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.files.columns import moment_or_none, moment_text
from pos_app.files.database import DriverConnection
from pos_app.services.ports import Clock

KEPT_FOR: Final = timedelta(days=90)
"""A customer not looked up here for so long is forgotten (reliability 4.4)."""

Seen = tuple[CustomerRecord, CustomerRef | None]


class SqlCache:
    """Implements `services.ports.Cache`. Any thread may call it.

    Programs and the organisation's switches are few and asked for at each lookup, so they are held in memory too.
    """

    def __init__(self, path: Path, key_hex: str, clock: Clock, *, read_only: bool) -> None:
        """Use `open`."""
        self._rules_lock = threading.Lock()
        self._programs: dict[int, Program] = {}
        self._organisation: Organisation | None = None
        self._file = CacheFile(path, key_hex, clock, read_only=read_only, on_open=self._load_rules)

    @classmethod
    def open(cls, path: Path, key_hex: str, clock: Clock, *, read_only: bool = False) -> SqlCache:
        """Open the cache, making it when there is none, and forget who was not seen here for 90 days.

        A file that is damaged, has another key or is of another version is replaced by an empty one; a damaged one
        stays beside it as `cache.bad-<time>`. With `read_only` (`pos-app check` beside a running window) no file is
        changed or made, and what is to be kept is forgotten.

        Raises:
            StorageError: the file cannot be opened; with `read_only` also: there is none, or it cannot be read.
        """
        cache = cls(path, key_hex, clock, read_only=read_only)
        cache._file.write(lambda connection: _forget_before(connection, clock.wall() - KEPT_FOR))
        return cache

    def keep_customer(self, record: CustomerRecord, named: CustomerRef | None, at: datetime) -> None:
        """Keep a customer as looked up at `at`; `named` is an identifier the record itself may not carry."""
        self.keep_customers([(record, named)], at)

    def keep_customers(self, seen: Iterable[Seen], at: datetime) -> None:
        """Keep many customers in one commit: all of them or, when it fails, none."""
        batch = list(seen)
        if batch:
            self._file.write(lambda connection: _put_customers(connection, batch, at))
            self._keep_programs(program for record, _named in batch for program in record.programs)

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        """The customer as last seen, with `as_of`; None: never seen here, or the cache cannot be read."""
        if customer.kind is IdentifierKind.ID:
            if not customer.is_well_formed:
                return None
            return self._find(tables.FIND_BY_ID, (int(customer.value),))
        organisation = self._organisation
        forms = forms_of(customer, "" if organisation is None else organisation.country_code)
        return self._find(tables.FIND_BY_IDENTIFIER[len(forms)], (customer.kind.value, *forms))

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
        """Keep the organisation's switches."""
        row = {"only": 1, "row": rules.organisation_text(organisation)}
        with self._rules_lock:
            if organisation == self._organisation:
                return
            if self._file.write(lambda connection: _execute(connection, tables.PUT_ORGANISATION, [row])):
                self._organisation = organisation

    def organisation(self) -> Organisation | None:
        """The organisation's switches, None when never told."""
        return self._organisation

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()

    def _load_rules(self, reader: DriverConnection) -> None:
        """Read the programs and the organisation; also after the file was made anew, when there are none."""
        programs = [rules.program_of(text) for (text,) in reader.execute(tables.PROGRAMS)]
        told = [rules.organisation_of(text) for (text,) in reader.execute(tables.ORGANISATIONS)]
        self._programs = {each.program_id: each for each in programs}
        self._organisation = told[0] if told else None

    def _find(self, statement: str, wanted: tuple[Any, ...]) -> CustomerRecord | None:
        """One customer's record by a statement whose last parameters are forms of her identifier, the surest first."""

        def find(reader: DriverConnection) -> CustomerRecord | None:
            found = reader.execute(statement, wanted).fetchall()
            if not found:
                return None
            if len(found) > 1:
                surest = min((row[0] for row in found), key=wanted.index)
                found = [row for row in found if row[0] == surest]
            return rows.record_of(found, lambda *asked: _family_group(reader, *asked), self._programs.get)

        return self._file.read(find)

    def _keep_programs(self, told: Iterable[Program]) -> None:
        """Keep those that are news: a lookup tells of the same programs each time."""
        with self._rules_lock:
            news = {each.program_id: each for each in told if _is_news(each, self._programs.get(each.program_id))}
            kept = [{"program_id": each.program_id, "row": rules.program_text(each)} for each in news.values()]
            if news and self._file.write(lambda connection: _execute(connection, tables.PUT_PROGRAM, kept)):
                self._programs = self._programs | news


def _is_news(told: Program, known: Program | None) -> bool:
    if known is None:
        return True
    return told != known and (told.are_rules_known or not known.are_rules_known)


def _family_group(reader: DriverConnection, group_id: int, is_default: bool) -> FamilyGroup | None:
    row = reader.execute(tables.FIND_FAMILY_GROUP, (group_id,)).fetchone()
    return None if row is None else rows.family_group_of(row, is_default)


def _forget_before(connection: Connection, moment: datetime) -> None:
    """Forget customers last seen before `moment`, but count from the last lookup where that is longer ago.

    So neither a till that was off for a season nor a clock that jumped ahead loses everybody at once.
    """
    newest = moment_or_none(connection.execute(tables.NEWEST).scalar())
    if newest is not None:
        connection.execute(tables.FORGET_BEFORE, {"moment": moment_text(min(moment, newest - KEPT_FOR))})


def _put_customers(connection: Connection, seen: Sequence[Seen], at: datetime) -> None:
    """Write the rows of all customers, a table at a time."""
    customers, identifiers, wallets, family_groups = [], [], [], []
    stale_identifiers, stale_wallets = [], []
    for record, named in seen:
        customer_id = record.customer.customer_id
        carried = list(identifiers_of(record.customer))
        stale_identifiers += [{"of_customer": customer_id, "of_kind": kind.value} for kind in {k for k, _v in carried}]
        if named is not None and named.kind is not IdentifierKind.ID:
            carried.append((named.kind, kept_value(named.kind, named.value)))
        customers.append(rows.customer_row(record, at))
        identifiers += [
            {"kind": kind.value, "value": value, "customer_id": customer_id} for kind, value in carried if value
        ]
        stale_wallets.append({"of_customer": customer_id})
        wallets += rows.wallet_rows(record)
        family_groups += [rows.family_group_row(each) for each in record.family_groups]
    _execute(connection, tables.PUT_CUSTOMER, customers)
    # Only kinds her record carries: a card number typed once stays hers when a service tells of no cards.
    _execute(connection, tables.DROP_IDENTIFIERS, stale_identifiers)
    _execute(connection, tables.PUT_IDENTIFIER, identifiers)
    _execute(connection, tables.DROP_WALLETS, stale_wallets)
    _execute(connection, tables.ADD_WALLET, wallets)
    _execute(connection, tables.PUT_FAMILY_GROUP, family_groups)


def _execute(connection: Connection, statement: Executable, parameters: Sequence[dict[str, Any]]) -> None:
    """Run a statement once for each of the rows; for none not at all."""
    if parameters:
        connection.execute(statement, parameters)
