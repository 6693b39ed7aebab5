"""Keeps the points within the sale: what is due, what fits, and the bill number that travels along (ux B.4, "Bill")."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from PySide6.QtCore import QObject, QTimer, Signal

from pos_app.domain.money import Rounding, minor_digits, points_for, worth_of
from pos_app.domain.points import NotANumberError, Points, read_decimal
from pos_app.services.results import Checked
from pos_app.ui.bill_form import OFF, REQUIRED, BillForm
from pos_app.ui.verdict_words import OverBill

SETTLE_MS = 400
"""A pause in typing: "2" on the way to "250" is not yet the amount due."""


@dataclass(frozen=True, slots=True)
class _Unread:
    """The amount due is no amount."""


class BillPresenter(QObject):
    """Reads the bill fields. The ledger knows nothing of the amount due: the rule is the till's own.

    Signals:
        changed: the amount due changed, after a short pause.
    """

    changed = Signal()

    def __init__(self, form: BillForm) -> None:
        super().__init__(form)
        self._form = form
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(SETTLE_MS)
        self._pause.timeout.connect(self.changed)
        form.changed.connect(self._pause.start)

    @property
    def number(self) -> str | None:
        """The bill number, None when there is none."""
        return self._form.number or None if self._form.mode != OFF else None

    def over(self, checked: Checked) -> OverBill | None:
        """What is due and what fits, when the points are worth more than the amount due; else None."""
        due = self._due(checked.organisation.currency)
        if not isinstance(due, Decimal) or checked.worth is None or checked.worth <= due:
            return None
        return OverBill(due, fitting_points(checked, due))

    def is_ready_for(self, checked: Checked) -> bool:
        """Say whether the fields allow redeeming now; what is missing is told and gets the cursor."""
        if self._pause.isActive():
            self._pause.stop()
            self.changed.emit()
        if self._form.mode == OFF:
            return True
        if isinstance(self._due(checked.organisation.currency), _Unread):
            self._form.refuse_due(self.tr("Type the amount due as a number, for example 120.50."))
            return False
        if self._form.mode == REQUIRED and not self._form.number:
            self._form.refuse_number(self.tr("Type the bill number first."))
            return False
        return self.over(checked) is None

    def clear(self) -> None:
        """The next customer has another bill."""
        self._form.clear()
        self._pause.stop()

    def _due(self, currency: str) -> Decimal | _Unread | None:
        if self._form.mode == OFF or not self._form.due:
            return None
        try:
            due = read_decimal(self._form.due)
        except NotANumberError:
            return _Unread()
        exponent = due.normalize().as_tuple().exponent
        if due < 0 or (isinstance(exponent, int) and -exponent > minor_digits(currency)):
            return _Unread()
        return due


def fitting_points(checked: Checked, due: Decimal) -> Points | None:
    """The most points worth no more than `due` that the known rules allow; None when there are none."""
    program = checked.program
    if program is None or not program.ratio or program.ratio <= 0:
        return None
    most = points_for(due, program.ratio, program.decimals, Rounding.FLOOR)
    rules = program.criteria
    step = rules.multiple_of or Points(0)
    if step:
        most = Points(most.thousandths - most.thousandths % step.thousandths)
    currency = checked.organisation.currency
    if most <= Points(0) or most < (rules.minimum or Points(0)) or worth_of(most, program.ratio, currency) > due:
        return None
    return most
