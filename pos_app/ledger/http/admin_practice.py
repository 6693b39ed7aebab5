"""What `/admin` does only in test mode (sync-api 13): moves the clock, gives points, changes family groups."""

from __future__ import annotations

from typing import Any, Final

import falcon

from pos_app.ledger.book import Book
from pos_app.ledger.care.admin_reads import read_wallet
from pos_app.ledger.care.jobs import Jobs
from pos_app.ledger.care.moved_clock import MovedClock
from pos_app.ledger.care.practice_moves import Credit, GroupChange, change_family_group, earn
from pos_app.ledger.http.admin import AdminCall, owner_of
from pos_app.ledger.http.admin_asked import Asked, whole
from pos_app.ledger.http.admin_views import family_group_tree
from pos_app.ledger.http.call import Call
from pos_app.wire.formats import MalformedError, kind_of
from pos_app.wire.moments import write_moment

_STATUSES: Final = ("ACTIVE", "INACTIVE", "DELETED")
_SECONDS_MAX: Final = 100 * 366 * 24 * 3600


class Tick(AdminCall):
    """`POST /admin/tick`."""

    def __init__(self, book: Book, clock: MovedClock, jobs: Jobs) -> None:
        super().__init__(book)
        self._clock = clock
        self._jobs = jobs

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Move the ledger's clock on, and run its jobs now."""
        self._serve(req, resp, self._answer)

    def _answer(self, call: Call) -> dict[str, Any]:
        self._clock.move(Asked.of_body(call).number("seconds", most=_SECONDS_MAX) or 0)
        self._jobs.run(at_once=True)
        return {"server_time": write_moment(self._clock.wall())}


class CreditCall(AdminCall):
    """`POST /admin/credit`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give points by one earn entry, and show the wallet."""
        self._serve(req, resp, self._answer)

    def _answer(self, call: Call) -> dict[str, Any]:
        asked = Asked.of_body(call)
        with self._book.store.read() as connection:
            rules = asked.the_organisation(self._book.rules(connection))
        org = rules.organisation.organisation_id
        credit = Credit(
            owner=owner_of(asked, org),
            program_id=asked.needed_number("program_id"),
            points=asked.points("points"),
            expires_on=asked.day("expires_on"),
            awarded_on=asked.day("awarded_on"),
        )
        wallet_id = earn(self._book.tools, credit)
        with self._book.store.read() as connection:
            return self._shown(connection, read_wallet(connection, org=org, wallet_id=wallet_id))


class FamilyGroupCall(AdminCall):
    """`POST /admin/family-group`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Change a family group, and show it."""
        self._serve(req, resp, self._answer)

    def _answer(self, call: Call) -> dict[str, Any]:
        asked = Asked.of_body(call)
        with self._book.store.read() as connection:
            rules = asked.the_organisation(self._book.rules(connection))
        status = asked.text("status")
        if status is not None and status not in _STATUSES:
            raise MalformedError("status", f"one of {', '.join(_STATUSES)}", "another word")
        change = GroupChange(
            organisation_id=rules.organisation.organisation_id,
            group_id=asked.needed_number("id"),
            add=[_member(each, place) for place, each in enumerate(asked.list_of("add"))],
            remove=[_number(each, f"remove[{place}]") for place, each in enumerate(asked.list_of("remove"))],
            status=status,
        )
        return family_group_tree(*change_family_group(self._book.tools, change))


def _member(value: object, place: int) -> tuple[int, bool]:
    if not isinstance(value, dict):
        raise MalformedError(f"add[{place}]", "an object", kind_of(value))
    may_redeem = value.get("may_redeem", True)
    if not isinstance(may_redeem, bool):
        raise MalformedError(f"add[{place}].may_redeem", "true or false", kind_of(may_redeem))
    return _number(value.get("customer_id"), f"add[{place}].customer_id"), may_redeem


def _number(value: object, name: str) -> int:
    found = whole(value, name)
    if found is None:
        raise MalformedError(name, "a customer's number", "nothing")
    return found


def add_practice_routes(app: falcon.App[Any, Any], book: Book, clock: MovedClock, jobs: Jobs) -> None:
    """Add the calls of test mode."""
    app.add_route("/admin/tick", Tick(book, clock, jobs))
    app.add_route("/admin/credit", CreditCall(book))
    app.add_route("/admin/family-group", FamilyGroupCall(book))
