"""What is kept under the key of a settled row: the answer a repeat of it over v1.1 would get (reliability 4.2)."""

from __future__ import annotations

from typing import Any

from pos_app.domain.answers import Effect, Extension, Identity, RedeemAnswer
from pos_app.domain.facts import Pooling
from pos_app.domain.leases import OwnerKind
from pos_app.domain.money import round_money, worth_of
from pos_app.domain.points import ZERO
from pos_app.domain.settling import Settled
from pos_app.ledger.answering import NOTHING
from pos_app.ledger.idempotency import REDEEMED, plain_fingerprint, write_outcome
from pos_app.ledger.leases.charging import Row
from pos_app.ledger.rulebook import to_ms
from pos_app.wire.codes import Endpoint, message_for


def key_row(row: Row, settled: Settled, number: int) -> dict[str, Any]:
    """The row of `idem` for a settled row; the same words as those of a redemption online."""
    spend, owner = row.spend, row.spend.owner
    group = owner.owner_id if owner.kind is OwnerKind.FAMILY_GROUP else None
    return {
        "org": row.till.organisation_id,
        "key": spend.key,
        "state": REDEEMED,
        "fingerprint": plain_fingerprint(
            spend.customer_id, spend.program_id, group, spend.points, spend.transaction_number
        ),
        "customer_id": spend.customer_id,
        "till": row.till.login,
        "outcome": write_outcome(_answer(row, settled, number)),
        "redemption": number,
        "created_at": to_ms(row.moment.now),
    }


def _answer(row: Row, settled: Settled, number: int) -> RedeemAnswer:
    organisation, spend, till = row.moment.rules.organisation, row.spend, row.till
    program = row.moment.rules.programs.get(spend.program_id)
    ratio = None if program is None else program.ratio
    worth = NOTHING if ratio is None else worth_of(spend.points, ratio, organisation.currency)
    is_base = till.currency in ("", organisation.currency)
    pools = organisation.family_group_pooling is Pooling.MEMBERS
    return RedeemAnswer(
        identity=Identity(),  # Never kept with an answer.
        customer_id=spend.customer_id,
        redemption_id=settled.redemption_id,
        points=spend.points,
        worth=worth,
        local_worth=worth if is_base else round_money(worth * till.currency_rate, till.currency),
        balance=ZERO if settled.wallet is None else settled.wallet.balance,
        refusal=None,
        code=800,
        message=message_for(Endpoint.REDEEM, None, multiple_of=None),
        effects=(
            Effect(effect_id=number, points=spend.points, worth=worth, bill_number=spend.transaction_number or ""),
        ),
        is_group_redemption=spend.owner.kind is OwnerKind.FAMILY_GROUP and pools,
        extension=Extension(
            epoch=row.moment.epoch,
            server_time=row.moment.now,
            key=spend.key,
            wallet=settled.wallet,
            customer_id=spend.customer_id,
            breakdown=settled.breakdown,
        ),
    )
