"""What tills spend without a line: leases, settling, heartbeats (sync-api 6, 7 and 9)."""

from __future__ import annotations

import falcon

from pos_app.ledger.http.call import Call
from pos_app.ledger.http.sync import SyncCall
from pos_app.ledger.tills import Till
from pos_app.wire.heartbeats import read_heartbeat, write_heartbeat_answer
from pos_app.wire.leases import read_close, read_lease_requests, write_freed, write_lease_results
from pos_app.wire.settling import read_settle, write_settle_answer


class LeasesCall(SyncCall):
    """`POST /sync/v1/leases`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Set points aside for a till."""
        self._serve(req, resp, self._answer)

    def _answer(self, till: Till, call: Call) -> bytes:
        till_epoch, requests = read_lease_requests(call.body)
        results = self._book.lease(till, till_epoch, requests)
        return write_lease_results(self._book.clock.wall(), results)


class CloseCall(SyncCall):
    """`POST /sync/v1/leases/close`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Take leases back."""
        self._serve(req, resp, self._answer)

    def _answer(self, till: Till, call: Call) -> bytes:
        return write_freed(self._book.close_leases(till, *read_close(call.body)))


class SettleCall(SyncCall):
    """`POST /sync/v1/settle`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Charge what was redeemed without a line. A till out of service may tell it too: the goods are gone."""
        self._serve(req, resp, self._answer, in_any_state=True)

    def _answer(self, till: Till, call: Call) -> bytes:
        return write_settle_answer(self._book.settle(till, *read_settle(call.body)))


class HeartbeatCall(SyncCall):
    """`POST /sync/v1/heartbeat`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Hear how a till is; one that is out of service is told so."""
        self._serve(req, resp, self._answer, in_any_state=True)

    def _answer(self, till: Till, call: Call) -> bytes:
        return write_heartbeat_answer(self._book.heartbeat(till, read_heartbeat(call.body)))
