"""The one table of keys (ux B.11). Menus, footer and the F1 list are made from it, so they cannot disagree.

No plain letters (a scanner types letters), no Ctrl+Alt (it is AltGr on many keyboards), no F10 (the menu bar's key).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

CONTEXT: Final = "actions"


class ActionId(StrEnum):
    """What a key does."""

    HELP = "help"
    CUSTOMER = "customer"
    KIND_MOBILE = "kind_mobile"
    KIND_EMAIL = "kind_email"
    KIND_EXTERNAL_ID = "kind_external_id"
    KIND_CARD_NUMBER = "kind_card_number"
    KIND_CARD_EXTERNAL_ID = "kind_card_external_id"
    FIND = "find"
    POINTS = "points"
    POINTS_OR_VALUE = "points_or_value"
    CHECK_FROM_POINTS = "check_from_points"
    PROGRAMS = "programs"
    OTHER_PROGRAMS = "other_programs"
    CHECK = "check"
    GROUP = "group"
    CONFIRM = "confirm"
    REDEEM = "redeem"
    OUTBOX = "outbox"
    SIGN_IN = "sign_in"
    FULL_SCREEN = "full_screen"
    STOP = "stop"
    CLOSE_DIALOG = "close_dialog"
    NEW_CUSTOMER = "new_customer"
    REVEAL = "reveal"
    RESEND = "resend"
    SWAP_CONFIRMATION = "swap_confirmation"
    CALL_CHECK = "call_check"
    SUPERVISOR = "supervisor"
    FIND_OUT = "find_out"
    SAY_AGAIN = "say_again"
    QUIT = "quit"


class Where(StrEnum):
    """Where a key works."""

    EVERYWHERE = "everywhere"
    MAIN = "main"
    CUSTOMER_FIELD = "customer_field"
    POINTS_FIELD = "points_field"
    DIALOG = "dialog"
    CONFIRM_DIALOG = "confirm_dialog"
    MISSED_CALL = "missed_call"


WHERE_TEXTS: Final = {
    Where.EVERYWHERE: "Everywhere",
    Where.MAIN: "Main screen",
    Where.CUSTOMER_FIELD: "Customer field",
    Where.POINTS_FIELD: "Points field",
    Where.DIALOG: "Any dialog",
    Where.CONFIRM_DIALOG: "Confirm with a code",
    Where.MISSED_CALL: "Confirm by missed call",
}


class ActionRow(NamedTuple):
    """One key: `keys` in Qt's portable spelling, what it does, and where. `footer` is its word in the footer."""

    action: ActionId
    keys: str
    text: str
    where: Where
    footer: str = ""


