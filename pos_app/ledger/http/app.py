"""The WSGI application: addresses, and what happens to every request whatever becomes of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import falcon

from pos_app.files.clock import SystemClock
from pos_app.ledger.book import Book
from pos_app.ledger.care.jobs import Jobs
from pos_app.ledger.care.moved_clock import MovedClock
from pos_app.ledger.http import admin, v2, v11
from pos_app.ledger.http.admin_leases import add_lease_routes
from pos_app.ledger.http.admin_practice import add_practice_routes
from pos_app.ledger.http.at_work import AtWork
from pos_app.ledger.http.call import CALL, QUERY_MAX, Call, new_call, take_in
from pos_app.ledger.http.docs import add_docs
from pos_app.ledger.http.door import Door
from pos_app.ledger.http.feed import ChangesCall, CustomerCall, RegularsCall, SnapshotCall
from pos_app.ledger.http.health import Healthz, MetricsCall, Readyz
from pos_app.ledger.http.intake import Intake
from pos_app.ledger.http.leases import CloseCall, HeartbeatCall, LeasesCall, SettleCall
from pos_app.ledger.http.log import log_call, log_fault
from pos_app.ledger.http.people import EnrolCall, PinCall, SignInCall
from pos_app.ledger.http.rate import RateLimit
from pos_app.ledger.http.replies import status_line, told_body
from pos_app.ledger.http.sync import CancelCall, CapabilitiesCall
from pos_app.ledger.http.telephony import PATH as TELEPHONY
from pos_app.ledger.http.telephony import MissedCalls
from pos_app.ledger.http.troubles import StoppingError, tell
from pos_app.ledger.http.turn import Turn
from pos_app.services.ports import Clock

if TYPE_CHECKING:
    from pos_app.ledger.http.metrics import Metrics

REQUEST_ID_HEADER: Final = "X-Cap-Requestid"


def make_app(
    book: Book,
    *,
    extension: bool = True,
    rate_per_minute: int | None = None,
    clock: Clock | None = None,
    test_mode: tuple[MovedClock, Jobs] | None = None,
) -> LedgerApp:
    """Make the HTTP face of a `Book`.

    Args:
        book: the ledger behind it.
        extension: False makes it a service of the v1.1 contract alone (sync-api 1, "Off by configuration").
        rate_per_minute: how many requests a till may send a minute; None: as many as it likes.
        clock: measures how long answers take; the machine's when None.
        test_mode: the book's clock and jobs, where an administrator may move the one and run the others.
    """
    from pos_app.ledger.http.metrics import Metrics  # See there: the worker process decides first.

    at_work = AtWork()
    app = LedgerApp(clock or SystemClock(), has_sync=extension, metrics=Metrics(at_work), at_work=at_work)
    book.figures.listen(app.metrics.happened)
    door = Door(book, None if rate_per_minute is None else RateLimit(rate_per_minute))
    desk = v11.Desk(book, door, extension=extension)
    read = v11.PostRead if extension else v11.Read
    app.add_route("/v1.1/points/isredeemable", read(desk, v11.check))
    app.add_route("/v1.1/points/validationcode", read(desk, v11.send_code))
    app.add_route("/v1.1/points/redeem", v11.Write(desk, v11.redeem))
    app.add_route("/v1.1/customer/get", read(desk, v11.customers))
    app.add_route("/v1.1/program/criteria", v11.Read(desk, v11.criteria))
    app.add_route("/v1.1/organization/configs", v11.Read(desk, v11.configs))
    app.add_route("/v1.1/organization/get", v11.Read(desk, v11.organisation))
    v2.add_v2_routes(app, book, door, extension=extension)
    if extension:
        app.add_route("/sync/v1/capabilities", CapabilitiesCall(book, door))
        app.add_route("/sync/v1/cancel", CancelCall(book, door))
        app.add_route("/sync/v1/enrol", EnrolCall(book, door))
        app.add_route("/sync/v1/operators/sign-in", SignInCall(book, door))
        app.add_route("/sync/v1/operators/pin", PinCall(book, door))
        app.add_route("/sync/v1/snapshot", SnapshotCall(book, door))
        app.add_route("/sync/v1/changes", ChangesCall(book, door))
        app.add_route("/sync/v1/customer", CustomerCall(book, door))
        app.add_route("/sync/v1/regulars", RegularsCall(book, door))
        app.add_route("/sync/v1/leases", LeasesCall(book, door))
        app.add_route("/sync/v1/leases/close", CloseCall(book, door))
        app.add_route("/sync/v1/settle", SettleCall(book, door))
        app.add_route("/sync/v1/heartbeat", HeartbeatCall(book, door))
    app.add_route(TELEPHONY, MissedCalls(book, door))
    add_docs(app, extension=extension)
    app.add_route("/healthz", Healthz())
    app.add_route("/readyz", Readyz(book, app.at_work))
    app.add_route("/metrics", MetricsCall(book.secrets, app.metrics))
    admin.add_routes(app, book)
    add_lease_routes(app, book)
    if test_mode is not None:
        add_practice_routes(app, book, *test_mode)
    return app


_WITHOUT_TURN: Final = frozenset(
    {
        "/v1.1/points/validationcode",
        "/v1.1/points/redeem",
        "/v2/points/reverse",
        "/sync/v1/cancel",
        "/sync/v1/enrol",
        "/sync/v1/operators/sign-in",
        "/sync/v1/operators/pin",
        "/sync/v1/snapshot",
        "/sync/v1/customer",
        "/sync/v1/leases",
        "/sync/v1/leases/close",
        "/sync/v1/settle",
        "/sync/v1/heartbeat",
        "/healthz",
        TELEPHONY,
    }
)
"""Calls that mostly wait, for the disk, a messenger or a slow hash: others compute meanwhile. And the line's probe.

