"""What an administrator does about tills, operators and customers from the command line (house 5).

Each ends with a sentence and an exit code. Secrets are printed once, or go into a file, and nowhere else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final

from pos_app.domain.masking import mask_card, mask_email, mask_mobile, short_name
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef
from pos_app.ledger.book import Book
from pos_app.ledger.care.audit import COMMAND_LINE
from pos_app.ledger.care.customer_care import ShownCustomer, show_customer, unlock_customer
from pos_app.ledger.care.new_till import add_till
from pos_app.ledger.care.operator_care import (
    NewOperator,
    activate_operator,
    add_operator,
    give_pin,
    list_operators,
    random_pin,
)
from pos_app.ledger.care.till_care import TillAction, change_till, give_enrolment_code, list_tills, rotate_password
from pos_app.ledger.commands import DIFFERS, DONE, TROUBLE, CannotOpenError, LedgerPlace, Say
from pos_app.ledger.errors import CareRefusedError, LedgerBusyError

_STATE_SENTENCES: Final = {
    "ACTIVE": "Till {login} is in service.",
    "FROZEN": "Till {login} is frozen: enrol it again with an enrolment code.",
    "DISABLED": "Till {login} is disabled: it is let in to nothing.",
    "LOST": "Till {login} is marked as lost: what it spent offline is still settled; it comes back by enrolling again.",
}


def with_book(place: LedgerPlace, say: Say, work: Callable[[Book], None]) -> int:
    """Do something to a ledger that is there; says what went wrong."""
    try:
        book = place.open(must_exist=True)
    except CannotOpenError as error:
        say(str(error))
        return TROUBLE
    try:
        work(book)
    except CareRefusedError as error:
        say(str(error))
        return DIFFERS
    except LedgerBusyError:
        say("Somebody else is writing to this ledger; nothing was done. Try again.")
        return TROUBLE
    finally:
        book.close()
    return DONE


# --- Tills ---------------------------------------------------------------------------------------------------------


def add_ledger_till(
    place: LedgerPlace,
    say: Say,
    *,
    organisation: int,
    store: str,
    login: str,
    name: str,
    program_id: int | None,
    provision: Path | None = None,
    address: str | None = None,
) -> int:
    """Add a till. Its random password is printed once, or written to a provisioning file that must be new."""
    if (provision is None) != (address is None):
        say("--provision FILE and --address URL go together: the file tells the till where its ledger is.")
        return TROUBLE

    def add(book: Book) -> None:
        if provision is None or address is None:
            password = _added(book)
            say(f"Till {login} was added. Its password, shown this once: {password}")
            return
        with _new_private_file(provision) as file:
            try:
                document = {"address": address, "login": login, "password": _added(book)}
            except BaseException:
                provision.unlink()
                raise
            file.write("# For the first run of this till; delete it afterwards.\n[enrolment]\n")
            file.writelines(f"{key} = {json.dumps(value)}\n" for key, value in document.items())
        say(f"Till {login} was added. What it needs is in {provision}, with its password: carry it there safely.")

    def _added(book: Book) -> str:
        return add_till(book, organisation_id=organisation, store=store, login=login, name=name, program_id=program_id)

    return with_book(place, say, add)


def _new_private_file(path: Path) -> IO[str]:
    """Open a file only its owner can read.

    Raises:
        CareRefusedError: it is there already, or cannot be made.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CareRefusedError(f"{path} is there already; nothing was done. Name a file that is not.") from None
    except OSError as error:
        raise CareRefusedError(f"{path} cannot be written ({error.strerror}); nothing was done.") from None
    return os.fdopen(handle, "w", encoding="utf-8")


def list_ledger_tills(place: LedgerPlace, say: Say, *, organisation: int | None) -> int:
    """List the tills: where they stand, and when each was last heard of."""

    def show(book: Book) -> None:
        with book.store.read() as connection:
            tills = list_tills(connection, organisation)
        rows = [("LOGIN", "STORE", "STATE", "EPOCH", "LAST SEEN", "WAITING", "VERSION", "NAME")]
        for each in tills:
            seen = "never" if each.last_seen is None else f"{each.last_seen:%Y-%m-%d %H:%M} UTC"
            waiting = "-" if each.outbox_count is None else str(each.outbox_count)
            numbers = (str(each.till_epoch), seen, waiting, each.version or "-")
            rows.append((each.login, each.store, each.state, *numbers, each.name))
        _say_columns(say, rows)

    return with_book(place, say, show)


