"""Shows one of the ten states of ux B.4: a shape, a word, a colour, and the ways on as buttons."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from pos_app.ui.bill_form import OFF, BillForm
from pos_app.ui.controls import Button, text_label
from pos_app.ui.handles import named
from pos_app.ui.marks import Mark
from pos_app.ui.panel import PanelView
from pos_app.ui.theme import GAP_PX, repolish, tokens

MARK_PX = 40
BUTTONS_MAX = 2


class VerdictPanel(QFrame):
    """Shows what it is told and says which button was pressed. It knows no service.

    Signals:
        way_chosen: one of the two ways on. args: the way (`wording.Way`), its value.
        send_code_asked: the send code button.
        focus_left: what had the focus here is gone from the screen; else Qt would give it to whatever stands nearest.
        redeem_asked: the redeem button; the panel offers it only when F8 would do something.
    """

    way_chosen = Signal(str, str)
    send_code_asked = Signal()
    focus_left = Signal()
    redeem_asked = Signal()

    def __init__(self, *, theme: str, bill_mode: str, is_training: bool) -> None:
        super().__init__()
        named(self, "verdictPanel", self.tr("Result"))
        self.view = PanelView()
        self._is_stale = False
        self._colours = tokens(theme)
        self._is_training = is_training
        self._mark = Mark("idle", self._colours["quiet"], MARK_PX)
        self._title = text_label("verdictTitle", "title")
        self._reason = text_label("verdictReason", "number")
        self._next = text_label("verdictNext")
        self._stale = text_label("verdictStale", "heading")
        self._stale.setText(self.tr("Changed since this check"))
        self._meta = text_label("verdictMeta", "meta")
        self.bill = BillForm(bill_mode)
        self._buttons = [named(Button(), f"verdictButton{n + 1}") for n in range(BUTTONS_MAX)]
        self._send_code = named(Button(), "sendCodeButton", description="F7")
        self._redeem = named(Button(role="redeem"), "redeemButton", description="F8")
        self._lay_out()
        self.setProperty("tone", "")
        self.setProperty("stale", False)
        for button in self._buttons:
            button.clicked.connect(self._choose)
        self._send_code.clicked.connect(self.send_code_asked)
        self._redeem.clicked.connect(self.redeem_asked)
        self._draw()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(GAP_PX * 2)
        beside = QVBoxLayout()
        beside.addWidget(self._mark)
        beside.addStretch(1)
        top.addLayout(beside)
        top.addWidget(self._title, 1)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        for button in (self._send_code, *self._buttons):
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_PX * 2, GAP_PX * 2, GAP_PX * 2, GAP_PX)
        layout.setSpacing(GAP_PX)
        layout.addLayout(top)
        for label in (self._reason, self._next, self._stale):
            layout.addWidget(label)
        layout.addSpacing(GAP_PX)
        layout.addWidget(self.bill)
        layout.addLayout(row)
        layout.addWidget(self._redeem)
        layout.addStretch(1)
        layout.addWidget(self._meta)

    # What it is told

    def show_view(self, view: PanelView) -> None:
        """Show a state; whatever was dimmed is bright again."""
        if view == self.view and not self._is_stale:
            return
        self.view = view
        self._is_stale = False
        self._draw()

    def set_stale(self, is_stale: bool, note: str = "") -> None:
        """Dim the verdict: something was changed since, and F8 is off (check C13). `note` says what more it means."""
        wanted = is_stale and self.view.is_about_inputs and self.view.state not in ("idle", "checking")
        changed = self.tr("Changed since this check")
        self._stale.setText(self.tr("{changed}. {note}").format(changed=changed, note=note) if note else changed)
        if wanted != self._is_stale:
            self._is_stale = wanted
            self._draw()

    @property
    def is_stale(self) -> bool:
        """Say whether the verdict is dimmed."""
        return self._is_stale

    @property
    def is_redeem_ready(self) -> bool:
        """Say whether F8 does something now."""
        return self.view.is_redeem_ready and not self._is_stale

    def _draw(self) -> None:
        view = self.view
        tone = "" if self._is_stale else view.tone
        self._mark.show_shape(view.state, self._colours[tone or "quiet"])
        for label, text in ((self._title, view.title), (self._reason, view.reason), (self._next, view.next_step)):
            label.setText(text)
            label.setVisible(bool(text))
        self._meta.setText(view.meta)
        self._stale.setVisible(self._is_stale)
        had_focus = self._holds_focus()
        self._draw_buttons()
        if had_focus and not self._holds_focus():
            self.focus_left.emit()
        self.setAccessibleDescription(view.announcement)
        self.setProperty("state", view.state)
        if (self.property("tone"), self.property("stale")) != (tone, self._is_stale):
            self.setProperty("tone", tone)
            self.setProperty("stale", self._is_stale)
            repolish(self)

    def _holds_focus(self) -> bool:
        focus = self.window().focusWidget()
        return focus is not None and self.isAncestorOf(focus)

    def _draw_buttons(self) -> None:
        view = self.view
        for index, button in enumerate(self._buttons):
            shown = view.buttons[index] if index < len(view.buttons) else None
            button.setVisible(shown is not None)
            if shown is not None:
                button.setText(shown.text)
                button.setAccessibleName(shown.text)
        self.bill.setVisible(view.has_bill and self.bill.mode != OFF)
        self._send_code.setText(f"{view.send_code}  F7")
        self._send_code.setAccessibleName(view.send_code)
        self._send_code.setVisible(bool(view.send_code))
        self._send_code.setEnabled(not self._is_stale)
        self._redeem.setText(f"{view.redeem}  F8")
        self._redeem.setAccessibleName(view.redeem_name or view.redeem)
        self._redeem.setVisible(bool(view.redeem))
        self._redeem.setEnabled(self.is_redeem_ready)

    def _choose(self) -> None:
        index = self._buttons.index(self.sender())  # type: ignore[arg-type]
        if index < len(self.view.buttons):
            chosen = self.view.buttons[index]
            self.way_chosen.emit(chosen.way, chosen.value)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The frame, and in training the word behind everything (ux B.9)."""
        super().paintEvent(event)
        if not self._is_training:
            return
        from PySide6.QtCore import Qt  # Slow to load: see `handles.set_choice`.

        painter = QPainter(self)
        ink = QColor(self._colours["training"])
        ink.setAlphaF(0.16)
        painter.setPen(ink)
        font = painter.font()
        font.setBold(True)
        font.setPixelSize(max(40, self.width() // 7))
        painter.setFont(font)
        painter.translate(self.rect().center())
        painter.rotate(-24)
        painter.drawText(
            QRectF(-self.width(), -100, 2 * self.width(), 200), Qt.AlignmentFlag.AlignCenter, self.watermark
        )
        painter.end()

    @property
    def watermark(self) -> str:
        """The word behind the verdict, "" on a live till."""
        return self.tr("TRAINING") if self._is_training else ""
