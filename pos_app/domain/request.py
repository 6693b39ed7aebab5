"""A question about points, with every parameter of the contract's section 2."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pos_app.domain.leases import GiveBack
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal

NO_SUCH_PROGRAM: Final = 0
"""A program id that is no number names no program: it is read as this id, which none has (2.3)."""

ID_MAX: Final = 2**63 - 1


class IdentifierKind(StrEnum):
    """How a customer may be named (2.1); the values are the parameter names of the contract."""

    MOBILE = "mobile"
    EMAIL = "email"
    EXTERNAL_ID = "external_id"
    CARD_NUMBER = "card_number"
    CARD_EXTERNAL_ID = "card_external_id"
    ID = "id"


_MOBILE: Final = re.compile(r"\+?[0-9][0-9 ().-]{3,24}", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")


def is_well_formed(kind: IdentifierKind, value: str) -> bool:
    """Say whether a value can be of its kind at all (2.1)."""
    match kind:
        case IdentifierKind.MOBILE:
            return bool(_MOBILE.fullmatch(value))
        case IdentifierKind.EMAIL:
            return len(value) <= 254 and bool(_EMAIL.fullmatch(value))
        case IdentifierKind.ID:
            return value.isascii() and value.isdigit() and len(value) <= 19 and 0 < int(value) <= ID_MAX
        case _:
            return 0 < len(value) <= 200


@dataclass(frozen=True, slots=True)
class CustomerRef:
    """One identifier of one customer. The value is personal: it stays out of `repr`."""

    kind: IdentifierKind
    value: str = field(repr=False)

    @property
    def is_well_formed(self) -> bool:
        """Say whether the value can be of its kind at all; if not the answer is 802 (2.1)."""
        return is_well_formed(self.kind, self.value)


@dataclass(frozen=True, slots=True)
class AskedPoints:
    """So many points; always more than zero."""

    points: Points


@dataclass(frozen=True, slots=True)
class AskedValue:
    """Points worth so much money in the base currency (`currency_input`); always more than zero."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class UnreadableAmount:
    """An amount that is refused for its shape: POINTS_NOT_POSITIVE or POINTS_TOO_FINE (2.2, 2.7)."""

    refusal: Refusal
    by_value: bool = False
    shown: Points = Points(0)
    """What an answer echoes: the number where it was one, else 0 (2.9)."""


Amount = AskedPoints | AskedValue | UnreadableAmount


class PrimaryKind(StrEnum):
    """`user_group2_primary_user_identifier_type`; exact spelling (2.5)."""

    MOBILE = "mobile"
    EMAIL = "email"
    CARD_NUMBER = "cardnumber"
    CARD_EXTERNAL_ID = "cardExternalId"
    ID = "id"


class MemberSource(StrEnum):
    """`user_group2_primary_user_source` (2.5)."""

    FACEBOOK = "FACEBOOK"
    WEB_ENGAGE = "WEB_ENGAGE"
    WECHAT = "WECHAT"
    INSTORE = "INSTORE"
    MARTJACK = "MARTJACK"
    TMALL = "TMALL"
    TAOBAO = "TAOBAO"
    JD = "JD"
    ECOMMERCE = "ECOMMERCE"
    WEBSITE = "WEBSITE"
    LINE = "LINE"
    MOBILE_APP = "MOBILE_APP"


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyGroupRef:
    """A family group by any of the routes of 2.5. Several routes must name the same group."""

    group_id: int | None = None
    external_id: str | None = None
    primary_user_id: int | None = None
    primary_kind: PrimaryKind | None = None
    primary_value: str | None = field(default=None, repr=False)
    source: MemberSource = MemberSource.INSTORE
    account_id: str | None = None
    use_default: bool = False

    @property
    def is_explicit(self) -> bool:
        """Say whether a group is named; source or account alone name none, and the default is not a name."""
        return (
            self.group_id is not None
            or self.external_id is not None
            or self.primary_user_id is not None
            or self.primary_kind is not None
        )


class ValidationType(StrEnum):
    """`validation_type` (2.6)."""

    SMS = "SMS"
    MISSED_CALL = "MISSED_CALL"
    INVALID = "INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionRequest:
    """May this customer redeem this amount now? Every parameter of section 2.

    `family_group` is None for the customer's own wallet. `validation_code` is already cleaned: None when it was
    empty or one of the words the contract ignores (2.6). `give_back` are leases of the asking till (sync-api 2): a
    check counts them as free, a redemption frees them in its own transaction.
    """

    customer: CustomerRef
    amount: Amount
    program_id: int | None = None
    program_group: bool = False
    family_group: FamilyGroupRef | None = None
    issue_otp: bool = False
    validation_code: str | None = field(default=None, repr=False)
    skip_validation: bool = False
    validation_type: ValidationType | None = None
    give_back: tuple[GiveBack, ...] = ()
