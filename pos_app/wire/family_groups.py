"""Family groups on the wire: search, one group, its members (contract 6). JSON only, texts empty where unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pos_app.domain.family_groups import Expiring, GroupDetails, GroupFound, GroupMember
from pos_app.wire.formats import dump_json

ALLOWS: Final = "allow_points_redemption"
BLOCKS: Final = "block_points_redemption"


def write_search(found: Sequence[GroupFound], *, offset: int, limit: int, count: int) -> bytes:
    """The groups that were found; `count` is how many there are on all pages."""
    return dump_json({"pagination": _pagination(offset, limit, count), "data": [_found_tree(each) for each in found]})


def _pagination(offset: int, limit: int, count: int) -> dict[str, Any]:
    return {"limit": limit, "offset": offset, "total": count}


def _found_tree(group: GroupFound) -> dict[str, Any]:
    primary = group.primary
    tree: dict[str, Any] = {
        "groupId": group.group_id,
        "groupName": group.name,
        "groupStatus": group.status.value,
        "groupExternalId": group.external_id,
        "firstName": "" if primary is None else primary.first_name,
        "lastName": "" if primary is None else primary.last_name,
    }
    if primary is not None:
        tree["primaryMemberId"] = primary.customer_id
    return tree | {
        "email": "" if primary is None else primary.identity.email,
        "mobile": "" if primary is None else primary.identity.mobile,
        "totalMembers": group.member_count,
    }


def write_group(group: GroupDetails, *, with_expiring: bool) -> bytes:
    """One group. `maxGroupSize` 0: this ledger sets no limit to a group's size."""
    tree: dict[str, Any] = {
        "id": group.group_id,
        "externalId": group.external_id,
        "groupName": group.name,
        "groupStatus": group.status.value,
        "maxGroupSize": 0,
        "fleetGroupUsers": [
            {
                "userId": member.customer_id,
                "groupId": group.group_id,
                "defaultGroup": member.is_default,
                "active": member.is_active,
                "primaryMember": member.is_primary,
            }
            for member in group.members
        ],
    }
    if with_expiring:
        tree["expirySchedules"] = [_expiring_tree(each) for each in group.expiring]
    return dump_json(tree | {"warnings": []})


def _expiring_tree(expiring: Expiring) -> dict[str, Any]:
    return {
        "points": expiring.points.decimal,
        "expiryDate": expiring.expires_on.isoformat(),
        "programId": expiring.program_id,
    }


def write_members(group: GroupDetails, *, offset: int, limit: int, with_pagination: bool) -> bytes:
    """The members of a group, the primary one first, and what each brings in."""
    tree: dict[str, Any] = {}
    if with_pagination:
        tree["pagination"] = _pagination(offset, limit, len(group.members))
    tree["data"] = [_member_tree(member) for member in group.members[offset : offset + limit]]
    return dump_json(tree | {"warnings": [], "errors": []})


def _member_tree(member: GroupMember) -> dict[str, Any]:
    identity = member.identity
    named = {"mobile": identity.mobile, "email": identity.email, "externalId": identity.external_id}
    return {
        "fleetUserId": member.customer_id,
        "firstName": member.first_name,
        "lastName": member.last_name,
        "role": "PRIMARY" if member.is_primary else "SECONDARY",
        "primaryMember": member.is_primary,
        "inActive": not member.is_active,
        "permissions": [ALLOWS if member.may_redeem else BLOCKS],
        "pointsContributed": member.contributed.decimal,
        "email": identity.email,
        "mobile": identity.mobile,
        "identifiers": [{"type": kind, "value": value} for kind, value in named.items() if value],
        "joinedOn": "",  # The import format does not tell.
    }