ACTIONS: Final = (
    ActionRow(ActionId.HELP, "F1", "Show this list of keys", Where.EVERYWHERE, "Help"),
    ActionRow(ActionId.CUSTOMER, "F2", "Go to the customer field", Where.MAIN, "Customer"),
    ActionRow(ActionId.KIND_MOBILE, "Ctrl+1", "Find by mobile", Where.MAIN),
    ActionRow(ActionId.KIND_EMAIL, "Ctrl+2", "Find by email", Where.MAIN),
    ActionRow(ActionId.KIND_EXTERNAL_ID, "Ctrl+3", "Find by external ID", Where.MAIN),
    ActionRow(ActionId.KIND_CARD_NUMBER, "Ctrl+4", "Find by card number", Where.MAIN),
    ActionRow(ActionId.KIND_CARD_EXTERNAL_ID, "Ctrl+5", "Find by card external ID", Where.MAIN),
    ActionRow(ActionId.FIND, "Return", "Find the customer, then go to points", Where.CUSTOMER_FIELD),
    ActionRow(ActionId.POINTS, "F3", "Go to the points field", Where.MAIN, "Points"),
    ActionRow(ActionId.POINTS_OR_VALUE, "Ctrl+E", "Switch between points and value", Where.MAIN),
    ActionRow(ActionId.CHECK_FROM_POINTS, "Return", "Check the points", Where.POINTS_FIELD),
    ActionRow(ActionId.PROGRAMS, "F4", "Open the list of programs", Where.MAIN),
    ActionRow(ActionId.OTHER_PROGRAMS, "Ctrl+P", "Use points from another program, on or off", Where.MAIN),
    ActionRow(ActionId.CHECK, "F5", "Check the points", Where.MAIN, "Check"),
    ActionRow(ActionId.GROUP, "F6", "Choose a family or shared group", Where.MAIN, "Group"),
    ActionRow(ActionId.CONFIRM, "F7", "Confirm the customer, or open the code again", Where.MAIN, "Confirm"),
    ActionRow(ActionId.REDEEM, "F8", "Redeem what was checked", Where.MAIN, "Redeem"),
    ActionRow(ActionId.OUTBOX, "F9", "Open the outbox and what needs a supervisor", Where.EVERYWHERE, "Outbox"),
    ActionRow(ActionId.SIGN_IN, "F12", "Sign in or out", Where.EVERYWHERE),
    ActionRow(ActionId.FULL_SCREEN, "F11", "Full screen, on or off", Where.EVERYWHERE),
    ActionRow(ActionId.STOP, "Esc", "Cancel a running check, else go to the customer field", Where.MAIN),
    ActionRow(ActionId.CLOSE_DIALOG, "Esc", "Close", Where.DIALOG),
    ActionRow(ActionId.NEW_CUSTOMER, "Ctrl+N", "New customer: clear everything", Where.MAIN, "New"),
    ActionRow(ActionId.REVEAL, "Ctrl+Shift+M", "Show the customer's identifiers for 10 seconds", Where.MAIN),
    ActionRow(ActionId.RESEND, "Alt+R", "Send the code again", Where.CONFIRM_DIALOG),
    ActionRow(ActionId.SWAP_CONFIRMATION, "Alt+C", "Change to missed call or to text", Where.CONFIRM_DIALOG),
    ActionRow(ActionId.CALL_CHECK, "Alt+K", "Check for the call", Where.MISSED_CALL),
    ActionRow(ActionId.SUPERVISOR, "Alt+S", "Ask a supervisor instead", Where.MAIN),
    ActionRow(ActionId.FIND_OUT, "Ctrl+Shift+U", "Find out now whether it went through", Where.MAIN),
    ActionRow(ActionId.SAY_AGAIN, "Ctrl+Shift+S", "Say the result again", Where.MAIN),
    ActionRow(ActionId.QUIT, "Ctrl+Q", "Quit", Where.EVERYWHERE),
)

_BY_ID: Final = {row.action: row for row in ACTIONS}


def row_of(action: ActionId) -> ActionRow:
    """The row of one action."""
    return _BY_ID[action]


def keys_of(action: ActionId) -> QKeySequence:
    """The key sequence of one action."""
    return QKeySequence(row_of(action).keys)


def keys_text(action: ActionId) -> str:
    """The keys as this platform writes them: `Ctrl+N`, `Enter`."""
    return _native(row_of(action))


def text_of(row: ActionRow) -> str:
    """What the key does, in the language of the screen."""
    return QCoreApplication.translate(CONTEXT, row.text)


def where_text(row: ActionRow) -> str:
    """Where the key works, in the language of the screen."""
    return QCoreApplication.translate(CONTEXT, WHERE_TEXTS[row.where])


def footer_text() -> str:
    """The line at the bottom of the main screen: `F1 Help  F2 Customer ...`."""
    shown = (row for row in ACTIONS if row.footer)
    return "  ".join(f"{_native(row)} {QCoreApplication.translate(CONTEXT, row.footer)}" for row in shown)


def add_action(widget: QWidget, action: ActionId, slot: Callable[[], object]) -> QAction:
    """Give `widget` the table's key for `action`. A key held down counts once.

    A slot must be a method of a `QObject` of this thread.
    """
    row = row_of(action)
    qaction = QAction(widget)  # Given a text here, it would load the whole of Qt's icons first.
    qaction.setText(text_of(row))
    qaction.setObjectName(f"action.{action.value}")
    qaction.setShortcuts([keys_of(action)])  # The singular loads `Qt`: see `handles.set_choice`.
    qaction.setAutoRepeat(False)
    qaction.triggered.connect(slot)
    widget.addAction(qaction)
    return qaction


def _native(row: ActionRow) -> str:
    if row.keys == "Return":
        return QCoreApplication.translate(CONTEXT, "Enter")
    return QKeySequence(row.keys).toString(QKeySequence.SequenceFormat.NativeText)
