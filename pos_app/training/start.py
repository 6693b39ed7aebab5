"""Starts trainer mode: the till's own window over a practice ledger, with the phone and the line beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from pos_app.domain.masking import mask_mobile
from pos_app.services.till import TillServices, TillView
from pos_app.training.line import SwitchedLine
from pos_app.training.panel import TrainingPanel, dock_inside, stand_beside
from pos_app.training.phone import SimulatedPhone
from pos_app.training.tour import Script, Tour, TourFailedError
from pos_app.ui.background import Background
from pos_app.ui.main_window import MainWindow
from pos_app.ui.start import application, dress

TOUR_SCRIPT = Script(mobile="9812345678", step_points="125")


@dataclass(frozen=True, slots=True)
class Stage:
    """What trainer mode plays on: a till's services over the practice ledger, its phone, its line.

    `ring` tells the ledger that a number has called.
    """

    services: TillServices
    phone: SimulatedPhone
    line: SwitchedLine
    ring: Callable[[str], None]


class Ringing(QObject):
    """Lets the customer's phone ring in: she agrees by a call that nobody answers (ux B.9)."""

    def __init__(self, panel: TrainingPanel, stage: Stage) -> None:
        super().__init__(panel)
        self._panel = panel
        self._stage = stage
        self._background = Background(self)
        panel.ring_asked.connect(self._ring)

    @Slot()
    def _ring(self) -> None:
        mobile = self._stage.line.last_mobile
        if not mobile:
            self._panel.show_nobody_rings()
            return
        self._background.run(
            lambda: self._stage.ring(mobile),
            on_done=lambda _: self._panel.show_rang(mask_mobile(mobile)),
            on_error=lambda _: self._panel.show_not_rung(),
        )


def run_training(stage: Stage, view: TillView, tour_folder: Path | None, say: Callable[[str], None]) -> int:
    """Show the window until it is closed, or play the tour into `tour_folder`; returns the exit code."""
    app = application()
    dress(app, view)
    window = MainWindow(view)
    panel = TrainingPanel(stage.phone)
    panel.line_switched.connect(stage.line.switch)
    Ringing(panel, stage)
    window.show()
    if tour_folder is None:
        stand_beside(window, panel)
        window.activateWindow()
        window.attach(stage.services)
        code = int(app.exec())
        panel.close()
        return code
    dock_inside(window, panel)
    window.attach(stage.services)
    try:
        count = Tour(window, tour_folder, say).play(TOUR_SCRIPT)
    except TourFailedError as error:
        say(f"The tour stopped: {error}")
        return 1
    finally:
        window.close()
    say(f"{count} pictures are in {tour_folder}.")
    return 0
