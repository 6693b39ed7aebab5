"""Asks a second person for her word on one task: who, her PIN, why (ux B.5, sync-api 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QLabel, QWidget

from pos_app.domain.commands import ApprovalReason
from pos_app.ui.controls import Chooser, Field, text_label
from pos_app.ui.handles import named
from pos_app.ui.person_form import Somebody
from pos_app.ui.proving_dialog import ProvingDialog
from pos_app.ui.theme import CONTROL_PX, GAP_PX
from pos_app.ui.till_dialog import column, row_of_widgets

CONTEXT: Final = "approval"
DIALOG_WIDTH: Final = 520
NOTE_MAX: Final = 200
"""Characters (sync-api 4.3)."""

REASONS: Final = {
    ApprovalReason.NO_PHONE: "No phone with them",
    ApprovalReason.NUMBER_CHANGED: "Number changed",
    ApprovalReason.NOT_ARRIVING: "Text not arriving",
    ApprovalReason.OTHER: "Another reason",
}


def reason_text(reason: ApprovalReason) -> str:
    """A reason in the language of the screen."""
    return QCoreApplication.translate(CONTEXT, REASONS[reason])


class ApprovalDialog(ProvingDialog):
    """A supervisor and her PIN, the reason and, for another one, a note."""

    def __init__(
        self, parent: QWidget | None, task: str, people: Sequence[Somebody], *, is_about_code: bool = True
    ) -> None:
        """`task` says what is approved, in a sentence. The listed reasons are about codes; else a note tells why."""
        super().__init__(parent, "approval", self.tr("A supervisor has to agree"), self.tr("Approve"), people)
        self._reason = named(Chooser(), "approvalReason", self.tr("Reason"))
        self._reason.view().setAccessibleName(self._reason.accessibleName())
        self._note = named(Field(), "approvalNote", self.tr("Note"))
        self._note.setMaxLength(NOTE_MAX)
        for reason in REASONS if is_about_code else (ApprovalReason.OTHER,):
            self._reason.addItem(reason_text(reason), reason.value)
        self._lay_out(task, is_about_code=is_about_code)
        self._reason.currentIndexChanged.connect(self._follow)
        self._note.textChanged.connect(self._follow)
        self._follow()

    @property
    def reason(self) -> ApprovalReason:
        """Why she approves it."""
        return ApprovalReason(self._reason.currentData())

    @property
    def note(self) -> str:
        """In her own words; empty where a listed reason says it."""
        return self._note.text().strip()

    @property
    def _is_filled(self) -> bool:
        return super()._is_filled and (self.reason is not ApprovalReason.OTHER or bool(self.note))

    def _follow(self) -> None:
        is_other = self.reason is ApprovalReason.OTHER
        self._note_label.setVisible(is_other)
        self._note.setVisible(is_other)
        super()._follow()

    def _lay_out(self, task: str, *, is_about_code: bool) -> None:
        layout = column(self, 3 * GAP_PX, DIALOG_WIDTH)
        what = text_label("approvalTask")
        what.setText(task)
        layout.addWidget(what)
        layout.addWidget(self._person)
        self._note_label = QLabel(self.tr("Note") if is_about_code else self.tr("Why"))
        for label, widget in ((QLabel(self.tr("Reason")), self._reason), (self._note_label, self._note)):
            if widget is self._reason and not is_about_code:
                widget.hide()
                continue
            label.setBuddy(widget)
            widget.setMinimumHeight(CONTROL_PX)
            layout.addWidget(label)
            layout.addWidget(widget)
        layout.addWidget(self._message)
        layout.addStretch(1)
        layout.addLayout(row_of_widgets(self._close, None, self._use))
