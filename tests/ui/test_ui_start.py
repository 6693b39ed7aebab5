"""The start: what cannot go on is said where somebody reads it, and what was typed is not lost."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit
from pytestqt.qtbot import QtBot
from support.dialogs import find
from support.fake_till import NO_WAITING, Cashier, CounterLedger, a_view, open_window, services_of
from support.service_kit import Till

from pos_app.domain.trouble import StorageError
from pos_app.services.till import TillServices
from pos_app.ui.first_run import FirstRunDialog
from pos_app.ui.start import Report, Starter, Wiring

STEPS = ("reach", "secure", "sign_in", "program")


def test_a_connection_that_cannot_be_kept_is_told_in_the_dialog_and_may_be_kept_again(qtbot: QtBot) -> None:
    kept: list[str] = []

    def keep(address: str, _login: str, _password: str) -> None:
        kept.append(address)
        if len(kept) == 1:
            raise StorageError("The settings cannot be written: the disk is full.")

    cashier = _first_start(qtbot, keep=keep)
    dialog = _dialog(cashier)
    _type_and_test(cashier, dialog)
    find(dialog, QAbstractButton, "firstRunUse").click()
    message = find(dialog, QLabel, "firstRunMessage")
    cashier.wait(lambda: "the disk is full" in message.text())
    assert dialog.isVisible()
    assert find(dialog, QLineEdit, "firstRunAddress").text() == "https://points.example.com"
    find(dialog, QLineEdit, "firstRunPassword").setText("pin")
    _type_and_test(cashier, dialog)
    find(dialog, QAbstractButton, "firstRunUse").click()
    cashier.wait_title("Ready")
    assert kept == ["https://points.example.com"] * 2


def test_a_test_that_breaks_off_is_told_in_the_dialog(qtbot: QtBot) -> None:
    def test(_address: str, _login: str, _password: str, _report: Report) -> None:
        raise StorageError("The disk is full.")

    cashier = _first_start(qtbot, test=test)
    dialog = _dialog(cashier)
    _type(dialog)
    find(dialog, QAbstractButton, "firstRunTest").click()
    cashier.wait(lambda: "The disk is full." in find(dialog, QLabel, "firstRunMessage").text())
    assert find(dialog, QAbstractButton, "firstRunTest").isEnabled()


def test_a_till_that_is_set_up_later_says_what_it_waits_for(qtbot: QtBot) -> None:
    cashier = _first_start(qtbot)
    find(_dialog(cashier), QAbstractButton, "firstRunLater").click()
    assert (cashier.state, cashier.title) == ("config", "This till cannot start")
    assert "no ledger yet" in cashier.text("verdictReason")


def _connect() -> TillServices:
    return services_of(Till(CounterLedger(), waits=NO_WAITING))


def _pass_all(_address: str, _login: str, _password: str, report: Report) -> None:
    for step in STEPS:
        report(step, True, "")


def _keep(_address: str, _login: str, _password: str) -> None:
    """It is kept."""


def _first_start(
    qtbot: QtBot,
    *,
    test: Callable[[str, str, str, Report], None] = _pass_all,
    keep: Callable[[str, str, str], None] = _keep,
) -> Cashier:
    cashier = open_window(qtbot, a_view())
    wiring = Wiring(is_set_up=False, connect=_connect, try_connection=test, keep_connection=keep)
    Starter(cashier.window, wiring)
    cashier.window.update()  # It begins behind the next paint.
    return cashier


def _dialog(cashier: Cashier) -> FirstRunDialog:
    cashier.wait(lambda: cashier.dialog() is not None)
    dialog = cashier.dialog()
    assert isinstance(dialog, FirstRunDialog)
    return dialog


def _type(dialog: FirstRunDialog) -> None:
    for handle, text in (
        ("firstRunAddress", "https://points.example.com"),
        ("firstRunLogin", "till.014.3"),
        ("firstRunPassword", "s3cret"),
    ):
        find(dialog, QLineEdit, handle).setText(text)


def _type_and_test(cashier: Cashier, dialog: FirstRunDialog) -> None:
    _type(dialog)
    find(dialog, QAbstractButton, "firstRunTest").click()
    cashier.wait(lambda: find(dialog, QAbstractButton, "firstRunUse").isEnabled())
