"""The one way to change the verdict panel: what is shown is announced too, and nothing else says it (ux B.4)."""

from __future__ import annotations

from PySide6.QtCore import QObject

from pos_app.ui.announce import Announcer
from pos_app.ui.panel import ASSERTIVE, SILENT, PanelView
from pos_app.ui.verdict_panel import VerdictPanel


class Board(QObject):
    """Shows views on the panel and announces each new one once."""

    def __init__(self, panel: VerdictPanel, announcer: Announcer) -> None:
        super().__init__(panel)
        self._panel = panel
        self._announcer = announcer

    @property
    def view(self) -> PanelView:
        """What is shown."""
        return self._panel.view

    @property
    def is_redeem_ready(self) -> bool:
        """Say whether F8 does something now."""
        return self._panel.is_redeem_ready

    def show(self, view: PanelView, *, is_quiet: bool = False) -> None:
        """Show a view. It is announced when its words are new, unless `is_quiet`."""
        before = self._panel.view
        self._panel.show_view(view)
        if is_quiet or view.state in SILENT or view.announcement == before.announcement:
            return
        self.say(view)

    def say(self, view: PanelView) -> None:
        """Announce a view: assertive where the cashier must stop."""
        self._announcer.say(view.announcement, is_assertive=view.state in ASSERTIVE)

    def set_stale(self, is_stale: bool, note: str = "") -> None:
        """Dim the verdict, or make it bright again; `note` says more than "changed"."""
        self._panel.set_stale(is_stale, note)
