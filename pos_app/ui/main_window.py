"""The till's window: where everything stands, and what each key does (ux B.1, B.11).

It is built and painted from plain values alone; `attach` joins it to the services afterwards, so that nothing slow is
loaded before the first paint. For that reason this module, and all it imports, knows no service and no domain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from pos_app.ui.actions import ActionId, add_action, footer_text
from pos_app.ui.announce import Announcer
from pos_app.ui.card_place import CardPlace
from pos_app.ui.controls import text_label
from pos_app.ui.entry_column import EntryColumn
from pos_app.ui.handles import named
from pos_app.ui.header import Header, training_parts
from pos_app.ui.notice_bar import NoticeBar
from pos_app.ui.panel import PanelView
from pos_app.ui.theme import GAP_PX, apply_theme
from pos_app.ui.verdict_panel import VerdictPanel

if TYPE_CHECKING:
    from pos_app.services.till import TillServices, TillView
    from pos_app.ui.wiring import Wiring

SIZE = (1024, 768)
LEFT, RIGHT = 9, 11
FRAME_PX = 4
"""The width of the coloured frame of trainer mode; the theme draws it."""


class MainWindow(QMainWindow):
    """The main screen. Keys it cannot serve itself become signals.

    Signals:
        confirm_asked: F7.
        redeem_asked: F8; a key held down counts once.
        stop_asked: Esc.
        new_customer_asked: Ctrl+N.
        reveal_asked: Ctrl+Shift+M.
        find_out_asked: Ctrl+Shift+U.
        outbox_asked: F9.
        sign_in_asked: F12.
        supervisor_asked: Alt+S.
        attached: the services are joined.
    """

    confirm_asked = Signal()
    redeem_asked = Signal()
    stop_asked = Signal()
    new_customer_asked = Signal()
    reveal_asked = Signal()
    find_out_asked = Signal()
    outbox_asked = Signal()
    sign_in_asked = Signal()
    supervisor_asked = Signal()
    attached = Signal()

    def __init__(self, view: TillView, *, dresses_itself: bool = True) -> None:
        """With `dresses_itself` the window wears the till's theme where the application wears none."""
        super().__init__()
        named(self, "mainWindow")
        self._view = view
        self._wiring: Wiring | None = None
        self._early_question = ""
        self.setProperty("training", view.is_training)
        self.announcer = Announcer(self, self.tr("Training. ") if view.is_training else "")
        self.header = Header(
            store=view.store, till=view.till, operator=view.operator, operator_role=view.operator_role, theme=view.theme
        )
        self.notices = NoticeBar(view.theme)
        self.entry = EntryColumn(view.theme)
        self.card_place = CardPlace(view.theme, view.base_px)
        self.panel = VerdictPanel(theme=view.theme, bill_mode=view.bill, is_training=view.is_training)
        self._lay_out()
        self._name_window()
        self._add_keys()
        self.entry.customer.find_asked.connect(self._remember_find)
        self.entry.check_asked.connect(self._remember_check)
        self.panel.focus_left.connect(self.entry.points.field.setFocus)
        app = QApplication.instance()
        if dresses_itself and isinstance(app, QApplication) and not app.styleSheet():
            apply_theme(self, view.theme, view.base_px)
        self.panel.show_view(PanelView(title=self.tr("Starting"), reason=self.tr("This till is getting ready.")))
        self.resize(*SIZE)
        self.entry.customer.go()

    def attach(self, services: TillServices) -> None:
        """Join the window to the services of a till. Call it once, after the first paint."""
        from pos_app.ui.wiring import Wiring  # Loads domain and services: not before the window is seen.

        if self._wiring is not None:
            raise RuntimeError("the window has its services already")
        self._wiring = Wiring(self, services, self._view)
        self._wiring.begin()
        if services.has_secrets_file:
            self.header.show_storage(
                self.tr("No keyring"), self.tr("Secrets lie in a file that only its owner can read.")
            )
        self.attached.emit()

    def show_cannot_start(self, sentence: str) -> None:
        """The till cannot work; `sentence` says why, to the person in front of it."""
        view = PanelView(
            state="config", title=self.tr("This till cannot start"), reason=sentence, is_about_inputs=False
        )
        self.panel.show_view(view)
        self.announcer.say(view.announcement, is_assertive=True)

    def take_early_question(self) -> str:
        """What was asked before the services were there: "find", "check" or ""; asked once."""
        asked, self._early_question = self._early_question, ""
        return asked

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Stop the timers, wait a bounded time for what is out, leave the rest to the outbox."""
        if self._wiring is not None:
            self._wiring.stop()
        super().closeEvent(event)

    # Lay-out

    def _lay_out(self) -> None:
        central = named(QWidget(), "central")
        whole = QVBoxLayout(central)
        frame = FRAME_PX if self._view.is_training else 0
        whole.setContentsMargins(frame, frame, frame, frame)
        whole.setSpacing(0)
        for part in training_parts(self._view.is_training, self._view.theme):
            whole.addWidget(part)
        whole.addWidget(self.header)
        whole.addWidget(self.notices)
        middle = QHBoxLayout()
        middle.setContentsMargins(GAP_PX * 2, GAP_PX, GAP_PX * 2, GAP_PX)
        middle.setSpacing(GAP_PX * 2)
        right = QVBoxLayout()
        right.setSpacing(GAP_PX)
        right.addWidget(self.card_place)
        right.addWidget(self.panel, 1)
        middle.addWidget(self.entry, LEFT)
        middle.addLayout(right, RIGHT)
        whole.addLayout(middle, 1)
        whole.addWidget(self._footer())
        self.setCentralWidget(central)

    def _footer(self) -> QFrame:
        footer = named(QFrame(), "footer")
        keys = text_label("footerKeys", wraps=False)
        keys.setText(footer_text())
        layout = QHBoxLayout(footer)
        layout.setContentsMargins(GAP_PX * 2, GAP_PX // 2, GAP_PX * 2, GAP_PX // 2)
        layout.addWidget(keys)
        layout.addStretch(1)
        return footer

    def _name_window(self) -> None:
        title = self.tr("Points Desk")
        self.setWindowTitle(self.tr("TRAINING - {title}").format(title=title) if self._view.is_training else title)
        self.setAccessibleName(self.windowTitle())

    # Keys

    def _add_keys(self) -> None:
        entry = self.entry
        for action, slot in (
            (ActionId.HELP, self._show_help),
            (ActionId.CUSTOMER, entry.customer.go),
            (ActionId.KIND_MOBILE, self._kind_mobile),
            (ActionId.KIND_EMAIL, self._kind_email),
            (ActionId.KIND_EXTERNAL_ID, self._kind_external),
            (ActionId.KIND_CARD_NUMBER, self._kind_card),
            (ActionId.KIND_CARD_EXTERNAL_ID, self._kind_card_external),
            (ActionId.POINTS, entry.points.go),
            (ActionId.POINTS_OR_VALUE, entry.points.switch_mode),
            (ActionId.PROGRAMS, entry.programs.open_list),
            (ActionId.OTHER_PROGRAMS, entry.programs.toggle_other),
            (ActionId.CHECK, entry.check_asked.emit),
            (ActionId.GROUP, entry.programs.group_asked.emit),
            (ActionId.CONFIRM, self.confirm_asked.emit),
            (ActionId.REDEEM, self.redeem_asked.emit),
            (ActionId.OUTBOX, self.outbox_asked.emit),
            (ActionId.SIGN_IN, self.sign_in_asked.emit),
            (ActionId.SUPERVISOR, self.supervisor_asked.emit),
            (ActionId.FULL_SCREEN, self._toggle_full_screen),
            (ActionId.STOP, self.stop_asked.emit),
            (ActionId.NEW_CUSTOMER, self.new_customer_asked.emit),
            (ActionId.REVEAL, self.reveal_asked.emit),
            (ActionId.FIND_OUT, self.find_out_asked.emit),
            (ActionId.SAY_AGAIN, self.announcer.say_again),
            (ActionId.QUIT, self.close),
        ):
            add_action(self, action, slot)

    @Slot()
    def _show_help(self) -> None:
        from PySide6.QtCore import Qt  # Slow to load: see `handles.set_choice`.

        from pos_app.ui.keys_help import KeysHelp

        help_dialog = KeysHelp(self)
        help_dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        help_dialog.open()

    @Slot()
    def _toggle_full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    @Slot()
    def _kind_mobile(self) -> None:
        self.entry.customer.choose_kind("mobile")

    @Slot()
    def _kind_email(self) -> None:
        self.entry.customer.choose_kind("email")

    @Slot()
    def _kind_external(self) -> None:
        self.entry.customer.choose_kind("external_id")

    @Slot()
    def _kind_card(self) -> None:
        self.entry.customer.choose_kind("card_number")

    @Slot()
    def _kind_card_external(self) -> None:
        self.entry.customer.choose_kind("card_external_id")

    # Questions before the services are there

    @Slot()
    def _remember_find(self) -> None:
        if self._wiring is None:
            self._early_question = "find"
            self.entry.points.go()

    @Slot()
    def _remember_check(self) -> None:
        if self._wiring is None:
            self._early_question = "check"
