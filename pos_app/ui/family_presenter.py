"""Opens the family group picker and says what a choice switched off (ux B.1, B.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from pos_app.domain.request import FamilyGroupRef
from pos_app.ui.announce import Announcer
from pos_app.ui.family_words import summary
from pos_app.ui.program_form import ProgramForm
from pos_app.ui.wording import Note, note

if TYPE_CHECKING:
    from pos_app.ui.group_dialog import GroupDialog


class FamilyPresenter(QObject):
    """Joins the program form to the group dialog."""

    def __init__(self, window: QWidget, form: ProgramForm, announcer: Announcer) -> None:
        super().__init__(window)
        self._window = window
        self._form = form
        self._announcer = announcer
        self._dialog: GroupDialog | None = None
        form.group_asked.connect(self.open)
        form.excluded.connect(self._say_excluded)

    @Slot()
    def open(self) -> None:
        """Open the picker, beginning with what is chosen (F6)."""
        if self._dialog is not None:
            return
        from pos_app.ui.group_dialog import GroupDialog  # Slow to load: no till waits for it when it starts.

        dialog = GroupDialog(self._window, self._form.family_group)
        dialog.chosen.connect(self._choose)
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        dialog.open()

    @Slot(object)
    def _choose(self, choice: FamilyGroupRef | None) -> None:
        self._form.choose_group(choice, summary(choice))

    @Slot(bool)
    def _say_excluded(self, was_family_group: bool) -> None:
        """The two ways exclude each other: say what was switched off, on screen and aloud."""
        text = note(Note.GROUP_OFF if was_family_group else Note.PROGRAMS_OFF)
        self._form.show_note(text)
        self._announcer.say(text)

    @Slot()
    def _closed(self) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.deleteLater()
            self._window.activateWindow()  # Keys go nowhere after a dialog where there is no window manager.