def change_ledger_till(place: LedgerPlace, say: Say, *, login: str, action: str) -> int:
    """Disable or enable a till, mark it as lost or as found."""

    def change(book: Book) -> None:
        state = change_till(book.tools, login, TillAction(action), who=COMMAND_LINE)
        say(_STATE_SENTENCES[state].format(login=login))

    return with_book(place, say, change)


def rotate_ledger_till(place: LedgerPlace, say: Say, *, login: str) -> int:
    """Give a till another password, printed once."""

    def rotate(book: Book) -> None:
        password = rotate_password(book.tools, login, who=COMMAND_LINE)
        say(f"Till {login} has another password, and the old one is dead. The new one, shown this once: {password}")

    return with_book(place, say, rotate)


def make_enrolment_code(place: LedgerPlace, say: Say, *, login: str) -> int:
    """Make a code with which a till may bring another key, printed once."""

    def make(book: Book) -> None:
        code = give_enrolment_code(book.tools, login, who=COMMAND_LINE)
        say(f"Enrolment code of till {login}, good once and for 72 hours, shown this once: {_in_fours(code)}")

    return with_book(place, say, make)


def _in_fours(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


# --- Operators -----------------------------------------------------------------------------------------------------


def add_ledger_operator(
    place: LedgerPlace, say: Say, *, organisation: int | None, operator: NewOperator, pin: str | None
) -> int:
    """Add an operator. Without a `pin` she gets a random first one, printed once, which she must change."""
    first = random_pin() if pin is None else pin

    def add(book: Book) -> None:
        number = add_operator(book.tools, organisation, operator, first, must_change=pin is None, who=COMMAND_LINE)
        said = f"Operator {number} was added."
        say(said if pin is not None else f"{said} The first PIN, to be changed, shown this once: {first}")

    return with_book(place, say, add)


def list_ledger_operators(place: LedgerPlace, say: Say, *, organisation: int | None) -> int:
    """List the operators, and whether each can sign in."""

    def show(book: Book) -> None:
        rows = [("NUMBER", "ROLE", "STORES", "STATE", "NAME")]
        for each in list_operators(book.tools, organisation):
            facts = [
                "active" if each.is_active else "disabled",
                *(["no PIN"] if not each.has_pin else []),
                *(["must change PIN"] if each.must_change_pin else []),
                *(["locked"] if each.is_locked else []),
            ]
            stores = ", ".join(each.stores) or "all"
            rows.append((str(each.operator_id), each.role, stores, ", ".join(facts), each.name))
        _say_columns(say, rows)

    return with_book(place, say, show)


def activate_ledger_operator(
    place: LedgerPlace, say: Say, *, organisation: int | None, number: int, active: bool
) -> int:
    """Let an operator sign in, or no longer."""

    def change(book: Book) -> None:
        activate_operator(book.tools, organisation, number, active=active, who=COMMAND_LINE)
        say(f"Operator {number} may sign in." if active else f"Operator {number} can no longer sign in or approve.")

    return with_book(place, say, change)


def give_ledger_pin(place: LedgerPlace, say: Say, *, organisation: int | None, number: int, pin: str | None) -> int:
    """Give an operator another PIN; without a `pin` a random one, printed once, which she must change."""
    given = random_pin() if pin is None else pin

    def give(book: Book) -> None:
        give_pin(book.tools, organisation, number, given, must_change=pin is None, who=COMMAND_LINE)
        said = f"Operator {number} has another PIN."
        say(said if pin is not None else f"{said} It is to be changed; shown this once: {given}")

    return with_book(place, say, give)


# --- Customers -----------------------------------------------------------------------------------------------------


def show_ledger_customer(
    place: LedgerPlace, say: Say, *, organisation: int | None, ref: CustomerRef, reveal: bool
) -> int:
    """Show what the ledger keeps of a customer, masked unless told otherwise."""

    def show(book: Book) -> None:
        shown = show_customer(book.tools, organisation, ref, reveals=reveal, who=COMMAND_LINE)
        for line in _customer_lines(shown, reveal):
            say(line)

    return with_book(place, say, show)


def unlock_ledger_customer(place: LedgerPlace, say: Say, *, organisation: int | None, ref: CustomerRef) -> int:
    """Lift the lock of a customer's codes."""

    def unlock(book: Book) -> None:
        before = unlock_customer(book.tools, organisation, ref, who=COMMAND_LINE)
        number, count = before.customer.customer_id, before.wrong_codes
        was = "were locked" if before.codes_locked else "were not locked"
        say(f"The codes of customer {number} {was}; they are free now, and {count} wrong tries are forgotten.")

    return with_book(place, say, unlock)


def _customer_lines(shown: ShownCustomer, reveal: bool) -> list[str]:
    customer = shown.customer
    name = (
        f"{customer.first_name} {customer.last_name}" if reveal else short_name(customer.first_name, customer.last_name)
    )
    facts = [f"tier {customer.tier}" if customer.tier else "", "" if customer.is_registered else "not registered"]
    facts += [
        "known from campaigns only" if customer.is_campaign_only else "",
        "blocked" if customer.is_blocked else "",
    ]
    codes = "locked: customer unlock frees them" if shown.codes_locked else "free"
    lines = [
        f"Customer {customer.customer_id}  {name}".rstrip(),
        f"  mobile       {(customer.mobile if reveal else mask_mobile(customer.mobile)) or '-'}",
        f"  e-mail       {(customer.email if reveal else mask_email(customer.email)) or '-'}",
        f"  external id  {(customer.external_id if reveal else mask_card(customer.external_id)) or '-'}",
        f"  cards        {', '.join(each if reveal else mask_card(each) for each in customer.cards) or '-'}",
        f"  standing     {', '.join(each for each in facts if each) or 'nothing against her'}",
        f"  groups       {', '.join(str(each) for each in shown.family_group_ids) or '-'}",
        f"  codes        {codes}; {shown.wrong_codes} wrong since the last right one",
    ]
    for owner, wallet in shown.wallets:
        state = ", paused" if wallet.is_paused else ""
        held = f", {wallet.reserved} held for offline tills" if wallet.reserved else ""
        lines.append(
            f"Wallet {wallet.wallet_id}, program {wallet.program_id}, {owner}{state}: {wallet.balance} points{held}"
        )
        lines += [
            f"  lot {lot.lot_id}: {lot.remaining} until {lot.expires_on or 'ever'}"
            for lot in shown.lots
            if lot.wallet_id == wallet.wallet_id
        ]
    lines.append("Last entries, newest first:" if shown.entries else "No entries.")
    lines += [
        f"  {each.at:%Y-%m-%d %H:%M} UTC  {each.kind:<10} {_signed(each.points):>12}  wallet {each.wallet_id}"
        + (f"  till {each.till}" if each.till else "")
        + (f"  cashier {each.cashier}" if each.cashier is not None else "")
        + (f"  approved by {each.supervisor}" if each.supervisor is not None else "")
        for each in shown.entries
    ]
    return [line if line.isprintable() else ascii(line)[1:-1] for line in lines]


def _signed(points: Points) -> str:
    return str(points) if points.thousandths < 0 else f"+{points}"


# --- Lists ---------------------------------------------------------------------------------------------------------


def _say_columns(say: Say, rows: Sequence[Sequence[str]]) -> None:
    """Rows of equal length as lines, each column as wide as its longest text; what cannot be printed is escaped."""
    shown = [[each if each.isprintable() else ascii(each) for each in row] for row in rows]
    widths = [max(len(each) for each in column) for column in zip(*shown, strict=True)]
    for row in shown:
        say("  ".join(each.ljust(width) for each, width in zip(row, widths, strict=True)).rstrip())
