"""What one `customer` line says, and the quick way to read it where it says nothing unusual, which is nearly always.

The careful way (`customers.read_unusual_customer`) names each fault. The quick one only knows the plain shape: members
of the usual types, short texts without spaces around them, whole points; reading and checking that much is left to a
library that does both in one go. Where it is not sure it leaves the line alone, and a line it does read it reads as
the careful way would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
import phonenumbers

from pos_app.domain.points import POINTS_MAX, THOUSANDTHS
from pos_app.domain.request import IdentifierKind, is_well_formed
from pos_app.ledger.loading.fields import ID_MAX, is_day
from pos_app.ledger.loading.wallets import Holdings, StatedWallet, fingerprint_of
from pos_app.ledger.people import kept_forms
from pos_app.ledger.rulebook import OrganisationRules

Name = tuple[str, str]
"""Kind and kept value of an identifier."""

_PLAIN_TEXTS_MAX: Final = 200
_PLAIN_STATUS_MAX: Final = 40
_PLAIN_STANDING: Final = ("ACTIVE", 0, "0", 0)


@dataclass(slots=True, kw_only=True)
class StatedCustomer:
    """A `customer` line, read."""

    line: int
    key: tuple[int, int]
    """Organisation and id."""
    row: tuple[Any, ...]
    """Of the columns `ROW`."""
    names: dict[Name, bool]
    """Her identifiers, and whether each may be used."""
    fields_of_names: dict[Name, str]
    holdings: Holdings

    @property
    def points(self) -> int:
        """All points stated, in thousandths."""
        return self.holdings.points


def full_mobile(value: str, country_code: str) -> str:
    """A mobile number as it is kept: digits, with the country code where the number can be told to lack it (2.1)."""
    digits, completed = kept_forms(IdentifierKind.MOBILE, value, country_code)
    if digits == completed:
        return digits
    national = _national_digits(country_code)
    if digits.startswith(country_code) and len(digits) != national:
        return digits
    return completed


_LENGTHS: dict[str, int] = {}


def _national_digits(country_code: str) -> int:
    """How many digits a mobile number of a country has without its code; 0 where that is not known."""
    if country_code not in _LENGTHS:
        region = phonenumbers.region_code_for_country_code(int(country_code))
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        _LENGTHS[country_code] = 0 if example is None else len(str(example.national_number))
    return _LENGTHS[country_code]


class _Lot(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    points: Annotated[int, msgspec.Meta(gt=0, le=POINTS_MAX)]
    awarded_on: str | None = None
    expires_on: str | None = None


class _Wallet(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    program_id: int
    lots: tuple[_Lot, ...] = ()


class PlainCustomer(msgspec.Struct, tag_field="kind", tag="customer", forbid_unknown_fields=True, gc=False):
    """A `customer` line that has the plain shape; its values may still be faulty."""

    organisation: int
    id: Annotated[int, msgspec.Meta(gt=0, le=ID_MAX)]
    mobile: str = ""
    email: str = ""
    external_id: str = ""
    first_name: str = ""
    last_name: str = ""
    tier: str = ""
    fraud_status: Annotated[str, msgspec.Meta(max_length=_PLAIN_STATUS_MAX)] = "NONE"
    wallets: tuple[_Wallet, ...] = ()


_decode: Final = msgspec.json.Decoder(PlainCustomer).decode


def decode_plain(raw: bytes) -> PlainCustomer | None:
    """Read a line that has the plain shape; None where it has not, be it faulty or only unusual."""
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def read_plain_customer(
    organisations: Mapping[int, OrganisationRules], plain: PlainCustomer, line: int
) -> StatedCustomer | None:
    """Take a line of the plain shape; None where something about its values wants care."""
    rules = organisations.get(plain.organisation)
    mobile, email, external_id = plain.mobile, plain.email, plain.external_id
    first, last, tier, fraud = plain.first_name, plain.last_name, plain.tier, plain.fraud_status
    if rules is None or not _are_plain(mobile, email, external_id, first, last, tier, fraud):
        return None
    org, customer_id = rules.organisation.organisation_id, plain.id
    names: dict[Name, bool] = {}
    told: dict[Name, str] = {}
    if mobile:
        if not is_well_formed(IdentifierKind.MOBILE, mobile):
            return None
        mobile = full_mobile(mobile, rules.organisation.country_code)
    for kind, value in ((_MOBILE, mobile), (_EMAIL, email), (_EXTERNAL_ID, external_id)):
        if value:
            if not is_well_formed(kind, value):
                return None
            kept = (kind.value, kept_forms(kind, value, "")[0])
            names[kept], told[kept] = True, kind.value
    wallets = _plain_wallets(rules, plain.wallets)
    if not names or wallets is None:
        return None
    row = (org, customer_id, mobile, email, external_id, first, last, "LOYALTY", False, fraud, tier or None, None)
    holdings = Holdings(org=org, is_family=False, owner_id=customer_id, wallets=wallets)
    return StatedCustomer(
        line=line, key=(org, customer_id), row=row, names=names, fields_of_names=told, holdings=holdings
    )


_MOBILE, _EMAIL, _EXTERNAL_ID = IdentifierKind.MOBILE, IdentifierKind.EMAIL, IdentifierKind.EXTERNAL_ID


def _are_plain(*texts: str) -> bool:
    """Say whether texts are short, printable and without spaces around them: all at once, by what joins them."""
    joined = f"|{'|'.join(texts)}|"
    return len(joined) <= _PLAIN_TEXTS_MAX and joined.isprintable() and " |" not in joined and "| " not in joined


def _plain_wallets(rules: OrganisationRules, stated: Sequence[_Wallet]) -> tuple[StatedWallet, ...] | None:
    found: list[StatedWallet] = []
    for each in stated:
        program_id, lots = each.program_id, _plain_lots(each.lots)
        if lots is None or program_id not in rules.programs:
            return None
        path = f"wallets[{len(found)}].lots"
        found.append(
            StatedWallet(
                program_id=program_id, standing=_PLAIN_STANDING, lots=lots, imported=fingerprint_of(lots), path=path
            )
        )
    return tuple(found) if len(found) < 2 or len({each.program_id for each in found}) == len(found) else None


def _plain_lots(stated: Sequence[_Lot]) -> tuple[tuple[int, str | None, str | None], ...] | None:
    for each in stated:
        for day in (each.awarded_on, each.expires_on):
            if day is not None and not is_day(day):
                return None
    return tuple([(each.points * THOUSANDTHS, each.awarded_on, each.expires_on) for each in stated])
