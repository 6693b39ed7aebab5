"""`POST /telephony/v1/missed-calls`: a telephony service tells that somebody called (sync-api 12)."""

from __future__ import annotations

from functools import partial

import falcon

from pos_app.ledger.book import Book
from pos_app.ledger.call_reports import find_telephony, may_report, report
from pos_app.ledger.http.call import CALL, Call
from pos_app.ledger.http.door import Door
from pos_app.ledger.http.login import read_login
from pos_app.ledger.http.troubles import NotAuthenticatedError
from pos_app.ledger.tills import Till
from pos_app.wire.formats import Format, content_type
from pos_app.wire.telephony import ACCEPTED, read_missed_call

PATH = "/telephony/v1/missed-calls"


class MissedCalls:
    """Takes reports of calls. It answers alike whether the number is a customer's or a stranger's."""

    def __init__(self, book: Book, door: Door) -> None:
        self._book = book
        self._door = door

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Write a call down. Who may: the organisation's telephony login where it has one, else any of its tills.

        Raises:
            NotAuthenticatedError: neither, or a wrong password.
            MalformedError: the report cannot be read.
        """
        call: Call = req.env[CALL]
        call.route = PATH
        authorization = req.env.get("HTTP_AUTHORIZATION")
        login = read_login(authorization)
        org = None if login is None else find_telephony(self._book.tools, *login)
        if login is not None and org is not None:
            call.login = login[0]
            report(self._book.tools, org, read_missed_call(call.body))
        else:
            self._door.let_in(call, authorization, partial(self._by_till, call), in_any_state=True)
        resp.status = falcon.HTTP_202
        resp.data, resp.content_type = ACCEPTED, content_type(Format.JSON)

    def _by_till(self, call: Call, till: Till) -> None:
        if not may_report(self._book.tools, till):
            raise NotAuthenticatedError
        report(self._book.tools, till.organisation_id, read_missed_call(call.body))
