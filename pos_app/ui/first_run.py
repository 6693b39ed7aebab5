"""The first run: where the ledger is and who this till is there (ux B.7, page 2). It asks; it reaches nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QWidget

from pos_app.ui.controls import Field, heading, text_label
from pos_app.ui.handles import named, set_state
from pos_app.ui.theme import CONTROL_PX, GAP_PX
from pos_app.ui.till_dialog import (
    TillDialog,
    column,
    dialog_button,
    message_label,
    row_of_widgets,
    show_message,
)

DIALOG_WIDTH: Final = 552
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Step(StrEnum):
    """The steps of a test of the connection, in their order."""

    REACH = "reach"
    SECURE = "secure"
    SIGN_IN = "sign_in"
    PROGRAM = "program"


class FirstRunDialog(TillDialog):
    """Asks for address, login and password; the test must pass, or the till is set up later on purpose.

    Signals:
        test_asked: try this connection. args: address, login, password. Answer each step with `show_step`, then
            `set_busy(False)`.
        accepted_with: use this connection, which passed the test. args: address, login, password.
        later_asked: the cashier chose "Set up later".
    """

    test_asked = Signal(str, str, str)
    accepted_with = Signal(str, str, str)
    later_asked = Signal()

    def __init__(self, parent: QWidget | None = None, *, address: str = "", login: str = "") -> None:
        """`address` and `login` are what is known already, from a provisioning file for example."""
        super().__init__(parent, "firstRunDialog", self.tr("Set up this till"))
        self._address = self._field("firstRunAddress", self.tr("Address"))
        self._login = self._field("firstRunLogin", self.tr("Login"))
        self._password = self._field("firstRunPassword", self.tr("Password"))
        self._password.setEchoMode(QLineEdit.EchoMode.Password)
        self._password.setInputMethodHints(Qt.InputMethodHint.ImhHiddenText | Qt.InputMethodHint.ImhSensitiveData)
        self._address.setInputMethodHints(Qt.InputMethodHint.ImhUrlCharactersOnly)
        self._address.setText(address)
        self._login.setText(login)
        self._message = message_label("firstRunMessage")
        self._passed: set[Step] = set()
        self._is_busy = False
        self._steps = {step: text_label(f"firstRunStep_{step.value}") for step in Step}
        self._test = dialog_button(self.tr("Test"), "firstRunTest")
        self._use = dialog_button(self.tr("Use this connection"), "firstRunUse", role="primary")
        self._later = dialog_button(self.tr("Set up later"), "firstRunLater", role="quiet")
        self._lay_out()
        self._connect()
        self._forget_steps()

    def show_step(self, step: str, ok: bool, message: str = "") -> None:
        """Show how one step of the test went; `message` is for the person in front of the till."""
        which = Step(step)
        if ok:
            self._passed.add(which)
        else:
            self._passed.discard(which)
        text = message or (self.tr("in order") if ok else self.tr("did not work"))
        line = self.tr("{step}: {result}").format(step=self._step_name(which), result=text)
        show_message(self._steps[which], line, "ok" if ok else "refused")
        self.say(line, is_assertive=not ok)
        self._follow()

    def set_busy(self, is_busy: bool) -> None:
        """While a test runs nothing can be changed; setting up later stays possible."""
        self._is_busy = is_busy
        for field in (self._address, self._login, self._password):
            field.setReadOnly(is_busy)
        self._test.setText(self.tr("Testing…") if is_busy else self.tr("Test"))
        self._follow()

    def show_trouble(self, message: str) -> None:
        """The test could not be done at all: say so; what was typed stays."""
        self.set_busy(False)
        show_message(self._message, message, "refused")
        self.say(message, is_assertive=True)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Begin at the first field that is empty."""
        super().showEvent(event)
        for field in (self._address, self._login, self._password):
            if not field.text():
                field.setFocus()
                return

    # What was typed

    def _problem(self) -> tuple[Field, str] | None:
        """The first field that is not as it has to be, and a sentence that says what is expected."""
        problem = address_problem(self._address.text())
        if problem == AddressProblem.SHAPE:
            return self._address, self.tr("Address: type it in full, for example https://points.example.com")
        if problem == AddressProblem.NOT_SAFE:
            return self._address, self.tr("Address: begin it with https:// (http:// is for this machine alone).")
        if not self._login.text().strip():
            return self._login, self.tr("Login: type the login this till was given.")
        if not self._password.text():
            return self._password, self.tr("Password: type the password that belongs to the login.")
        return None

    def _values(self) -> tuple[str, str, str]:
        return self._address.text().strip().rstrip("/"), self._login.text().strip(), self._password.text()

    # What happens

    def _ask_test(self) -> None:
        problem = self._problem()
        if problem is not None:
            field, sentence = problem
            show_message(self._message, sentence, "refused")
            set_state(field, "refused")
            field.setFocus()
            self.say(sentence, is_assertive=True)
            return
        self._forget_steps()
        self.set_busy(True)
        self.test_asked.emit(*self._values())

    def _accept_it(self) -> None:
        values = self._values()
        self._password.setText("")
        self.accepted_with.emit(*values)
        self.accept()

    def _put_off(self) -> None:
        self.later_asked.emit()
        self.reject()

    def _changed(self) -> None:
        """Another address or login has not been tested."""
        self._forget_steps()
        for field in (self._address, self._login, self._password):
            set_state(field, "")
        show_message(self._message, "", "")

    def _forget_steps(self) -> None:
        self._passed.clear()
        for step, label in self._steps.items():
            show_message(label, self._step_name(step), "waiting")
        self._follow()

    def _follow(self) -> None:
        self._test.setEnabled(not self._is_busy)
        self._use.setEnabled(not self._is_busy and self._passed == set(Step))

    def _connect(self) -> None:
        for field in (self._address, self._login, self._password):
            field.textChanged.connect(self._changed)
        self._test.clicked.connect(self._ask_test)
        self._use.clicked.connect(self._accept_it)
        self._later.clicked.connect(self._put_off)

    # How it looks

    def _step_name(self, step: Step) -> str:
        names = {
            Step.REACH: self.tr("Reach the service"),
            Step.SECURE: self.tr("Secure connection"),
            Step.SIGN_IN: self.tr("Sign in"),
            Step.PROGRAM: self.tr("Program answers"),
        }
        return names[step]

    def _field(self, handle: str, name: str) -> Field:
        field = named(Field(), handle, name)
        field.setMinimumHeight(CONTROL_PX)
        return field

    def _lay_out(self) -> None:
        layout = column(self, 3 * GAP_PX, DIALOG_WIDTH)
        title = text_label("firstRunTitle", "title")
        title.setText(self.tr("Set up this till"))
        intro = text_label("firstRunIntro", "hint")
        intro.setText(self.tr("Ask head office or your supervisor for these three."))
        layout.addWidget(title)
        layout.addWidget(intro)
        layout.addLayout(self._form())
        layout.addWidget(self._message)
        layout.addLayout(row_of_widgets(self._test, None))
        for label in self._steps.values():
            layout.addWidget(label)
        layout.addStretch(1)
        layout.addSpacing(GAP_PX)
        layout.addLayout(row_of_widgets(self._later, None, self._use))

    def _form(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(GAP_PX)
        grid.setColumnStretch(1, 1)
        for line, field in enumerate((self._address, self._login, self._password)):
            label: QLabel = heading(field.accessibleName(), field)
            grid.addWidget(label, line, 0)
            grid.addWidget(field, line, 1)
        return grid


class AddressProblem(StrEnum):
    """Why an address cannot be used."""

    SHAPE = "shape"
    NOT_SAFE = "not_safe"


def address_problem(text: str) -> AddressProblem | None:
    """Say what is wrong with the address of a service; None: nothing. Plain HTTP goes to this machine only."""
    url = QUrl(text.strip(), QUrl.ParsingMode.StrictMode)
    if not url.isValid() or not url.host() or url.scheme() not in ("http", "https"):
        return AddressProblem.NOT_SAFE if url.isValid() and "://" not in text and text.strip() else AddressProblem.SHAPE
    if url.userInfo() or url.hasQuery() or url.hasFragment():
        return AddressProblem.SHAPE
    if url.scheme() == "http" and url.host() not in LOOPBACK:
        return AddressProblem.NOT_SAFE
    return None
