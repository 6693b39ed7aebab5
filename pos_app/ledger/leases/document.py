"""A lease as the ledger signs it and keeps it: the same text for ever, however often it is asked for (sync-api 6)."""

from __future__ import annotations

import json
from dataclasses import replace

from pos_app.domain.leases import Lease
from pos_app.ledger.staff.signing import Signer
from pos_app.wire.canonical import canonical_json
from pos_app.wire.leases import lease_tree, read_lease_tree, signed_part


def signed(lease: Lease, signer: Signer) -> Lease:
    """The lease with the ledger's signature."""
    return replace(lease, signature=signer.sign(signed_part(lease)))


def write_document(lease: Lease) -> str:
    """The lease as its row keeps it."""
    return canonical_json(lease_tree(lease))


def read_document(text: str) -> Lease:
    """Read what `write_document` wrote."""
    return read_lease_tree(json.loads(text))
