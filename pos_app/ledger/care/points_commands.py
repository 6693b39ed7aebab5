"""What an administrator does about points from the command line: `ledger adjust` (house 5)."""

from __future__ import annotations

import sys

from pos_app.domain.points import NotANumberError, Points, TooFineError
from pos_app.ledger.book import Book
from pos_app.ledger.care.adjusting import Adjustment, Person, adjust
from pos_app.ledger.care.people_commands import with_book
from pos_app.ledger.commands import TROUBLE, LedgerPlace, Say


def read_points(text: str, say: Say) -> Points:
    """Points with their sign, `+50` or `-12.5`.

    Raises:
        SystemExit: it is no such number, and that was said.
    """
    try:
        return Points.of(text)
    except (NotANumberError, TooFineError):
        say("--points: expected a number of at most three decimals with its sign, such as +50 or -12.5.")
        sys.exit(TROUBLE)


def adjust_ledger_points(place: LedgerPlace, say: Say, *, wish: Adjustment, by: Person, approved_by: Person) -> int:
    """Give or take points. Exit 1 when it may not be done."""

    def work(book: Book) -> None:
        done = adjust(book.tools, wish, by, approved_by)
        entries = ", ".join(map(str, done.entry_ids))
        which = "entry" if len(done.entry_ids) == 1 else "entries"
        signed = f"+{wish.points}" if wish.points.thousandths > 0 else str(wish.points)
        say(f"Wallet {done.wallet_id}: {signed} points by {which} {entries}; its balance is now {done.balance}.")

    return with_book(place, say, work)
