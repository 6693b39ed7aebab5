"""Who may report missed calls, and how a report becomes a row (sync-api 12)."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import IntegrityError

from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.ledger import schema
from pos_app.ledger.databases.database import LostRaceError
from pos_app.ledger.loading.customer_lines import full_mobile
from pos_app.ledger.people import find_person
from pos_app.ledger.rulebook import OrganisationRules, to_ms
from pos_app.ledger.tills import Till, digest_of, proof_of
from pos_app.ledger.tools import Tools
from pos_app.wire.formats import MalformedError
from pos_app.wire.telephony import ReportedCall

AHEAD_MAX: Final = timedelta(minutes=5)
"""How far a reporter's clock may be ahead of ours."""

_CALL: Final = schema.missed_call
_ORGANISATION: Final = schema.organisation
_SAME: Final = select(_CALL.c.id).where(
    _CALL.c.org == bindparam("org"), _CALL.c.number == bindparam("number"), _CALL.c.at == bindparam("at")
)


# --- Who reports ---------------------------------------------------------------------------------------------------


def find_telephony(tools: Tools, login: str, secret: str) -> int | None:
    """The organisation whose telephony login this is; None: nobody's, or the wrong password.

    `secret` may be the password or its MD5 digest: telephony services send what they were given, tills send digests.
    """
    by_login = select(_ORGANISATION.c.id, _ORGANISATION.c.telephony_proof).where(
        _ORGANISATION.c.telephony_login == login
    )
    with tools.store.read() as connection:
        kept = connection.execute(by_login.order_by(_ORGANISATION.c.id)).all()
    proofs = [proof_of(each, tools.pepper) for each in (secret, digest_of(secret))]
    for org, proof in kept:
        if any(hmac.compare_digest(proof, each) for each in proofs):
            return int(org)
    return None


def may_report(tools: Tools, till: Till) -> bool:
    """Say whether a till may report calls: where its organisation has no telephony login, and it is trusted itself.

    Raises:
        TillChangedError: it is no longer what it was when it was let in.
    """
    with tools.store.read() as connection:
        tools.moment(connection, till)
        own = select(_ORGANISATION.c.telephony_login).where(_ORGANISATION.c.id == till.organisation_id)
        has_own_login = connection.execute(own).scalar_one_or_none() is not None
    return till.state == "ACTIVE" and not has_own_login  # A till that was stolen could invent calls.


# --- Reports -------------------------------------------------------------------------------------------------------


def report(tools: Tools, org: int, call: ReportedCall) -> None:
    """Write a call down; the same report again is the same call. An organisation that uses no calls keeps none.

    Raises:
        MalformedError: it is said to come from the future.
        LedgerBusyError: the database was not had in time.
    """
    now = tools.clock.wall()
    at = now if call.at is None else call.at
    if at > now + AHEAD_MAX:
        raise MalformedError("at", "a moment that has come", "one further ahead than five minutes")
    with tools.store.read() as connection:
        rules = tools.rulebook.at(connection).organisations[org]
        if not rules.organisation.missed_call_enabled:
            return
        number = _kept_number(connection, rules, call.number)
    values = {"org": org, "number": number, "at": to_ms(at)}
    tools.store.writing(lambda connection: _keep(connection, values))


def _kept_number(connection: Connection, rules: OrganisationRules, number: str) -> str:
    """The number as the one who calls is known by; of a stranger's, as an import would keep it (contract 2.1)."""
    country_code = rules.organisation.country_code
    ref = CustomerRef(IdentifierKind.MOBILE, number)
    person, _ = find_person(connection, rules.organisation.organisation_id, ref, country_code)
    return full_mobile(number, country_code) if person is None else person.customer.mobile


def _keep(connection: Connection, values: dict[str, object]) -> None:
    if connection.execute(_SAME, values).first() is not None:
        return
    try:
        connection.execute(_CALL.insert(), values)
    except IntegrityError as error:  # The same report, at the same moment, on another line.
        raise LostRaceError from error
