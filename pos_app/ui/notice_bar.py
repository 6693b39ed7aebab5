"""One line under the header for what a supervisor must know; it goes when its cause goes, and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from pos_app.ui.controls import Button, text_label
from pos_app.ui.handles import named
from pos_app.ui.marks import Mark
from pos_app.ui.theme import GAP_PX, tokens

if TYPE_CHECKING:
    from pos_app.ui.status_words import Notice

MARK_PX = 18


class NoticeBar(QFrame):
    """Shows the gravest notice, how many more there are, and what can be done about it.

    Signals:
        way_asked: the button was pressed.
    """

    way_asked = Signal()

    def __init__(self, theme: str) -> None:
        super().__init__()
        named(self, "noticeBar", self.tr("Notice"))
        self._notices: tuple[Notice, ...] = ()
        self._text = text_label("noticeText")
        self._more = text_label("noticeMore", "hint", wraps=False)
        self._way = named(Button(self.tr("Enrol…")), "noticeWay", self.tr("Enrol this till"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_PX * 2, GAP_PX // 2, GAP_PX * 2, GAP_PX // 2)
        layout.setSpacing(GAP_PX)
        layout.addWidget(Mark("otp_failed", tokens(theme)["caution"], MARK_PX))
        layout.addWidget(self._text, 1)
        layout.addWidget(self._more)
        layout.addWidget(self._way)
        self._way.clicked.connect(self.way_asked)
        self.hide()

    def show_notices(self, notices: tuple[Notice, ...]) -> bool:
        """Show what must be known, the gravest first; none hides the bar. Says whether it is other than before."""
        if notices == self._notices:
            return False
        self._notices = notices
        self.setVisible(bool(notices))
        if notices:
            whole = "\n".join(each.text for each in notices)
            self._text.setText(notices[0].text)
            self._text.setToolTip(whole)
            self._more.setText(self.tr("and {count} more").format(count=len(notices) - 1))
            self._more.setToolTip(whole)
            self._more.setVisible(len(notices) > 1)
            self._way.setVisible(any(each.way for each in notices))
            self.setAccessibleDescription(whole)
        return True
