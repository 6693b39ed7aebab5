"""`/admin` about leases: what tills hold, and passes for their customers (sync-api 10 and 13)."""

from __future__ import annotations

from typing import Any

import falcon

from pos_app.domain.leases import LeaseState
from pos_app.ledger.book import Book
from pos_app.ledger.care.audit import ADMIN
from pos_app.ledger.http.admin import AdminCall
from pos_app.ledger.http.admin_asked import Asked
from pos_app.ledger.http.admin_views import lease_tree
from pos_app.ledger.http.call import Call
from pos_app.ledger.leases.listing import list_leases
from pos_app.ledger.leases.passes import VALID_MAX_S, PassWish, make_pass
from pos_app.wire.formats import MalformedError
from pos_app.wire.moments import write_moment


class Leases(AdminCall):
    """`GET /admin/leases?till=&state=`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List leases, oldest first; `after` is the last `lease_number`."""
        self._serve(req, resp, self._answer)

    def _answer(self, call: Call) -> dict[str, Any]:
        asked = Asked.of_query(call)
        till, state, after = asked.text("till"), asked.text("state"), asked.number("after") or 0
        if state is not None and state not in set(LeaseState):
            raise MalformedError("state", f"one of {', '.join(LeaseState)}", "another word")
        with self._book.store.read() as connection:
            org = asked.organisation(self._book.rules(connection))
            found = list_leases(connection, org=org, till=till, state=state, after=after, limit=asked.limit)
        return {"leases": [lease_tree(each) for each in found]}


class Passes(AdminCall):
    """`POST /admin/passes`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Make a pass for a customer under an open lease of a till."""
        self._serve(req, resp, self._answer)

    def _answer(self, call: Call) -> dict[str, Any]:
        asked = Asked.of_body(call)
        customer_id, program_id = asked.needed_number("customer_id"), asked.needed_number("program_id")
        till, max_points = asked.needed("till"), asked.points("max_points")
        valid_s = asked.number("valid_s", least=1, most=VALID_MAX_S)
        if valid_s is None:
            raise MalformedError("valid_s", f"a whole number of seconds from 1 to {VALID_MAX_S}", "nothing")
        with self._book.store.read() as connection:
            rules = asked.the_organisation(self._book.rules(connection))
        wish = PassWish(
            organisation_id=rules.organisation.organisation_id,
            customer_id=customer_id,
            program_id=program_id,
            till=till,
            max_points=max_points,
            valid_s=valid_s,
        )
        made = make_pass(self._book.tools, wish, who=ADMIN)
        return {"pass": made.text, "lease_id": made.lease_id, "not_after": write_moment(made.not_after)}


def add_lease_routes(app: falcon.App[Any, Any], book: Book) -> None:
    """Add the administrator's calls about leases."""
    app.add_route("/admin/leases", Leases(book))
    app.add_route("/admin/passes", Passes(book))
