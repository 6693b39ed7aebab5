from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QRadioButton
from pytestqt.qtbot import QtBot
from support.dialogs import controls, cut_off, find, nameless, open_active, texts

from pos_app.domain.points import Points
from pos_app.domain.request import (
    AskedPoints,
    CustomerRef,
    FamilyGroupRef,
    IdentifierKind,
    MemberSource,
    PrimaryKind,
    RedemptionRequest,
)
from pos_app.ui.family_words import KINDS, SOURCES
from pos_app.ui.group_dialog import GroupDialog, summary
from pos_app.ui.theme import CONTROL_PX
from pos_app.wire.requests import write_check

Make = Callable[..., GroupDialog]


@pytest.fixture
def make(qtbot: QtBot) -> Make:
    def open_dialog(current: FamilyGroupRef | None = None) -> GroupDialog:
        dialog = GroupDialog(None, current)
        open_active(qtbot, dialog)
        return dialog

    return open_dialog


def choose(dialog: GroupDialog, handle: str) -> None:
    find(dialog, QRadioButton, handle).click()


def fill(dialog: GroupDialog, handle: str, text: str) -> QLineEdit:
    field = find(dialog, QLineEdit, handle)
    field.setText(text)
    return field


def pick(dialog: GroupDialog, handle: str, word: str) -> None:
    chooser = find(dialog, QComboBox, handle)
    chooser.setCurrentIndex(chooser.findText(word))


def use(dialog: GroupDialog) -> None:
    find(dialog, QPushButton, "groupUse").click()


def sent(choice: FamilyGroupRef | None) -> dict[str, str]:
    """What the wire carries of the choice, and nothing of the rest. INSTORE may be left unsaid (2.5: the default)."""
    customer = CustomerRef(IdentifierKind.MOBILE, "9876545205")
    asked = AskedPoints(Points.of(250))
    with_group = write_check(RedemptionRequest(customer=customer, amount=asked, family_group=choice))
    without = write_check(RedemptionRequest(customer=customer, amount=asked))
    carried = dict(with_group.items() - without.items())
    if "user_group2_primary_user_identifier_type" in carried:
        carried.setdefault("user_group2_primary_user_source", "INSTORE")
    return carried


def member_mobile(dialog: GroupDialog) -> None:
    choose(dialog, "groupByMemberIdentifier")
    fill(dialog, "memberValue", "9876545205")


def member_wechat(dialog: GroupDialog) -> None:
    choose(dialog, "groupByMemberIdentifier")
    pick(dialog, "memberKind", "Card external ID")
    pick(dialog, "memberSource", "WeChat")
    fill(dialog, "memberValue", "C-77")
    fill(dialog, "memberAccount", "shop-1")


def by_text(radio: str, field: str, text: str) -> Callable[[GroupDialog], None]:
    def act(dialog: GroupDialog) -> None:
        choose(dialog, radio)
        fill(dialog, field, text)

    return act


@pytest.mark.parametrize(
    ("act", "parameters"),
    [
        (lambda dialog: choose(dialog, "groupNone"), {}),
        (lambda dialog: choose(dialog, "groupDefault"), {"use_default_user_group2": "true"}),
        (by_text("groupById", "groupIdField", " 321 "), {"user_group2_id": "321"}),
        (by_text("groupByExternal", "groupExternalField", "SMITHS"), {"user_group2_external_id": "SMITHS"}),
        (by_text("groupByMemberId", "memberIdField", "50001"), {"user_group2_primary_user_id": "50001"}),
        (
            member_mobile,
            {
                "user_group2_primary_user_identifier_type": "mobile",
                "user_group2_primary_user_identifier_value": "9876545205",
                "user_group2_primary_user_source": "INSTORE",
            },
        ),
        (
            member_wechat,
            {
                "user_group2_primary_user_identifier_type": "cardExternalId",
                "user_group2_primary_user_identifier_value": "C-77",
                "user_group2_primary_user_source": "WECHAT",
                "user_group2_primary_user_accountId": "shop-1",
            },
        ),
    ],
)
def test_each_choice_sends_exactly_its_parameters(
    make: Make, act: Callable[[GroupDialog], None], parameters: dict[str, str]
) -> None:
    dialog = make(FamilyGroupRef(group_id=9))
    for field in ("groupIdField", "groupExternalField", "memberIdField", "memberValue", "memberAccount"):
        fill(dialog, field, "77")  # What stands in the fields of other ways must not be sent.
    act(dialog)
    use(dialog)
    assert sent(dialog.choice()) == parameters


def test_the_choice_is_told_when_it_is_made(make: Make, qtbot: QtBot) -> None:
    dialog = make()
    choose(dialog, "groupDefault")
    with qtbot.waitSignal(dialog.chosen) as told:
        use(dialog)
    assert told.args == [FamilyGroupRef(use_default=True)]
    assert not dialog.isVisible()


def test_cancel_keeps_what_was_chosen_before(make: Make) -> None:
    before = FamilyGroupRef(group_id=9)
    dialog = make(before)
    choose(dialog, "groupNone")
    find(dialog, QPushButton, "groupCancel").click()
    assert dialog.choice() == before


