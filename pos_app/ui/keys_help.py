"""The list of keys (F1, ux B.10), made from the one action table."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from pos_app.ui.actions import ACTIONS, ActionRow, keys_text, text_of, where_text
from pos_app.ui.controls import Field, heading
from pos_app.ui.handles import named
from pos_app.ui.theme import CONTROL_PX
from pos_app.ui.till_dialog import TillDialog, column, dialog_button, row_of_widgets

ROW_PX: Final = 40
_NO_PARENT: Final = QModelIndex()


class KeysModel(QAbstractTableModel):
    """Keys, what they do and where: one row an action, in the table's order."""

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """As many rows as actions."""
        return 0 if parent.isValid() else len(ACTIONS)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """Keys, action, place."""
        return 0 if parent.isValid() else 3

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """The text of a cell; a screen reader hears the whole row at its first cell."""
        if not index.isValid() or role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        cells = _cells(ACTIONS[index.row()])
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 0:
            return ", ".join(cells)
        return cells[index.column()]

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        """The columns' names."""
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        return (self.tr("Key"), self.tr("What it does"), self.tr("Where"))[section]


class KeysHelp(TillDialog):
    """Shows every key; typing in the search narrows the list."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, "keysHelp", self.tr("Keys"))
        self._rows = QSortFilterProxyModel(self)
        self._rows.setSourceModel(KeysModel(self))
        self._rows.setFilterKeyColumn(-1)
        self._rows.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._search = named(Field(), "helpSearch", self.tr("Search keys"))
        self._search.setMinimumHeight(CONTROL_PX)
        self._search.textChanged.connect(self._rows.setFilterFixedString)
        self._table = self._make_table()
        close = dialog_button(self.tr("Close"), "helpClose")
        close.clicked.connect(self.reject)
        layout = column(self)
        layout.addLayout(row_of_widgets(heading(self.tr("Search"), self._search), self._search))
        layout.addWidget(self._table, 1)
        layout.addLayout(row_of_widgets(None, close))
        self.resize(720, 600)
        self._search.setFocus()

    def _make_table(self) -> QTableView:
        table = named(QTableView(), "helpTable", self.tr("Keys"))
        table.setModel(self._rows)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.verticalHeader().hide()
        table.verticalHeader().setMinimumSectionSize(ROW_PX)
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        return table


def _cells(row: ActionRow) -> tuple[str, str, str]:
    return keys_text(row.action), text_of(row), where_text(row)
