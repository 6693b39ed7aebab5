"""What tills that sync keep of the ledger's tables, and so which changes the database notes by itself.

Noting is the database's work, by triggers: whoever writes, today or tomorrow, one statement or a million rows, cannot
forget it; it is one transaction with the change; and it costs redeem no statement. Each backend writes the triggers
in its own words from this list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Watched:
    """One table whose changes are noted: as which type, by which id, and changes of which columns."""

    table: str
    type: str
    id: str
    columns: tuple[str, ...]
    org: str = "org"
    only: str = ""
    """A condition of the rows that matter, with `{row}` for the row."""
    is_membership: bool = False
    """Whether who keeps what may change: then the wallets of the family group go along, and all are told."""

    @property
    def op(self) -> str:
        """Whom a new or changed row is told to (see `schema.change_feed`)."""
        return "look" if self.is_membership else "put"


WATCHED: Final = (
    Watched("organisation", "organisation", "id", ("settings",), org="id"),
    Watched("program", "program", "id", ("is_default", "settings")),
    Watched("operator", "operator", "id", ("name", "role", "stores", "badge", "is_active")),
    Watched(
        "customer",
        "customer",
        "id",
        (
            "mobile",
            "email",
            "external_id",
            "first_name",
            "last_name",
            "type",
            "campaign_only",
            "fraud_status",
            "tier",
            "default_family_group_id",
        ),
    ),
    # Her other identifiers stand in her own row.
    Watched(
        "identifier",
        "customer",
        "customer_id",
        ("customer_id", "is_active"),
        only="{row}.kind IN ('card_number', 'card_external_id')",
    ),
    # Every movement of points raises the version, leases too: lots and entries need no watching.
    Watched(
        "wallet",
        "wallet",
        "id",
        ("version", "state", "lifetime_points", "lifetime_purchases", "promised_points"),
    ),
    Watched("family_group", "family_group", "id", ("external_id", "name", "status")),
    Watched(
        "family_member",
        "family_group",
        "family_group_id",
        ("is_primary", "may_redeem", "is_active"),
        is_membership=True,
    ),
)
