"""The two pages of the confirmation dialog: the code, and the missed call (ux B.5)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from pos_app.services.ports import Clock
from pos_app.ui.code_field import CodeField
from pos_app.ui.code_parts import Countdown, ResendButton
from pos_app.ui.code_sendings import Sendings
from pos_app.ui.controls import heading, text_label
from pos_app.ui.formats import isolated
from pos_app.ui.handles import named, set_state
from pos_app.ui.theme import CONTROL_PX, GAP_PX
from pos_app.ui.till_dialog import column, dialog_button, message_label, row_of_widgets, show_message

PAGE_WIDTH = 488


class CodePage(QWidget):
    """One field for the code, how long it lives, and what to do when it does not arrive."""

    def __init__(self, clock: Clock, masked: str, sendings: Sendings, *, has_missed_call: bool) -> None:
        super().__init__()
        self.field = named(CodeField(clock), "codeField", self.tr("Code"), self.tr("letters and numbers"))
        self.field.setMinimumHeight(CONTROL_PX)
        self.countdown = Countdown(clock, self)
        self.resend = ResendButton(sendings)
        self.call_instead = dialog_button(self.tr("Missed call"), "callInsteadButton")
        self.call_instead.setVisible(has_missed_call)
        self.supervisor = dialog_button(self.tr("Supervisor…"), "codeSupervisor", self.tr("Ask a supervisor"))
        self.confirm = dialog_button(self.tr("Confirm code"), "codeConfirm", self.tr("Confirm code"), "primary")
        self.close_button = dialog_button(self.tr("Close"), "codeClose")
        self.sent_note = text_label("codeSentNote", "hint")
        self._message = message_label("codeMessage")
        self._purpose = text_label("codePurpose", "heading")
        self._lay_out(masked)

    def show_purpose(self, points_text: str, customer_name: str) -> None:
        """Say what the code is for: the cashier confirms this and nothing else."""
        if customer_name:
            self._purpose.setText(self.tr("Redeem {points} for {name}").format(points=points_text, name=customer_name))
        else:
            self._purpose.setText(self.tr("Redeem {points}").format(points=points_text))

    def show_problem(self, message: str, state: str) -> None:
        """Say under the field what is wrong; "" says nothing any more."""
        show_message(self._message, message, state)
        set_state(self.field, state if state == "refused" else "")

    def set_busy(self, is_busy: bool) -> None:
        """Show that an answer is awaited."""
        self.field.setReadOnly(is_busy)
        self.field.deselect()
        self.confirm.setText(self.tr("Checking…") if is_busy else self.tr("Confirm code"))
        self.call_instead.setEnabled(not is_busy)
        self.resend.hold(is_busy)

    def take_focus(self) -> None:
        """The cursor belongs into the field."""
        self.field.setFocus()

    def _lay_out(self, masked: str) -> None:
        where = text_label("codeSentTo")
        where.setText(self.tr("Code sent by text to {masked}").format(masked=isolated(masked)))
        letters = text_label("codeHint", "hint", wraps=False)
        letters.setText(self.tr("letters and numbers"))
        layout = column(self, width=PAGE_WIDTH)
        layout.addWidget(where)
        layout.addWidget(heading(self.tr("Code"), self.field))
        layout.addLayout(row_of_widgets(self.field, letters))
        layout.addWidget(self.countdown)
        layout.addWidget(self._message)
        layout.addWidget(heading(self.tr("Not arrived?")))
        layout.addLayout(row_of_widgets(self.resend, self.call_instead, self.supervisor, None))
        layout.addWidget(self.sent_note)
        layout.addStretch(1)
        layout.addSpacing(GAP_PX)
        layout.addWidget(self._purpose)
        layout.addSpacing(GAP_PX)
        layout.addLayout(row_of_widgets(self.close_button, None, self.confirm))


class CallPage(QWidget):
    """The number to ring and a look for the call. There is no code field here (ux W6)."""

    def __init__(self, masked: str, customer_name: str, number: str) -> None:
        super().__init__()
        self.check = dialog_button(
            self.tr("Check for the call"), "callCheckButton", self.tr("Check for the call"), "primary"
        )
        self.text_instead = dialog_button(self.tr("Text a code instead"), "textInsteadButton")
        self.supervisor = dialog_button(self.tr("Supervisor…"), "callSupervisor", self.tr("Ask a supervisor"))
        self.close_button = dialog_button(self.tr("Close"), "callClose")
        self._message = message_label("callMessage")
        self._lay_out(masked, customer_name, number)

    def show_problem(self, message: str, state: str) -> None:
        """Say under the button what was found; "" says nothing any more."""
        show_message(self._message, message, state)

    def set_busy(self, is_busy: bool) -> None:
        """Show that an answer is awaited."""
        self.check.setEnabled(not is_busy)
        self.check.setText(self.tr("Checking…") if is_busy else self.tr("Check for the call"))
        self.text_instead.setEnabled(not is_busy)

    def take_focus(self) -> None:
        """There is one thing to do here."""
        self.check.setFocus()

    def _lay_out(self, masked: str, customer_name: str, number: str) -> None:
        layout = column(self, width=PAGE_WIDTH)
        for label in self._instructions(masked, customer_name, number):
            layout.addWidget(label)
        layout.addSpacing(GAP_PX)
        layout.addLayout(row_of_widgets(self.check, None))
        layout.addWidget(self._message)
        layout.addStretch(1)
        layout.addSpacing(GAP_PX)
        layout.addLayout(row_of_widgets(self.close_button, None, self.supervisor, self.text_instead))

    def _instructions(self, masked: str, customer_name: str, number: str) -> list[QLabel]:
        who = text_label("callWho")
        name = customer_name or self.tr("the customer")
        ring = text_label("callNumber", "number")
        phone = text_label("callFrom")
        if number:
            who.setText(self.tr("Ask {name} to ring").format(name=name))
            ring.setText(isolated(number))
        else:
            who.setText(self.tr("Ask {name} to ring the number for missed calls").format(name=name))
            ring.hide()
        phone.setText(self.tr("from the phone {masked} and hang up.").format(masked=isolated(masked)))
        ring.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        return [who, ring, phone] if number else [who, phone]