A page of a snapshot computes for long: those who answer tills go on beside it.
"""

_EVEN_WHEN_STOPPING: Final = frozenset({"/healthz", "/readyz", "/metrics"})

_METHODS: Final = frozenset({"GET", "POST", "HEAD"})


class LedgerApp(falcon.App[falcon.Request, falcon.Response]):
    """Gives every request an id, bounds and a line in the log; no error leaves it unanswered."""

    def __init__(self, clock: Clock, *, has_sync: bool, metrics: Metrics, at_work: AtWork) -> None:
        super().__init__()
        self._clock = clock
        self.has_sync: Final = has_sync
        self._intake = Intake()
        self.metrics: Final = metrics
        self.at_work: Final = at_work
        self.turn: Final = Turn()
        self.add_error_handler(Exception, _answer_trouble)
        self.add_error_handler(falcon.HTTPError, _answer_trouble)  # The framework's own handler would come before.

    def __call__(self, env: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve one request (WSGI)."""
        call = new_call(env, self._clock.mono())
        env[CALL] = call

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            call.status = int(status[:3])
            headers.append((REQUEST_ID_HEADER, call.request_id))
            return start_response(status, headers)

        self.at_work.begin()
        try:
            return self._answer(call, env, start)
        except Exception as error:  # The last net: what slipped through here would be an empty answer.
            return _answer_directly(call, error, start)
        finally:
            self.at_work.end()
            ended = self._clock.mono()
            log_call(call, ended)
            self.metrics.answered(call, ended - call.started)

    def _answer(self, call: Call, env: dict[str, Any], start: Any) -> Iterable[bytes]:
        env["PATH_INFO"] = path = _path(env.get("PATH_INFO", ""))
        call.is_sync = (self.has_sync and path.startswith("/sync/")) or path.startswith(("/telephony/", admin.PATH))
        call.is_v2 = path.startswith("/v2/")
        if self.at_work.is_stopping and path not in _EVEN_WHEN_STOPPING:
            raise StoppingError
        take_in(call, env, self._intake)
        if call.method not in _METHODS:
            # The framework answers OPTIONS by itself, and 400 to what it does not know; the contract says 405.
            env["REQUEST_METHOD"] = "TRACE"
        if path in _WITHOUT_TURN or _may_send(path, call):
            return super().__call__(env, start)
        with self.turn.taken():
            return super().__call__(env, start)


_SENDS: Final = re.compile(r"issue_otp=[^&]*[t1]", re.IGNORECASE)


def _may_send(path: str, call: Call) -> bool:
    """Say whether a check asks for a code, and so waits for a messenger as `validationcode` does."""
    if path != "/v1.1/points/isredeemable":
        return False
    return bool(_SENDS.search(call.query) or _SENDS.search(call.body[:QUERY_MAX].decode("latin-1")))


def _path(path: str) -> str:
    """The path to look up: v1.1 without regard to case, because its own manual mixes it (contract 1.1)."""
    lowered = path.lower()
    return lowered if lowered.startswith("/v1.1/") else path


def _answer_trouble(req: falcon.Request, resp: falcon.Response, error: Exception, _params: object) -> None:
    """Say a trouble in the shape and format of the call; a fault of our own is logged without its text."""
    call: Call = req.env[CALL]
    told = tell(error)
    if told.is_ours:
        log_fault(call, error)
    resp.status = status_line(told.status)
    resp.set_headers(told.headers)
    resp.data, resp.content_type = told_body(call, told)


def _answer_directly(call: Call, error: Exception, start: Any) -> Iterable[bytes]:
    """Say a trouble that arose before or outside the framework."""
    told = tell(error)
    if told.is_ours:
        log_fault(call, error)
    body, kind = told_body(call, told)
    start(status_line(told.status), [("Content-Type", kind), ("Content-Length", str(len(body))), *told.headers.items()])
    return [body] if call.method != "HEAD" else []
