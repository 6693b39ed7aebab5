"""What one `customer` line says, and the quick way to read it where it says nothing unusual, which is nearly always.

The careful way (`import_customers.read_unusual_customer`) names each fault. The quick one only knows the plain shape:
members of the usual types, short texts without spaces around them, whole points. Where it is not sure it leaves the
line alone, and a line it does read it reads as the careful way would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import phonenumbers

from pos_app.domain.points import POINTS_MAX, THOUSANDTHS
from pos_app.domain.request import IdentifierKind, is_well_formed
from pos_app.ledger.loading.fields import ID_MAX, is_day
from pos_app.ledger.loading.wallets import Holdings, StatedWallet, fingerprint_of
from pos_app.ledger.people import kept_forms
from pos_app.ledger.rulebook import OrganisationRules

Name = tuple[str, str]
"""Kind and kept value of an identifier."""

_PLAIN: Final[dict[str, type]] = {
    "organisation": int,
    "id": int,
    "wallets": list,
    **dict.fromkeys(("mobile", "email", "external_id", "first_name", "last_name", "tier", "fraud_status"), str),
}
_PLAIN_TEXTS_MAX: Final = 200
_PLAIN_STATUS_MAX: Final = 40
_PLAIN_WALLET: Final = frozenset({"program_id", "lots"})
_PLAIN_LOT: Final = frozenset({"points", "awarded_on", "expires_on"})
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


def read_plain_customer(
    organisations: Mapping[int, OrganisationRules], document: Mapping[str, Any], line: int
) -> StatedCustomer | None:
    """Read a plain line; None where it is not plain, be it faulty or only unusual."""
    for name, value in document.items():
        if type(value) is not _PLAIN.get(name):
            return None
    get = document.get
    org, customer_id = get("organisation"), get("id", 0)
    rules = organisations.get(org)  # type: ignore[arg-type]
    mobile, email, external_id = get("mobile", ""), get("email", ""), get("external_id", "")
    first, last, tier, fraud = get("first_name", ""), get("last_name", ""), get("tier", ""), get("fraud_status", "NONE")
    if rules is None or not 0 < customer_id <= ID_MAX:
        return None
    if not _are_plain(mobile, email, external_id, first, last, tier, fraud) or len(fraud) > _PLAIN_STATUS_MAX:
        return None
    if mobile:
        if not is_well_formed(IdentifierKind.MOBILE, mobile):
            return None
        mobile = full_mobile(mobile, rules.organisation.country_code)
    names: dict[Name, bool] = {}
    told: dict[Name, str] = {}
    for kind, value in ((_MOBILE, mobile), (_EMAIL, email), (_EXTERNAL_ID, external_id)):
        if value:
            if not is_well_formed(kind, value):
                return None
            kept = (kind.value, kept_forms(kind, value, "")[0])
            names[kept], told[kept] = True, kind.value
    wallets = _plain_wallets(rules, get("wallets", ()))
    if not names or wallets is None:
        return None
    row = (org, customer_id, mobile, email, external_id, first, last, "LOYALTY", False, fraud, tier or None, None)
    holdings = Holdings(org=rules.organisation.organisation_id, is_family=False, owner_id=customer_id, wallets=wallets)
    key = (rules.organisation.organisation_id, customer_id)
    return StatedCustomer(line=line, key=key, row=row, names=names, fields_of_names=told, holdings=holdings)


_MOBILE, _EMAIL, _EXTERNAL_ID = IdentifierKind.MOBILE, IdentifierKind.EMAIL, IdentifierKind.EXTERNAL_ID


def _are_plain(*texts: str) -> bool:
    """Say whether texts are short, printable and without spaces around them: all at once, by what joins them."""
    joined = f"|{'|'.join(texts)}|"
    return len(joined) <= _PLAIN_TEXTS_MAX and joined.isprintable() and " |" not in joined and "| " not in joined


def _plain_wallets(rules: OrganisationRules, documents: Any) -> tuple[StatedWallet, ...] | None:
    found: list[StatedWallet] = []
    for document in documents:
        if type(document) is not dict or not document.keys() <= _PLAIN_WALLET:
            return None
        program_id, lots = document.get("program_id"), _plain_lots(document.get("lots", ()))
        if type(program_id) is not int or program_id not in rules.programs or lots is None:
            return None
        path = f"wallets[{len(found)}].lots"
        found.append(
            StatedWallet(
                program_id=program_id, standing=_PLAIN_STANDING, lots=lots, imported=fingerprint_of(lots), path=path
            )
        )
    return tuple(found) if len(found) < 2 or len({each.program_id for each in found}) == len(found) else None


def _plain_lots(documents: Any) -> tuple[tuple[int, str | None, str | None], ...] | None:
    if type(documents) not in (list, tuple):
        return None
    lots = []
    for document in documents:
        if type(document) is not dict or not document.keys() <= _PLAIN_LOT:
            return None
        points, days = document.get("points"), (document.get("awarded_on"), document.get("expires_on"))
        if type(points) is not int or not 0 < points <= POINTS_MAX:
            return None
        for day in days:
            if day is not None and (type(day) is not str or not is_day(day)):
                return None
        lots.append((points * THOUSANDTHS, *days))
    return tuple(lots)
