"""Steps 3 and 4: whose points are used, and of which program (ux B.1, W1).

Two separate questions with different words: points of another program, and points of a family.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from pos_app.ui.controls import Button, Chooser, Elided, heading, text_label
from pos_app.ui.handles import named
from pos_app.ui.theme import GAP_PX

if TYPE_CHECKING:
    from pos_app.domain.request import FamilyGroupRef


class ProgramForm(QWidget):
    """Asks for the program and the family group. The two ways of using other points exclude each other (2.4).

    Signals:
        changed: any of the choices changed.
        group_asked: the group picker is wanted.
        excluded: one way was switched off by the other. arg: True when it was the family group.
    """

    changed = Signal()
    group_asked = Signal()
    excluded = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        named(self, "programForm")
        self.family_group: FamilyGroupRef | None = None
        self.program_list = named(Chooser(), "programList", self.tr("Program"))
        self._only = text_label("programText", wraps=False)
        self._only.setMinimumHeight(48)
        self.other = named(
            QCheckBox(self.tr("Use points from another program")),
            "otherProgramCheck",
            self.tr("Use points from another program"),
        )
        self._summary = named(Elided(), "groupSummary")
        self.group_button = named(
            Button(self.tr("Choose group..")), "groupButton", description=self.tr("Opens the picker")
        )
        self._note = text_label("programNote", "hint")
        self._note.hide()
        self._lay_out()
        self.show_programs(())
        self.show_summary(self.tr("None"))
        self.program_list.currentIndexChanged.connect(self.changed)
        self.other.toggled.connect(self._other_toggled)
        self.group_button.clicked.connect(self.group_asked)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        row.addWidget(self._summary, 1)
        row.addWidget(self.group_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(heading(self.tr("3  Program"), self.program_list))
        layout.addWidget(self.program_list)
        layout.addWidget(self._only)
        layout.addSpacing(GAP_PX - 2)
        layout.addWidget(self.other)
        layout.addWidget(self._note)
        layout.addSpacing(GAP_PX - 2)
        layout.addWidget(heading(self.tr("4  Family or shared group")))
        layout.addLayout(row)

    # What was chosen

    @property
    def program_id(self) -> int | None:
        """The program chosen; None: the till's own."""
        chosen = self.program_list.currentData()
        return int(chosen) if chosen is not None else None

    @property
    def is_program_group(self) -> bool:
        """Say whether points of other programs may pay."""
        return self.other.isChecked()

    # What it is told

    def show_programs(self, programs: Sequence[tuple[int, str]]) -> None:
        """Offer these programs (id and name), the till's own first; the one chosen stays chosen."""
        before = self.program_list.currentData()
        with QSignalBlocker(self.program_list):
            self.program_list.clear()
            for program_id, name in programs:
                self.program_list.addItem(self.tr("{name} ({id})").format(name=name, id=program_id), program_id)
            self.program_list.setCurrentIndex(max(0, self.program_list.findData(before)))
        self._only.setText(programs[0][1] if programs else self.tr("The till's own program"))
        self.program_list.setVisible(len(programs) > 1)
        self._only.setVisible(len(programs) <= 1)
        if self.program_list.currentData() != before:
            self.changed.emit()

    def choose_group(self, choice: FamilyGroupRef | None, summary: str) -> None:
        """Use this family group's points; None: her own."""
        self.family_group = choice
        self.show_summary(summary)
        if choice is not None and self.other.isChecked():
            with QSignalBlocker(self.other):
                self.other.setChecked(False)
            self.excluded.emit(False)
        else:
            self.show_note("")
        self.changed.emit()

    def show_summary(self, summary: str) -> None:
        """The family group in words."""
        self._summary.show_text(summary)
        self.group_button.setAccessibleName(self.tr("Family or shared group: {choice}").format(choice=summary))

    def show_note(self, text: str) -> None:
        """Say what a choice switched off."""
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def use_own_points(self) -> None:
        """No family group."""
        self.choose_group(None, self.tr("None"))

    def use_other_programs(self) -> None:
        """Points of other programs may pay."""
        self.other.setChecked(True)

    def open_list(self) -> None:
        """Open the list of programs (F4)."""
        if self.program_list.isVisible():
            self.program_list.setFocus()
            self.program_list.showPopup()

    def toggle_other(self) -> None:
        """Points from another program, on or off (Ctrl+P)."""
        self.other.toggle()

    def clear(self) -> None:
        """Start afresh: the till's own program, her own points."""
        with QSignalBlocker(self.program_list), QSignalBlocker(self.other):
            self.program_list.setCurrentIndex(0 if self.program_list.count() else -1)
            self.other.setChecked(False)
        self.family_group = None
        self.show_summary(self.tr("None"))
        self.show_note("")

    def _other_toggled(self, is_on: bool) -> None:
        if is_on and self.family_group is not None:
            self.family_group = None
            self.show_summary(self.tr("None"))
            self.excluded.emit(True)
        else:
            self.show_note("")
        self.changed.emit()
