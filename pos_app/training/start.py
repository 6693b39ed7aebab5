"""Starts trainer mode: the till's own window over a practice ledger, with the phone and the line beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pos_app.services.till import TillServices, TillView
from pos_app.training.line import SwitchedLine
from pos_app.training.panel import TrainingPanel, dock_inside, stand_beside
from pos_app.training.phone import SimulatedPhone
from pos_app.training.tour import Script, Tour, TourFailedError
from pos_app.ui.main_window import MainWindow
from pos_app.ui.start import application, dress

TOUR_SCRIPT = Script(mobile="9812345678", step_points="125")


@dataclass(frozen=True, slots=True)
class Stage:
    """What trainer mode plays on: a till's services over the practice ledger, its phone, its line."""

    services: TillServices
    phone: SimulatedPhone
    line: SwitchedLine


def run_training(stage: Stage, view: TillView, tour_folder: Path | None, say: Callable[[str], None]) -> int:
    """Show the window until it is closed, or play the tour into `tour_folder`; returns the exit code."""
    app = application()
    dress(app, view)
    window = MainWindow(view)
    panel = TrainingPanel(stage.phone)
    panel.line_switched.connect(stage.line.switch)
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
