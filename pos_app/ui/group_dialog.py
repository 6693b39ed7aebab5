"""The family group picker (ux B.3): six ways to say whose points pay, exactly one of which is sent (contract 2.5).

Fields of ways not chosen are disabled but keep their text. A scan fills the active field; its Enter presses nothing.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QLabel, QRadioButton, QScrollArea, QWidget

from pos_app.domain.request import ID_MAX, FamilyGroupRef, MemberSource, PrimaryKind
from pos_app.ui.controls import Chooser, Field, heading, text_label
from pos_app.ui.family_words import KINDS, SOURCES, sends_line, summary, translated
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

__all__ = ["GroupDialog", "summary"]

GROUP_ID_MAX: Final = 2**31 - 1
"""Contract 2.5: `user_group2_id` is an integer of 32 bits; a member's id has 64."""
ACCOUNT_SOURCES: Final = frozenset({MemberSource.WECHAT})
INDENT: Final = 56
DIALOG_WIDTH: Final = 608


class Route(Enum):
    """The six choices, in their order on screen, by the handle of their radio button."""

    NONE = "groupNone"
    DEFAULT = "groupDefault"
    BY_ID = "groupById"
    BY_EXTERNAL = "groupByExternal"
    BY_MEMBER_ID = "groupByMemberId"
    BY_MEMBER_IDENTIFIER = "groupByMemberIdentifier"


class _NotFilledError(ValueError):
    """A field of the chosen way is not filled as it has to be."""

    def __init__(self, field: Field, sentence: str) -> None:
        super().__init__("a field of the chosen way is not filled")
        self.field = field
        self.sentence = sentence


