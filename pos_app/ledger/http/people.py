"""Tills enrol and operators prove their PINs (sync-api 4.1 and 4.2)."""

from __future__ import annotations

import falcon

from pos_app.ledger.http.call import Call
from pos_app.ledger.http.sync import SyncCall
from pos_app.ledger.staff.enrolment import enrol
from pos_app.ledger.staff.operators import change_pin, sign_in
from pos_app.ledger.tills import Till
from pos_app.wire.operators import read_change_pin, read_enrol, read_sign_in, write_nothing, write_signed_in
from pos_app.wire.sync import write_capabilities


class EnrolCall(SyncCall):
    """`POST /sync/v1/enrol`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Take the till's key. A lost till may ask: enrolling again is how it comes back."""
        self._serve(req, resp, self._answer, in_any_state=True)

    def _answer(self, till: Till, call: Call) -> bytes:
        enrolled = enrol(self._book.tools, till, read_enrol(call.body))
        return write_capabilities(self._book.capabilities(enrolled))


class SignInCall(SyncCall):
    """`POST /sync/v1/operators/sign-in`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Compare an operator's PIN."""
        self._serve(req, resp, self._answer)

    def _answer(self, till: Till, call: Call) -> bytes:
        return write_signed_in(sign_in(self._book.tools, till, read_sign_in(call.body)))


class PinCall(SyncCall):
    """`POST /sync/v1/operators/pin`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give an operator another PIN."""
        self._serve(req, resp, self._answer)

    def _answer(self, till: Till, call: Call) -> bytes:
        change_pin(self._book.tools, till, read_change_pin(call.body))
        return write_nothing()
