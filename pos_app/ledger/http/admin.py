"""`/admin`: what an administrator may see and change over HTTP (sync-api 13). Test mode has more: `admin_practice`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import falcon
from sqlalchemy import Connection, select

from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.care.admin_reads import read_entries, read_losses, read_owned_wallet, read_wallet
from pos_app.ledger.care.audit import ADMIN
from pos_app.ledger.care.till_care import TillAction, change_till, give_enrolment_code, list_tills
from pos_app.ledger.care.verify import find_differences
from pos_app.ledger.crediting import Owner
from pos_app.ledger.errors import CareRefusedError, UnknownIdError
from pos_app.ledger.http.admin_asked import Asked
from pos_app.ledger.http.admin_login import let_administrator_in
from pos_app.ledger.http.admin_views import difference_tree, entry_tree, loss_tree, till_tree, wallet_tree
from pos_app.ledger.http.call import CALL, Call
from pos_app.ledger.http.replies import status_line
from pos_app.ledger.wallet_rows import show_wallet
from pos_app.wire.formats import Format, MalformedError, content_type, dump_json
from pos_app.wire.moments import write_moment
from pos_app.wire.sync import write_sync_error

PATH: Final = "/admin/"
_CODE: Final = "enrolment_code"
_VIOLATIONS_MAX: Final = 1000


class AdminCall:
    """What all calls of `/admin` have in common."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def _serve(self, req: falcon.Request, resp: falcon.Response, answer: Callable[[Call], dict[str, Any]]) -> None:
        call: Call = req.env[CALL]
        call.route = req.uri_template or "-"
        let_administrator_in(self._book.secrets, req.env.get("HTTP_AUTHORIZATION"))
        resp.content_type = content_type(Format.JSON)
        try:
            resp.data = dump_json(answer(call))
        except CareRefusedError as error:
            status, reason = (404, "unknown") if isinstance(error, UnknownIdError) else (409, "wrong_state")
            resp.status = status_line(status)
            resp.data = write_sync_error(status, reason, str(error))

    def _shown(self, connection: Connection, row: Any | None) -> dict[str, Any]:
        if row is None:
            raise falcon.HTTPNotFound
        rules = self._book.rules(connection).organisations[row.org]
        return wallet_tree(show_wallet(connection, rules, row, self._book.clock.wall()))


class Invariants(AdminCall):
    """`GET /admin/invariants`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Say whether the sums of the ledger hold now."""
        self._serve(req, resp, self._answer)

    def _answer(self, call: Call) -> dict[str, Any]:
        asked, violations = Asked.of_query(call), []
        with self._book.store.read_aside() as connection:
            asked.organisation(self._book.rules(connection))  # The sums are those of the whole ledger all the same.
            for difference in find_differences(connection, chains=False):
                violations.append(difference_tree(difference))
                if len(violations) >= _VIOLATIONS_MAX:
                    break
        now = write_moment(self._book.clock.wall())
        return {"ok": not violations, "checked_at": now, "violations": violations}


class Entries(AdminCall):
    """`GET /admin/entries?key=` or `?wallet_id=`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List entries, oldest first; `after` is the last entry's id."""
        self._serve(req, resp, self._answer)

    def _answer(self, call: Call) -> dict[str, Any]:
        asked = Asked.of_query(call)
        key, wallet_id = asked.text("key"), asked.number("wallet_id")
        if key is None and wallet_id is None:
            raise MalformedError("key", "a key, or a wallet_id", "nothing")
        after = asked.number("after") or 0
        with self._book.store.read() as connection:
            org = asked.organisation(self._book.rules(connection))
            if wallet_id is not None and read_wallet(connection, org=org, wallet_id=wallet_id) is None:
                raise falcon.HTTPNotFound
            rows = read_entries(connection, org=org, key=key, wallet_id=wallet_id, after=after, limit=asked.limit)
        return {"entries": [entry_tree(row) for row in rows]}