class _Choices(QScrollArea):
    """The six choices: on a small screen or with large text they scroll, and the buttons below stay in view."""

    def __init__(self, inner: QWidget) -> None:
        super().__init__()
        named(self, "groupScroll", translated("Choices"))
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inner = inner
        self.setWidget(inner)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As large as the choices themselves; Qt's own hint stops at a fraction of that."""
        return self._inner.sizeHint() + QSize(GAP_PX, 0)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Wide enough never to scroll sideways."""
        return QSize(self._inner.minimumSizeHint().width() + 2 * GAP_PX, 3 * CONTROL_PX)


class GroupDialog(TillDialog):
    """Asks whose points pay.

    Signals:
        chosen: "Use this" was pressed and every field was right. arg: FamilyGroupRef or None.
    """

    chosen = Signal(object)

    def __init__(
        self,
        parent: QWidget | None,
        current: FamilyGroupRef | None,
        *,
        account_sources: frozenset[MemberSource] = ACCOUNT_SOURCES,
    ) -> None:
        """Begin with `current`. WeChat always needs an account; `account_sources` are those that may have one."""
        super().__init__(parent, "groupDialog", translated("Family or shared group"))
        self._choice = current
        self._account_sources = account_sources | ACCOUNT_SOURCES
        self._radios = QButtonGroup(self)
        self._radio = {route: self._radio_button(route) for route in Route}
        self._group_id = self._field("groupIdField", translated("Group number"))
        self._external = self._field("groupExternalField", translated("Group external ID"))
        self._member_id = self._field("memberIdField", translated("Member number"))
        self._member_value = self._field("memberValue", translated("Value"))
        self._account = self._field("memberAccount", translated("Account"))
        self._kind = self._chooser("memberKind", translated("Kind"), KINDS)
        self._source = self._chooser("memberSource", translated("Source"), SOURCES)
        self._message = message_label("groupMessage")
        self._sends = text_label("groupSends", "heading")
        self._use = dialog_button(translated("Use this"), "groupUse", role="primary")
        self._cancel = dialog_button(translated("Cancel"), "groupCancel")
        self._lay_out()
        self._fill(current)
        self._connect()
        self._follow()

    def choice(self) -> FamilyGroupRef | None:
        """What was chosen with "Use this"; before that, what the dialog began with. None: the customer's own points."""
        return self._choice

    # What is chosen

    def _route(self) -> Route:
        return next(route for route, radio in self._radio.items() if radio.isChecked())

    def _read(self) -> FamilyGroupRef | None:
        """The choice as it stands, with exactly what its way sends.

        Raises:
            _NotFilledError: a field of the chosen way is empty or is no whole number.
        """
        match self._route():
            case Route.NONE:
                return None
            case Route.DEFAULT:
                return FamilyGroupRef(use_default=True)
            case Route.BY_ID:
                return FamilyGroupRef(group_id=self._whole(self._group_id, GROUP_ID_MAX))
            case Route.BY_EXTERNAL:
                return FamilyGroupRef(external_id=self._filled(self._external))
            case Route.BY_MEMBER_ID:
                return FamilyGroupRef(primary_user_id=self._whole(self._member_id, ID_MAX))
            case Route.BY_MEMBER_IDENTIFIER:
                return self._read_member()

    def _read_member(self) -> FamilyGroupRef:
        source: MemberSource = MemberSource(self._source.currentData())
        account = self._account.text().strip() if source in self._account_sources else ""
        value = self._filled(self._member_value)
        if source is MemberSource.WECHAT and not account:
            raise _NotFilledError(self._account, translated("Account: WeChat needs the account of the member."))
        return FamilyGroupRef(
            primary_kind=PrimaryKind(self._kind.currentData()),
            primary_value=value,
            source=source,
            account_id=account or None,
        )

    def _filled(self, field: Field) -> str:
        text = field.text().strip()
        if not text:
            raise _NotFilledError(
                field, translated("{field}: type it or scan it.").format(field=field.accessibleName())
            )
        return text

    def _whole(self, field: Field, most: int) -> int:
        text = self._filled(field)
        if not (text.isascii() and text.isdigit()) or not 0 < int(text[:20]) <= most:
            sentence = translated("{field}: type a whole number, digits only.")
            raise _NotFilledError(field, sentence.format(field=field.accessibleName()))
        return int(text)

    # What happens

    def _use_it(self) -> None:
        try:
            self._choice = self._read()
        except _NotFilledError as problem:
            show_message(self._message, problem.sentence, "refused")
            set_state(problem.field, "refused")
            problem.field.setFocus()
            problem.field.selectAll()
            self._area.ensureWidgetVisible(problem.field)
            self.say(problem.sentence, is_assertive=True)
            return
        self.chosen.emit(self._choice)
        self.accept()

    def _follow(self) -> None:
        """Show which fields belong to the chosen way, and what would be sent."""
        route = self._route()
        is_member = route is Route.BY_MEMBER_IDENTIFIER
        has_account = MemberSource(self._source.currentData()) in self._account_sources
        self._group_id.setEnabled(route is Route.BY_ID)
        self._external.setEnabled(route is Route.BY_EXTERNAL)
        self._member_id.setEnabled(route is Route.BY_MEMBER_ID)
        for control in (self._kind, self._member_value, self._source):
            control.setEnabled(is_member)
        self._account.setEnabled(is_member and has_account)
        self._account.setPlaceholderText("" if has_account else translated("not needed"))
        self._account.setAccessibleDescription("" if has_account else translated("not needed"))
        for field in (self._group_id, self._external, self._member_id, self._member_value, self._account):
            set_state(field, "")
        show_message(self._message, "", "")
        try:
            self._sends.setText(sends_line(self._read()))
        except _NotFilledError:
            self._sends.setText(translated("Sends: not complete yet"))

    def _turn_to_field(self) -> None:
        """After a choice with the keyboard or a finger the cursor stands in the field that has to be filled."""
        fields = {
            Route.BY_ID: self._group_id,
            Route.BY_EXTERNAL: self._external,
            Route.BY_MEMBER_ID: self._member_id,
            Route.BY_MEMBER_IDENTIFIER: self._member_value,
        }
        field = fields.get(self._route())
        if field is not None:
            field.setFocus()
            self._area.ensureWidgetVisible(field)

    def _connect(self) -> None:
        for radio in self._radio.values():
            radio.toggled.connect(self._follow)
            radio.clicked.connect(self._turn_to_field)
        for field in (self._group_id, self._external, self._member_id, self._member_value, self._account):
            field.textChanged.connect(self._follow)
        for chooser in (self._kind, self._source):
            chooser.currentIndexChanged.connect(self._follow)
        self._use.clicked.connect(self._use_it)
        self._cancel.clicked.connect(self.reject)

    # How it looks

    def _radio_button(self, route: Route) -> QRadioButton:
        texts = {
            Route.NONE: translated("The customer's own points (no group)"),
            Route.DEFAULT: translated("The customer's default group"),
            Route.BY_ID: translated("A group, by its number"),
            Route.BY_EXTERNAL: translated("A group, by its external ID"),
            Route.BY_MEMBER_ID: translated("Member number"),
            Route.BY_MEMBER_IDENTIFIER: translated("Member identifier"),
        }
        radio = named(QRadioButton(texts[route]), route.value)
        radio.setMinimumHeight(CONTROL_PX)
        self._radios.addButton(radio)
        return radio

    def _field(self, handle: str, name: str) -> Field:
        field = named(Field(), handle, name)
        field.setMinimumHeight(CONTROL_PX)
        return field

    def _chooser(self, handle: str, name: str, words: object) -> Chooser:
        chooser = named(Chooser(), handle, name)
        chooser.setMinimumHeight(CONTROL_PX)
        chooser.view().setAccessibleName(name)
        for value, word in dict(words).items():  # type: ignore[call-overload]
            chooser.addItem(translated(word), value)
        return chooser

    def _lay_out(self) -> None:
        inner = QWidget()
        grid = QGridLayout(inner)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GAP_PX)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self._radio[Route.NONE], 0, 0, 1, 2)
        grid.addWidget(self._radio[Route.DEFAULT], 1, 0, 1, 2)
        grid.addWidget(self._radio[Route.BY_ID], 2, 0)
        grid.addWidget(self._group_id, 2, 1)
        grid.addWidget(self._radio[Route.BY_EXTERNAL], 3, 0)
        grid.addWidget(self._external, 3, 1)
        grid.addWidget(heading(translated("A group, by its main member")), 4, 0, 1, 2)
        grid.addWidget(self._radio[Route.BY_MEMBER_ID], 5, 0)
        grid.addWidget(self._member_id, 5, 1)
        grid.addWidget(self._radio[Route.BY_MEMBER_IDENTIFIER], 6, 0)
        grid.addWidget(self._member_row(), 7, 0, 1, 2)
        layout = column(self, width=DIALOG_WIDTH)
        layout.addWidget(heading(translated("Use points that belong to:")))
        self._area = _Choices(inner)
        layout.addWidget(self._area, 1)
        layout.addWidget(self._message)
        foot = row_of_widgets(self._sends, self._cancel, self._use)
        foot.setStretch(0, 1)
        layout.addLayout(foot)

    def _member_row(self) -> QWidget:
        row = QWidget()
        grid = QGridLayout(row)
        grid.setContentsMargins(INDENT, 0, 0, 0)
        grid.setSpacing(GAP_PX)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        pairs = (
            (self._kind, 0, 0),
            (self._member_value, 0, 2),
            (self._source, 1, 0),
            (self._account, 1, 2),
        )
        for control, line, at in pairs:
            label = QLabel(control.accessibleName())
            label.setBuddy(control)
            grid.addWidget(label, line, at)
            grid.addWidget(control, line, at + 1)
        return row

    def _fill(self, current: FamilyGroupRef | None) -> None:
        route = _route_of(current)
        if current is not None:
            self._group_id.setText("" if current.group_id is None else str(current.group_id))
            self._external.setText(current.external_id or "")
            self._member_id.setText("" if current.primary_user_id is None else str(current.primary_user_id))
            self._member_value.setText(current.primary_value or "")
            self._account.setText(current.account_id or "")
            self._source.setCurrentIndex(max(0, self._source.findData(current.source)))
            if current.primary_kind is not None:
                self._kind.setCurrentIndex(max(0, self._kind.findData(current.primary_kind)))
        self._radio[route].setChecked(True)
        self._radio[route].setFocus()


def _route_of(choice: FamilyGroupRef | None) -> Route:
    if choice is None:
        return Route.NONE
    if choice.primary_kind is not None:
        return Route.BY_MEMBER_IDENTIFIER
    if choice.primary_user_id is not None:
        return Route.BY_MEMBER_ID
    if choice.external_id is not None:
        return Route.BY_EXTERNAL
    if choice.group_id is not None:
        return Route.BY_ID
    return Route.DEFAULT if choice.use_default else Route.NONE