def test_wechat_needs_an_account_and_in_store_has_none(make: Make) -> None:
    dialog = make()
    member_wechat(dialog)
    account = fill(dialog, "memberAccount", " ")
    use(dialog)
    assert dialog.isVisible()
    assert "Account" in find(dialog, QLabel, "groupMessage").text()
    assert account.hasFocus()
    fill(dialog, "memberAccount", "shop-1")
    pick(dialog, "memberSource", "In store")
    assert not account.isEnabled()
    assert account.accessibleDescription() == "not needed"
    assert account.text() == "shop-1"
    use(dialog)
    assert "user_group2_primary_user_accountId" not in sent(dialog.choice())


def test_fields_of_ways_not_chosen_are_off_and_keep_their_text(make: Make) -> None:
    dialog = make()
    choose(dialog, "groupById")
    number = fill(dialog, "groupIdField", "321")
    choose(dialog, "groupByExternal")
    assert not number.isEnabled()
    assert number.text() == "321"
    assert find(dialog, QLineEdit, "groupExternalField").hasFocus()
    choose(dialog, "groupById")
    assert number.isEnabled()
    assert number.text() == "321"


@pytest.mark.parametrize("typed", ["", "12.5", "-3", "0", "12a", "2147483648", "9" * 5000, "٣"])
def test_a_group_number_that_is_no_whole_number_is_told_at_its_field(make: Make, typed: str) -> None:
    dialog = make()
    choose(dialog, "groupById")
    field = fill(dialog, "groupIdField", typed)
    use(dialog)
    assert dialog.isVisible()
    assert find(dialog, QLabel, "groupMessage").text().startswith("✕ Group number:")
    assert field.text() == typed[: field.maxLength()]
    assert dialog.choice() is None


def test_a_member_number_may_be_longer_than_a_group_number(make: Make) -> None:
    dialog = make()
    choose(dialog, "groupByMemberId")
    fill(dialog, "memberIdField", "9007199254740993")
    use(dialog)
    assert dialog.choice() == FamilyGroupRef(primary_user_id=9007199254740993)


def test_a_scan_fills_the_active_field_and_its_enter_presses_nothing(make: Make) -> None:
    dialog = make()
    choose(dialog, "groupByMemberIdentifier")
    field = find(dialog, QLineEdit, "memberValue")
    QTest.keyClicks(field, "6011000990134")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == "6011000990134"
    assert dialog.isVisible()


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        (None, "None"),
        (FamilyGroupRef(use_default=True), "Default group"),
        (FamilyGroupRef(group_id=321), "Group 321"),
        (FamilyGroupRef(external_id="SMITHS"), "Group with external ID SMITHS"),
        (FamilyGroupRef(primary_user_id=50001), "Group of member 50001"),
        (
            FamilyGroupRef(primary_kind=PrimaryKind.MOBILE, primary_value="9876545205"),
            "Group of mobile 98.....5205",
        ),
        (FamilyGroupRef(primary_kind=PrimaryKind.ID, primary_value="50001"), "Group of member ID 50001"),
    ],
)
def test_the_choice_reads_in_a_few_words_and_masks_people(choice: FamilyGroupRef | None, shown: str) -> None:
    assert summary(choice) == shown


def test_the_sends_line_follows_the_choice(make: Make) -> None:
    dialog = make()
    line = find(dialog, QLabel, "groupSends")
    assert line.text() == "Sends: no family group"
    choose(dialog, "groupDefault")
    assert line.text() == "Sends: default group only"
    choose(dialog, "groupById")
    assert line.text() == "Sends: not complete yet"
    fill(dialog, "groupIdField", "321")
    assert line.text() == "Sends: Group 321 only"


@pytest.mark.parametrize(
    "choice",
    [
        None,
        FamilyGroupRef(use_default=True),
        FamilyGroupRef(group_id=321),
        FamilyGroupRef(external_id="SMITHS"),
        FamilyGroupRef(primary_user_id=50001),
        FamilyGroupRef(
            primary_kind=PrimaryKind.EMAIL, primary_value="t@example.com", source=MemberSource.WECHAT, account_id="a"
        ),
    ],
)
def test_opened_again_the_dialog_shows_what_was_chosen(make: Make, choice: FamilyGroupRef | None) -> None:
    dialog = make(choice)
    use(dialog)
    assert dialog.choice() == choice


def test_every_kind_and_source_of_the_contract_has_a_plain_word() -> None:
    assert set(KINDS) == set(PrimaryKind)
    assert set(SOURCES) == set(MemberSource)
    assert next(iter(SOURCES)) is MemberSource.INSTORE


def test_the_words_group_redemption_are_nowhere(make: Make) -> None:
    assert not [text for text in texts(make()) if "group redemption" in text.lower()]


def test_everything_has_a_name_and_a_height_for_a_finger(make: Make) -> None:
    dialog = make()
    choose(dialog, "groupByMemberIdentifier")
    assert nameless(dialog) == []
    assert [each.objectName() for each in controls(dialog) if each.height() < CONTROL_PX] == []
    assert not any(each.autoDefault() or each.isDefault() for each in dialog.findChildren(QPushButton))
    assert cut_off(dialog) == []
