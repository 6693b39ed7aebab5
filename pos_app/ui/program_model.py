"""The rows of the customer card: one program a row, in words as well as in columns (ux B.2, B.13)."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QIcon

from pos_app.ui.card_view import ProgramLine

AnyIndex = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


class ProgramModel(QAbstractTableModel):
    """Points by program, read-only."""

    def __init__(self, parent: QObject | None = None, expiring: QIcon | None = None) -> None:
        """`expiring` is the mark beside what expires soon; the words say the same."""
        super().__init__(parent)
        self._expiring = expiring
        self._lines: tuple[ProgramLine, ...] = ()

    def show_lines(self, lines: Sequence[ProgramLine]) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self._lines = tuple(lines)
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """One row a program."""
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: AnyIndex = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """Program, points, worth, what expires soon."""
        return 0 if parent.isValid() else 4

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """The titles of the columns."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < 4:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Program"), self.tr("Points"), self.tr("Worth"), self.tr("Expires soon"))[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Text, alignment, and for the first cell the spoken row."""
        if not index.isValid() or index.row() >= len(self._lines):
            return None
        line = self._lines[index.row()]
        name = self.tr("{name} *").format(name=line.name) if line.is_chosen else line.name
        texts = (name, line.points, line.worth, line.expires)
        if role == Qt.ItemDataRole.DisplayRole:
            return texts[index.column()]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 3 and line.is_expiring:
            return self._expiring
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.spoken
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return line.spoken if index.column() == 0 else texts[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        return None


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignTrailing if column in (1, 2) else Qt.AlignmentFlag.AlignLeading
    return side | Qt.AlignmentFlag.AlignVCenter
