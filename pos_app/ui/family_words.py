"""How a family group reads on screen, and the plain words of the contract's lists (ux B.3)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from PySide6.QtCore import QCoreApplication

from pos_app.domain.masking import mask
from pos_app.domain.request import FamilyGroupRef, IdentifierKind, MemberSource, PrimaryKind
from pos_app.ui.formats import isolated

CONTEXT: Final = "family"

KINDS: Final = MappingProxyType(
    {
        PrimaryKind.MOBILE: "Mobile",
        PrimaryKind.EMAIL: "Email",
        PrimaryKind.CARD_NUMBER: "Card number",
        PrimaryKind.CARD_EXTERNAL_ID: "Card external ID",
        PrimaryKind.ID: "Member ID",
    }
)
_IN_A_SENTENCE: Final = MappingProxyType(
    {
        PrimaryKind.MOBILE: "Group of mobile {value}",
        PrimaryKind.EMAIL: "Group of email {value}",
        PrimaryKind.CARD_NUMBER: "Group of card {value}",
        PrimaryKind.CARD_EXTERNAL_ID: "Group of card external ID {value}",
        PrimaryKind.ID: "Group of member ID {value}",
    }
)
SOURCES: Final = MappingProxyType(
    {
        MemberSource.INSTORE: "In store",
        MemberSource.WEBSITE: "Website",
        MemberSource.MOBILE_APP: "Mobile app",
        MemberSource.ECOMMERCE: "Online shop",
        MemberSource.FACEBOOK: "Facebook",
        MemberSource.WECHAT: "WeChat",
        MemberSource.LINE: "LINE",
        MemberSource.TMALL: "Tmall",
        MemberSource.TAOBAO: "Taobao",
        MemberSource.JD: "JD",
        MemberSource.MARTJACK: "Martjack",
        MemberSource.WEB_ENGAGE: "WebEngage",
    }
)
_MASKED_AS: Final = MappingProxyType(
    {
        PrimaryKind.MOBILE: IdentifierKind.MOBILE,
        PrimaryKind.EMAIL: IdentifierKind.EMAIL,
        PrimaryKind.CARD_NUMBER: IdentifierKind.CARD_NUMBER,
        PrimaryKind.CARD_EXTERNAL_ID: IdentifierKind.CARD_EXTERNAL_ID,
    }
)


def translated(text: str) -> str:
    """One of the words above in the language of the screen."""
    return QCoreApplication.translate(CONTEXT, text)


def summary(choice: FamilyGroupRef | None) -> str:
    """The choice in a few words, for the main screen. A member's identifier is masked."""
    if choice is None:
        return translated("None")
    if choice.primary_kind is not None:
        return _member(choice.primary_kind, choice.primary_value or "")
    if choice.primary_user_id is not None:
        return translated("Group of member {number}").format(number=choice.primary_user_id)
    if choice.external_id is not None:
        return translated("Group with external ID {id}").format(id=choice.external_id)
    if choice.group_id is not None:
        return translated("Group {number}").format(number=choice.group_id)
    return translated("Default group") if choice.use_default else translated("None")


def sends_line(choice: FamilyGroupRef | None) -> str:
    """The dialog's "Sends:" line: what goes to the service, and that nothing else does."""
    if choice is None:
        return translated("Sends: no family group")
    if choice.use_default and not choice.is_explicit:
        return translated("Sends: default group only")
    if choice.primary_kind is None:
        return translated("Sends: {choice} only").format(choice=summary(choice))
    source = translated(SOURCES[choice.source])
    if choice.account_id:
        return translated("Sends: {choice}, source {source} and account only").format(
            choice=summary(choice), source=source
        )
    return translated("Sends: {choice} and source {source} only").format(choice=summary(choice), source=source)


def _member(kind: PrimaryKind, value: str) -> str:
    masked_as = _MASKED_AS.get(kind)
    shown = value if masked_as is None else mask(masked_as, value)
    return translated(_IN_A_SENTENCE[kind]).format(value=isolated(shown))
