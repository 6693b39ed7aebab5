"""The ten states of the verdict panel: shape, word, announcement, buttons (ux B.4, C6, C7, C12)."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from pos_app.ui.announce import Announcer
from pos_app.ui.board import Board
from pos_app.ui.marks import Mark
from pos_app.ui.panel import ASSERTIVE, TONES, PanelButton, PanelView
from pos_app.ui.theme import apply_theme
from pos_app.ui.verdict_panel import VerdictPanel

STATES = sorted(TONES)


@pytest.fixture
def panel(qtbot: QtBot) -> VerdictPanel:
    made = VerdictPanel(theme="light", bill_mode="optional", is_training=False)
    qtbot.addWidget(made)
    apply_theme(made, "light")
    made.resize(540, 440)
    made.show()
    return made


def test_there_are_ten_states() -> None:
    assert (
        sorted("idle checking redeemable refused otp_failed offline pending unknown redeemed config".split()) == STATES
    )


@pytest.mark.parametrize("state", STATES)
def test_each_state_shows_its_own_shape_and_its_word(panel: VerdictPanel, state: str) -> None:
    panel.show_view(PanelView(state=state, title=f"This is {state}", next_step="Do something."))
    assert panel.property("state") == state
    assert panel.findChild(Mark).shape == state  # type: ignore[union-attr]
    assert panel.findChild(QWidget, "verdictTitle").text() == f"This is {state}"  # type: ignore[union-attr]
    assert "Do something." in panel.accessibleDescription()


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_announced_with_headline_and_next_step(qtbot: QtBot, panel: VerdictPanel, state: str) -> None:
    said: list[tuple[str, bool]] = []
    announcer = Announcer(panel)
    announcer.said.connect(lambda text, is_assertive: said.append((text, is_assertive)))
    board = Board(panel, announcer)
    view = PanelView(state=state, title="We do not know", reason="The answer got lost.", next_step="Find out now.")
    board.show(view)
    board.show(view)
    if state in ("idle", "checking"):
        assert said == []
    else:
        is_assertive = state in ("refused", "otp_failed", "unknown", "config")
        assert said == [("We do not know. The answer got lost. Find out now.", is_assertive)]
    assert (state in ASSERTIVE) == (state in ("refused", "otp_failed", "unknown", "config"))


@pytest.mark.parametrize(
    "state", ["idle", "checking", "refused", "offline", "pending", "unknown", "config", "redeemed"]
)
def test_a_view_that_cannot_be_redeemed_cannot_say_that_it_can(state: str) -> None:
    with pytest.raises(ValueError, match=state):
        PanelView(state=state, redeem="Redeem", is_redeem_ready=True)


def test_under_a_lease_the_offline_state_is_firm_and_can_be_redeemed(panel: VerdictPanel) -> None:
    panel.show_view(
        PanelView(
            state="offline",
            is_firm=True,
            title="Can be redeemed offline",
            reason="Set aside for this till: 120 until 18:40.",
            redeem="Redeem 100 points",
            is_redeem_ready=True,
        )
    )
    assert panel.is_redeem_ready
    assert panel.property("tone") == "ok"
    assert panel.findChild(QAbstractButton, "redeemButton").isEnabled()  # type: ignore[union-attr]


def test_the_pending_state_says_that_it_can_still_be_refused(panel: VerdictPanel) -> None:
    view = PanelView(state="pending", title="Saved, waiting to send", reason="It can still be refused.")
    panel.show_view(view)
    assert panel.property("tone") == "pending"
    assert not panel.findChild(QAbstractButton, "redeemButton").isVisible()  # type: ignore[union-attr]


def test_a_changed_input_dims_the_verdict_and_switches_f8_off(panel: VerdictPanel) -> None:
    panel.show_view(PanelView(state="redeemable", title="250", redeem="Redeem 250 points", is_redeem_ready=True))
    assert panel.is_redeem_ready
    panel.set_stale(True)
    stale = panel.findChild(QWidget, "verdictStale")
    assert stale is not None
    assert stale.isVisible()
    assert stale.text() == "Changed since this check"  # type: ignore[attr-defined]
    assert not panel.is_redeem_ready
    panel.set_stale(False)
    assert panel.is_redeem_ready


def test_an_unknown_result_is_never_dimmed(panel: VerdictPanel) -> None:
    panel.show_view(PanelView(state="unknown", title="We do not know", is_about_inputs=False))
    panel.set_stale(True)
    assert not panel.is_stale


def test_a_button_says_its_way_and_its_value(qtbot: QtBot, panel: VerdictPanel) -> None:
    panel.show_view(
        PanelView(
            state="refused",
            title="Use a multiple of 10",
            buttons=(PanelButton("use_nearest", "Use 240 points", "240"), PanelButton("use_nearest", "Use 250", "250")),
        )
    )
    first, second = (panel.findChild(QAbstractButton, f"verdictButton{n}") for n in (1, 2))
    assert first is not None
    assert second is not None
    assert first.accessibleName() == "Use 240 points"
    with qtbot.waitSignal(panel.way_chosen) as chosen:
        second.click()
    assert chosen.args == ["use_nearest", "250"]


def test_what_a_service_said_is_never_read_as_markup(panel: VerdictPanel) -> None:
    panel.show_view(PanelView(state="refused", title="Not possible", reason='The service said: "<b>no</b>".'))
    label = panel.findChild(QWidget, "verdictReason")
    assert label is not None
    assert label.textFormat().name == "PlainText"  # type: ignore[attr-defined]
