"""Looks after the till itself: the line, the rules, and what waits in the outbox (ux B.1 header, reliability 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from pos_app.domain.answers import TillInfo
from pos_app.domain.facts import Organisation, Program
from pos_app.domain.redemption import Redemption, State
from pos_app.domain.trouble import Trouble
from pos_app.services.results import LineState, LineView
from pos_app.services.syncing import SyncView
from pos_app.services.till import TillServices
from pos_app.ui.background import Background
from pos_app.ui.formats import time_text
from pos_app.ui.header import Header
from pos_app.ui.serving import MADE_HERE, Serving
from pos_app.ui.status_words import sync_texts
from pos_app.ui.wording import age_phrase, for_trouble

UNSURE_MAX: Final = timedelta(hours=24)
"""A redemption without a sure answer is not sent by itself after this long: somebody must look (4.2)."""
AGE_TICK_MS: Final = 30_000
RULES_AGAIN_MS: Final = 15 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Known:
    """What the till knows of programs and organisation; `synced_at` None: nothing new was fetched."""

    programs: tuple[Program, ...]
    organisation: Organisation | None
    till: TillInfo | None
    synced_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outbox:
    """What changed in the outbox, all that is still open, and what a supervisor must decide, ended or not."""

    open_rows: tuple[Redemption, ...]
    needing: frozenset[str]
    changed: tuple[Redemption, ...] = ()


class TillPresenter(QObject):
    """Joins the header to the line, the rules and the outbox. Each timer starts anew only when its work has ended.

    Signals:
        went_down: there is no line any more.
        came_back: the line was down and is there again.
        knows: programs or the organisation's switches are known, or newly known.
        resumed: at start, the redemptions without a sure answer. arg: tuple of rows, oldest first.
        outbox_moved: rows that the outbox changed. arg: tuple of rows.
    """

    went_down = Signal()
    came_back = Signal()
    knows = Signal()
    resumed = Signal(object)
    outbox_moved = Signal(object)

    def __init__(
        self,
        header: Header,
        background: Background,
        services: TillServices,
        serving: Serving,
        *,
        probe_s: float,
        drain_s: float,
    ) -> None:
        super().__init__(header)
        self._header = header
        self._background = background
        self._services = services
        self._serving = serving
        self._synced_at: datetime | None = None
        self._feed: SyncView | None = None
        self._line_state = LineState.UNKNOWN
        self._is_resumed = False
        self._probe = self._timer(round(probe_s * 1000), self._ask_line)
        self._drain = self._timer(round(drain_s * 1000), self._ask_outbox)
        self._rules = self._timer(RULES_AGAIN_MS, self._ask_rules)
        self._ages = QTimer(self)
        self._ages.setInterval(AGE_TICK_MS)
        self._ages.timeout.connect(self._show_sync)

    def begin(self) -> None:
        """The services are there: read what is open, ask the line, fetch the rules."""
        self._background.run(self._resume, on_done=self._show_resumed, on_error=self._resume_failed)
        self.read_known()
        self._ask_line()
        self._ages.start()

    def stop(self) -> None:
        """The window closes: no timer goes on."""
        for timer in (self._probe, self._drain, self._rules, self._ages):
            timer.stop()

    @Slot()
    def refresh_line(self) -> None:
        """A service has just met the line: show what it learnt."""
        self._show_line(self._services.line.view)

    @Slot()
    def read_known(self) -> None:
        """A lookup may have taught the till a program: read again what is known here, asking nobody."""
        self._background.run(self._read_known, on_done=self._show_known, on_error=self._ignore, lane="known")

    @Slot()
    def count_outbox(self) -> None:
        """Count what is open, without sending anything."""
        self._background.run(self._read_open, on_done=self._show_outbox, on_error=self._ignore)

    # The line

    @Slot()
    def _ask_line(self) -> None:
        self._background.run(self._services.line.probe, on_done=self._show_probed, on_error=self._probe_failed)

    def _show_probed(self, view: LineView) -> None:
        self._show_line(view)
        self._probe.start()

    def _probe_failed(self, _error: Exception) -> None:
        self._probe.start()

    def _show_line(self, view: LineView) -> None:
        before, self._line_state = self._line_state, view.state
        is_back = view.state is LineState.ONLINE and before is not LineState.ONLINE
        words = {
            LineState.ONLINE: (self.tr("Online"), self.tr("Connection: online")),
            LineState.OFFLINE: (self.tr("Offline"), self.tr("Connection: offline")),
            LineState.UNKNOWN: (self.tr("Not known yet"), self.tr("Connection: not known yet")),
        }
        word, name = words[view.state]
        since = self.tr("Since {time}").format(time=time_text(view.since))
        if view.trouble is not None and view.state is LineState.OFFLINE:
            since = self.tr("{since}. {why}").format(since=since, why=for_trouble(view.trouble).reason)
        self._header.show_line(view.state.value, word, name, since)
        if is_back:
            self._ask_rules()
            self._ask_outbox()
        if view.state is LineState.OFFLINE and before is not LineState.OFFLINE:
            self.went_down.emit()
        if is_back and before is LineState.OFFLINE:
            self.came_back.emit()

    # Rules and programs

    @Slot()
    def _ask_rules(self) -> None:
        self._rules.stop()
        if self._background.is_running("rules"):
            return
        self._background.run(self._fetch_known, on_done=self._show_known, on_error=self._rules_failed, lane="rules")

    def _fetch_known(self) -> Known:
        self._services.lookup.refresh_rules()
        known = self._read_known()
        return replace(known, synced_at=self._services.clock.wall())

    def _read_known(self) -> Known:
        lookup = self._services.lookup
        return Known(tuple(lookup.programs()), lookup.organisation(), lookup.till(), None)

    def _show_known(self, known: Known) -> None:
        self._serving.programs = known.programs
        if known.organisation is not None:
            self._serving.organisation = known.organisation
        if known.till is not None:
            self._header.show_place(known.till.store, known.till.name or known.till.login)
        if known.synced_at is not None:
            self._synced_at = known.synced_at
            self._rules.start()
        self._show_sync()
        self.knows.emit()

    def _rules_failed(self, error: Exception) -> None:
        self._rules.start()
        if isinstance(error, Trouble):
            self.refresh_line()

    @Slot(object)
    def show_feed(self, view: SyncView) -> None:
        """How far the feed is: it says more of the age of what is kept here than the rules do."""
        self._feed = view
        self._show_sync()

    @Slot()
    def _show_sync(self) -> None:
        told = None if self._feed is None else sync_texts(self._feed, self._services.clock.wall())
        if told is not None:
            self._header.show_sync(*told)
            return
        if self._synced_at is None:
            return
        time = time_text(self._synced_at)
        age_s = (self._services.clock.wall() - self._synced_at).total_seconds()
        ago = self.tr("{age} ago").format(age=age_phrase(age_s))
        self._header.show_sync(
            self.tr("Synced {time}").format(time=time), self.tr("Last sync {time}").format(time=time), ago
        )

    # The outbox

    @Slot()
    def _ask_outbox(self) -> None:
        self._drain.stop()
        if not self._is_resumed or self._background.is_running("outbox"):
            return  # Before `resume` has told what was open, what the outbox finds out would be shown too early.
        self._background.run(self._send_due, on_done=self._show_sent, on_error=self._drain_failed, lane="outbox")

    def _send_due(self) -> Outbox:
        """Send what is due, and see what was told by itself since: what was redeemed here is settled by the rounds."""
        redemptions, before = self._services.redemptions, self._serving.open_rows
        changed = {row.key: row for row in redemptions.drain()}
        read = self._read_open()
        still = {row.key for row in read.open_rows}
        changed |= {
            row.key: redemptions.get(row.key) for row in before if row.kind in MADE_HERE and row.key not in still
        }
        return replace(read, changed=tuple(changed.values()))

    def _resume(self) -> Outbox:
        self._services.redemptions.resume()
        return self._read_open()

    def _read_open(self) -> Outbox:
        rows, now = tuple(self._services.redemptions.open_redemptions()), self._services.clock.wall()
        journal = self._services.journal
        waiting = () if journal is None else journal.attention()
        needing = {row.key for row in rows if _needs_attention(row, now)} | {row.key for row in waiting}
        return Outbox(rows, frozenset(needing))

    def _show_sent(self, outbox: Outbox) -> None:
        self._show_outbox(outbox)
        if outbox.changed:
            self.outbox_moved.emit(outbox.changed)
            self.refresh_line()
        self._drain.start()

    def _drain_failed(self, _error: Exception) -> None:
        self._drain.start()

    def _show_resumed(self, outbox: Outbox) -> None:
        self._is_resumed = True
        self._show_outbox(outbox)
        self.resumed.emit(outbox.open_rows)
        self._drain.start()

    def _resume_failed(self, _error: Exception) -> None:
        self._is_resumed = True
        self._drain.start()

    def _show_outbox(self, outbox: Outbox) -> None:
        self._serving.open_rows = outbox.open_rows
        waiting = sum(row.key not in outbox.needing for row in outbox.open_rows)
        self._header.show_outbox(waiting, len(outbox.needing))

    def _ignore(self, _error: Exception) -> None:
        """Logged at the door; the header keeps saying what it said."""

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer


def _needs_attention(row: Redemption, now: datetime) -> bool:
    return row.state is State.PARKED or (row.state is State.UNKNOWN and now - row.created_at > UNSURE_MAX)
