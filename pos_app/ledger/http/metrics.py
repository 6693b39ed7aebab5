"""Figures for Prometheus (sync-api 12). No person, no till, no number of anybody: routes, codes and channels only.

With several processes the library keeps each one's figures in files of a shared folder and adds them up when asked.
That is decided by `PROMETHEUS_MULTIPROC_DIR` when the library is first imported: import this module late.
"""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

from pos_app import __version__
from pos_app.ledger.figures import Happening
from pos_app.ledger.http.at_work import AtWork
from pos_app.ledger.http.call import Call
from pos_app.ledger.http.log import method_of
from pos_app.ledger.schema import SCHEMA

SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The library's name for the folder in which several processes share their figures."""

_SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counts what the face answers and what the ledger tells of itself."""

    content_type: Final = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, at_work: AtWork) -> None:
        self._shared_folder = os.environ.get(SHARED_FOLDER)
        mine = CollectorRegistry()
        self._registry = mine
        self._requests = Counter(
            "pos_ledger_requests", "Requests answered.", ("route", "method", "status"), registry=mine
        )
        self._seconds = Histogram(
            "pos_ledger_request_seconds", "Time an answer took.", ("route",), buckets=_SECONDS, registry=mine
        )
        self._answers = Counter("pos_ledger_answers", "Answers by item code.", ("route", "code"), registry=mine)
        self._codes = Counter(
            "pos_ledger_codes", "One-time codes by channel and outcome.", ("channel", "outcome"), registry=mine
        )
        self._database = Counter("pos_ledger_database", "Waits that were lost.", ("event", "lane"), registry=mine)
        self._leases = Counter("pos_ledger_leases", "Leases by what became of them.", ("event",), registry=mine)
        self._settled = Counter("pos_ledger_settled", "Settled rows by outcome.", ("outcome",), registry=mine)
        self._jobs = Counter("pos_ledger_jobs", "Runs of the ledger's jobs.", ("job", "outcome"), registry=mine)
        info = Gauge(
            "pos_ledger_info", "What is running.", ("version", "schema"), registry=mine, multiprocess_mode="max"
        )
        info.labels(__version__, str(SCHEMA)).set(1)
        if self._shared_folder is None:
            ProcessCollector(registry=mine)
            busy = Gauge(
                "pos_ledger_requests_at_work", "Requests at work, the one that asks among them.", registry=mine
            )
            busy.set_function(lambda: at_work.count)
        self._by_request: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._by_answer: dict[tuple[str, int], Counter] = {}

    def answered(self, call: Call, seconds: float) -> None:
        """Count one request. On the way of every answer: what the library looks up by labels is kept."""
        asked = (call.route, call.method, call.status)
        kept = self._by_request.get(asked)
        if kept is None:
            kept = self._keep_request(call)
        kept[0].inc()
        kept[1].observe(seconds)
        if call.item_code:
            answered = (call.route, call.item_code)
            answers = self._by_answer.get(answered)
            if answers is None:
                answers = self._by_answer[answered] = self._answers.labels(call.route, str(call.item_code))
            answers.inc()

    def happened(self, happening: Happening, which: str) -> None:
        """Count what the ledger tells of itself (`Figures.listen`)."""
        match happening:
            case Happening.CODE_SENT | Happening.CODE_FAILED:
                self._codes.labels(which, happening.removeprefix("code_")).inc()
            case Happening.LEASE:
                self._leases.labels(which).inc()
            case Happening.SETTLED:
                self._settled.labels(which).inc()
            case Happening.DATABASE_BUSY | Happening.DATABASE_RETRY:
                self._database.labels(happening.removeprefix("database_"), which).inc()
            case Happening.JOB_DONE | Happening.JOB_FAILED:
                self._jobs.labels(which, happening.removeprefix("job_")).inc()

    def text(self) -> bytes:
        """All figures, of all processes, as Prometheus reads them."""
        if self._shared_folder is None:
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody, path=self._shared_folder)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)

    def _keep_request(self, call: Call) -> tuple[Counter, Histogram]:
        """The counters of one kind of request. A strange method counts as `other`, and is not kept: there are many."""
        method = method_of(call)
        made = self._requests.labels(call.route, method, str(call.status)), self._seconds.labels(call.route)
        if method == call.method:
            self._by_request[call.route, call.method, call.status] = made
        return made