class WalletById(AdminCall):
    """`GET /admin/wallet/{id}`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, wallet_id: str) -> None:
        """Show a wallet."""

        def answer(call: Call) -> dict[str, Any]:
            number = Asked({"wallet_id": wallet_id}).needed_number("wallet_id")
            with self._book.store.read() as connection:
                org = Asked.of_query(call).organisation(self._book.rules(connection))
                return self._shown(connection, read_wallet(connection, org=org, wallet_id=number))

        self._serve(req, resp, answer)


class WalletOfSomebody(AdminCall):
    """`GET /admin/wallet?customer_id=&program_id=`, or by `family_group_id`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show a wallet."""
        self._serve(req, resp, self._answer)

    def _answer(self, call: Call) -> dict[str, Any]:
        asked = Asked.of_query(call)
        program_id = asked.needed_number("program_id")
        with self._book.store.read() as connection:
            rules = asked.the_organisation(self._book.rules(connection))
            owner = owner_of(asked, rules.organisation.organisation_id)
            return self._shown(connection, read_owned_wallet(connection, owner, program_id))


def owner_of(asked: Asked, org: int) -> Owner:
    """Whose wallet is meant. Raises: MalformedError."""
    group_id = asked.number("family_group_id")
    customer_id = asked.needed_number("customer_id") if group_id is None else asked.number("customer_id")
    if group_id is not None and customer_id is not None:
        raise MalformedError("family_group_id", "either a customer_id or a family_group_id", "both")
    return Owner(organisation_id=org, customer_id=customer_id, family_group_id=group_id)


class Losses(AdminCall):
    """`GET /admin/loss?store=`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List what stores gave away that no wallet could pay; `after` is the last `loss_id`."""
        self._serve(req, resp, self._answer)

    def _answer(self, call: Call) -> dict[str, Any]:
        asked = Asked.of_query(call)
        store, after = asked.text("store"), asked.number("after") or 0
        with self._book.store.read() as connection:
            org = asked.organisation(self._book.rules(connection))
            rows, lost = read_losses(connection, org=org, store=store, after=after, limit=asked.limit)
        return {"loss": [loss_tree(row) for row in rows], "total": str(lost)}


class Tills(AdminCall):
    """`GET /admin/tills`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List tills by their logins; `after` is the last login."""
        self._serve(req, resp, self._answer)

    def _answer(self, call: Call) -> dict[str, Any]:
        asked = Asked.of_query(call)
        after = asked.text("after") or ""
        self._book.seen.write_down()
        with self._book.store.read() as connection:
            org = asked.organisation(self._book.rules(connection))
            known = [till for till in list_tills(connection, org) if till.login > after]
        return {"tills": [till_tree(till) for till in sorted(known, key=lambda till: till.login)[: asked.limit]]}


class TillCare(AdminCall):
    """`POST /admin/till`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Take a till out of service or back, or make it an enrolment code."""
        self._serve(req, resp, self._answer)

    def _answer(self, call: Call) -> dict[str, Any]:
        asked, tools = Asked.of_body(call), self._book.tools
        login, action = asked.needed("login"), asked.needed("action")
        actions = (*TillAction, _CODE)
        if action not in actions:
            raise MalformedError("action", f"one of {', '.join(actions)}", "another word")
        with self._book.store.read() as connection:
            rules = self._book.rules(connection)
            org, till = asked.organisation(rules), rules.tills.get(login)
        if till is None or org not in (None, till.organisation_id):
            raise falcon.HTTPNotFound
        if action == _CODE:
            code = give_enrolment_code(tools, login, who=ADMIN)
            return {"login": login, "state": self._state_of(login), _CODE: code}
        return {"login": login, "state": change_till(tools, login, TillAction(action), who=ADMIN), _CODE: None}

    def _state_of(self, login: str) -> str:
        with self._book.store.read() as connection:
            found = connection.execute(select(schema.till.c.state).where(schema.till.c.login == login))
            return str(found.scalar_one())


def add_routes(app: falcon.App[Any, Any], book: Book) -> None:
    """Add the administrator's calls but those about leases (`admin_leases`)."""
    app.add_route("/admin/invariants", Invariants(book))
    app.add_route("/admin/entries", Entries(book))
    app.add_route("/admin/wallet/{wallet_id}", WalletById(book))
    app.add_route("/admin/wallet", WalletOfSomebody(book))
    app.add_route("/admin/loss", Losses(book))
    app.add_route("/admin/tills", Tills(book))
    app.add_route("/admin/till", TillCare(book))
