"""What an administrator does about leases and passes from the command line (house 5)."""

from __future__ import annotations

import json
import os
from io import BytesIO
from pathlib import Path
from typing import Final

from pos_app.domain.points import NotANumberError, Points, TooFineError
from pos_app.ledger.book import Book
from pos_app.ledger.care.audit import COMMAND_LINE
from pos_app.ledger.care.people_commands import with_book
from pos_app.ledger.commands import TROUBLE, LedgerPlace, Say
from pos_app.ledger.errors import CareRefusedError, ConflictError
from pos_app.ledger.http.admin_views import lease_tree
from pos_app.ledger.leases.listing import ListedLease, list_leases
from pos_app.ledger.leases.passes import MadePass, PassWish, make_pass
from pos_app.ledger.leases.reclaiming import write_off
from pos_app.ledger.leases.revoking import revoke_lease, revoke_till
from pos_app.wire.moments import write_moment

_PAGE: Final = 500
_MODULE_SIZE: Final = 4


def list_ledger_leases(place: LedgerPlace, say: Say, *, till: str | None, state: str | None, as_json: bool) -> int:
    """List leases, one a line."""

    def work(book: Book) -> None:
        count, after = 0, 0
        while True:
            with book.store.read() as connection:
                page = list_leases(connection, till=till, state=state, after=after, limit=_PAGE)
            for listed in page:
                say(json.dumps(lease_tree(listed)) if as_json else _line(listed))
                count, after = count + 1, listed.number
            if len(page) < _PAGE:
                break
        if not as_json and not count:
            say("No till holds such a lease.")

    return with_book(place, say, work)


def _line(listed: ListedLease) -> str:
    lease = listed.lease
    marks = "".join(
        f", {word}" for word, at in (("revoked", listed.revoked_at), ("wanted back", listed.wanted_at)) if at
    )
    return (
        f"{lease.lease_id}  {listed.state:<9}  till {lease.till} (store {listed.store}):"
        f" {lease.amount} points of {lease.owner.kind.value} {lease.owner.owner_id} in program {lease.program_id},"
        f" {listed.settled} settled, {listed.returned} returned, {listed.held} held,"
        f" may be spent until {write_moment(lease.expires_at)}{marks}"
    )


def revoke_ledger_leases(place: LedgerPlace, say: Say, *, lease_id: str | None, till: str | None) -> int:
    """Revoke one lease, or all open ones of a till."""

    def work(book: Book) -> None:
        if lease_id is not None:
            revoke_lease(book.tools, lease_id, who=COMMAND_LINE)
            say(f"Lease {lease_id} is revoked: its till stops spending when it next hears of the ledger.")
        elif till is not None:
            count = revoke_till(book.tools, till, who=COMMAND_LINE)
            which = "1 lease is" if count == 1 else f"{count} leases are"
            say(f"{which} revoked: till {till} stops spending when it next hears of the ledger.")

    return with_book(place, say, work)


def write_off_ledger_lease(place: LedgerPlace, say: Say, *, lease_id: str) -> int:
    """Free what an expired lease still holds."""

    def work(book: Book) -> None:
        freed = Points(write_off(book.tools, lease_id, who=COMMAND_LINE))
        say(f"Lease {lease_id} is written off: {freed} points are free again.")

    return with_book(place, say, work)


def make_ledger_pass(
    place: LedgerPlace,
    say: Say,
    *,
    organisation: int | None,
    customer_id: int,
    program_id: int,
    till: str,
    max_points: str,
    valid_s: int,
    svg: Path | None,
) -> int:
    """Make a pass; it is printed once, or written as a QR code to a file that must be new."""
    points = _points(max_points)
    if points is None:
        say("--max-points: expected a number of points above zero, of at most three decimals.")
        return TROUBLE
    if svg is not None and svg.exists():
        say(f"{svg} is there already and is not overwritten: name a new file.")
        return TROUBLE

    def work(book: Book) -> None:
        wish = PassWish(
            organisation_id=_organisation(book, organisation),
            customer_id=customer_id,
            program_id=program_id,
            till=till,
            max_points=points,
            valid_s=valid_s,
        )
        try:
            made = make_pass(book.tools, wish, who=COMMAND_LINE)
        except ConflictError:
            raise CareRefusedError(
                f"Till {till} holds no open lease of this customer in program {program_id}: look her up at that till"
                " while its line is up."
            ) from None
        _hand_out(made, svg, say)

    return with_book(place, say, work)


def _points(text: str) -> Points | None:
    try:
        points = Points.of(text)
    except (NotANumberError, TooFineError):
        return None
    return points if points.thousandths > 0 else None


def _organisation(book: Book, named: int | None) -> int:
    """The organisation that was named, or the only one there is."""
    with book.store.read() as connection:
        known = sorted(book.rules(connection).organisations)
    if named is None and len(known) != 1:
        raise CareRefusedError("This ledger has several organisations: name one with --organisation.")
    number = known[0] if named is None else named
    if number not in known:
        raise CareRefusedError(f"There is no organisation {number} in this ledger.")
    return number


def _hand_out(made: MadePass, svg: Path | None, say: Say) -> None:
    until = f"for lease {made.lease_id}, until {write_moment(made.not_after)}"
    if svg is None:
        say(made.text)
        return
    _write_new(svg, qr_code(made.text))
    say(f"The pass is in {svg}, {until}. Whoever has the file can use it: give it to the customer alone.")


def qr_code(text: str) -> bytes:
    """A text as a QR code in SVG; upper-case letters and digits make a small one (sync-api 10)."""
    import segno  # Only here: nothing else draws.

    drawn = BytesIO()
    segno.make_qr(text).save(drawn, kind="svg", scale=_MODULE_SIZE)
    return drawn.getvalue()


def _write_new(file: Path, content: bytes) -> None:
    """Write a file only its owner can read."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CareRefusedError(
            f"{file} cannot be written ({error.strerror}); the pass was made, make another one."
        ) from None
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
