"""The left column: the five steps of a question in a scroll area, and Check below it, always in view (ux B.1)."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from pos_app.ui.confirm_form import ConfirmForm
from pos_app.ui.controls import Button
from pos_app.ui.customer_form import CustomerForm
from pos_app.ui.handles import named, set_choice
from pos_app.ui.points_form import PointsForm
from pos_app.ui.program_form import ProgramForm
from pos_app.ui.theme import GAP_PX


class _DownOnly(QScrollArea):
    """A scroll area as wide as what stands in it: it scrolls up and down only."""

    def __init__(self, inner: QWidget) -> None:
        super().__init__()
        self._inner = inner
        self.setWidget(inner)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for the widest step and the bar beside it."""
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self._inner.minimumSizeHint().width() + bar, super().minimumSizeHint().height())


class EntryColumn(QWidget):
    """Everything that is asked of the cashier.

    Signals:
        changed: any input changed.
        check_asked: Enter in the points field, or Check.
    """

    changed = Signal()
    check_asked = Signal()

    def __init__(self, theme: str) -> None:
        super().__init__()
        named(self, "entry")
        self.customer = CustomerForm()
        self.points = PointsForm()
        self.programs = ProgramForm()
        self.confirm = ConfirmForm(theme)
        self.check = named(
            Button(self.tr("Check points  F5"), role="primary"), "checkButton", self.tr("Check points"), "F5"
        )
        self._lay_out()
        for form in (self.customer, self.points, self.programs, self.confirm):
            form.changed.connect(self.changed)
        self.points.check_asked.connect(self.check_asked)
        self.check.clicked.connect(self.check_asked)

    def _lay_out(self) -> None:
        column = named(QWidget(), "entryColumn")
        steps = QVBoxLayout(column)
        steps.setContentsMargins(0, 0, 0, 0)
        steps.setSpacing(GAP_PX)
        for form in (self.customer, self.points, self.programs, self.confirm):
            steps.addWidget(form)
        steps.addStretch(1)
        self.scroller = named(_DownOnly(column), "entryScroll", self.tr("Entry"))
        self.scroller.setFrameShape(QFrame.Shape.NoFrame)
        self.scroller.setWidgetResizable(True)
        set_choice(self.scroller, "horizontalScrollBarPolicy", "ScrollBarAlwaysOff")
        set_choice(self.scroller, "focusPolicy", "NoFocus")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_PX)
        layout.addWidget(self.scroller, 1)
        layout.addWidget(self.check)

    def clear(self) -> None:
        """A new customer: forget everything that was entered."""
        for form in (self.customer, self.points, self.programs, self.confirm):
            form.clear()
        self.changed.emit()
