"""Fills a cache with any number of synthetic customers, fast enough for a measurement."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from support.builders import a_customer, a_program, a_wallet, an_organisation

from pos_app.cache import SqlCache
from pos_app.domain.facts import Customer, CustomerRecord
from pos_app.domain.request import CustomerRef, IdentifierKind

FIRST_CUSTOMER_ID: Final = 100_000
SEEN_AT: Final = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
_BATCH: Final = 5_000


def fill(cache: SqlCache, count: int) -> None:
    """Keep `count` customers, numbered from zero: each with three identifiers and one wallet of one lot."""
    cache.keep_organisation(an_organisation(), SEEN_AT)
    record = CustomerRecord(customer=a_customer(), wallets=(a_wallet(),), programs=(a_program(),))
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        cache.keep_customers([(replace(record, customer=synthetic_customer(each)), None) for each in numbers], SEEN_AT)


def synthetic_customer(number: int) -> Customer:
    """The customer with this number."""
    return a_customer(
        FIRST_CUSTOMER_ID + number,
        mobile=f"919{number:09}",
        email=f"customer{number}@example.org",
        external_id=f"C-{number:09}",
    )


def mobile_of(number: int, *, with_country_code: bool = True) -> CustomerRef:
    """The customer with this number, named by her mobile."""
    full = synthetic_customer(number).mobile
    return CustomerRef(IdentifierKind.MOBILE, full if with_country_code else full[2:])
