"""Writes the rows of the feed (sync-api 5): domain values as plain mappings. `feed_reading` is the other direction."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from pos_app.domain.facts import CeilingPeriod, Criteria, Customer, FamilyGroup, Program
from pos_app.domain.feed import CardTold, OperatorTold, OrganisationTold, WalletTold
from pos_app.wire.formats import plain_number

POINT_RULES: Final = ("minimum", "maximum", "multiple_of", "balance_required", "lifetime_points_required")
PURCHASES_RULE: Final = "lifetime_purchases_required"
PAUSED: Final = "PAUSED"
ACTIVE: Final = "ACTIVE"


def organisation_row(told: OrganisationTold) -> dict[str, Any]:
    """The row of an organisation."""
    plain, risk = told.organisation, told.risk
    return {
        "name": plain.name,
        "currency": plain.currency,
        "time_zone": plain.time_zone,
        "country_code": plain.country_code,
        "redemptions_enabled": plain.redemptions_enabled,
        "validation_required": plain.validation_required,
        "skip_validation_allowed": plain.skip_validation_allowed,
        "missed_call_enabled": plain.missed_call_enabled,
        "missed_call_number": plain.missed_call_number,
        "program_group_redemption": plain.program_group_redemption.value,
        "family_group_pooling": plain.family_group_pooling.value,
        "reversal_enabled": plain.reversal_enabled,
        "otp": {
            "length": plain.otp_length,
            "alphabet": plain.otp_alphabet,
            "validity_s": plain.otp_validity_s,
            "resend_waits_s": list(told.resend_waits_s),
        },
        "lease": {"term_s": told.lease_term_s, "settle_window_s": told.settle_window_s},
        "risk": {
            "enabled": risk.enabled,
            "per_redemption": str(risk.per_redemption),
            "per_customer_day": str(risk.per_customer_day),
            "per_till_outage": str(risk.per_till_outage),
        },
    }


def program_row(program: Program) -> dict[str, Any]:
    """The row of a program: the members of the import kind, its number apart."""
    return {
        "name": program.name,
        "default": program.is_default,
        "active": program.is_active,
        "points_currency_ratio": None if program.ratio is None else plain_number(program.ratio),
        "decimals": program.decimals,
        "rounding": program.rounding.value,
        "redemption_enabled": program.redemption_enabled,
        "family_groups_enabled": program.family_groups_enabled,
        "offline_redemption": program.offline_redemption,
        "criteria": _criteria_row(program.criteria),
        "tier_criteria": {tier: _criteria_row(own) for tier, own in program.tier_criteria.items()},
    }


def _criteria_row(criteria: Criteria) -> dict[str, Any]:
    purchases = criteria.lifetime_purchases_required
    row: dict[str, Any] = {
        name: None if (limit := getattr(criteria, name)) is None else str(limit) for name in POINT_RULES
    }
    row[PURCHASES_RULE] = None if purchases is None else plain_number(purchases)
    row["ceilings"] = [
        {
            "period": each.period.value,
            "points": str(each.points),
            **({"days": each.days} if each.period is CeilingPeriod.PAST_DAYS else {}),
        }
        for each in criteria.ceilings
    ]
    return row


def operator_row(told: OperatorTold) -> dict[str, Any]:
    """The row of an operator."""
    return {
        "name": told.name,
        "role": told.role,
        "badge": told.badge or None,
        "active": told.is_active,
        "stores": list(told.stores),
    }


def customer_row(customer: Customer, cards: tuple[CardTold, ...]) -> dict[str, Any]:
    """The row of a customer. Her fraud status never leaves the ledger, only whether it blocks."""
    return {
        "mobile": customer.mobile or None,
        "email": customer.email or None,
        "external_id": customer.external_id or None,
        "cards": [
            {"number": each.number or None, "external_id": each.external_id or None, "active": each.is_active}
            for each in cards
        ],
        "first_name": customer.first_name or None,
        "last_name": customer.last_name or None,
        "type": "LOYALTY" if customer.is_registered else "NON_LOYALTY",
        "campaign_only": customer.is_campaign_only,
        "tier": customer.tier,
        "blocked": customer.is_blocked,
        "default_family_group_id": customer.default_family_group_id,
    }


def wallet_row(told: WalletTold) -> dict[str, Any]:
    """The row of a wallet; its lots are those that count, soonest first."""
    wallet = told.wallet
    return {
        "owner": {"kind": told.owner.kind.value, "id": told.owner.owner_id},
        "program_id": wallet.program_id,
        "version": told.version,
        "state": PAUSED if wallet.is_paused else ACTIVE,
        "balance": str(wallet.balance),
        "held_offline": str(told.held_offline),
        "lifetime_points": str(wallet.lifetime_points),
        "lifetime_purchases": plain_number(wallet.lifetime_purchases),
        "promised_points": str(wallet.promised_points),
        "lots": [
            {
                "lot_id": lot.lot_id,
                "points": str(lot.points),
                "awarded_on": _day_text(lot.awarded_on),
                "expires_on": _day_text(lot.expires_on),
            }
            for lot in wallet.lots
        ],
        "redeemed_days": [{"on": day.isoformat(), "points": str(held)} for day, held in wallet.redeemed_days or ()],
        "months": [{"month": month, "points": str(held)} for month, held in told.months],
    }


def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def family_group_row(group: FamilyGroup) -> dict[str, Any]:
    """The row of a family group."""
    return {
        "external_id": group.external_id or None,
        "name": group.name,
        "status": group.status or (ACTIVE if group.is_active else "INACTIVE"),
        "members": [
            {
                "customer_id": each.customer_id,
                "primary": each.is_primary,
                "may_redeem": each.may_redeem,
                "active": each.is_active,
            }
            for each in group.members
        ],
    }
