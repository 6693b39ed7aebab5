"""Which of the product's modules a schedule plays on, and whether each of them is the product's own."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType

import pos_app

PRODUCT = Path(pos_app.__file__).resolve().parent
HERE = Path(__file__).resolve().parent

PLAYED_ON = (
    "pos_app.bootstrap",
    "pos_app.cache.sql_cache",
    "pos_app.domain.redemption",
    "pos_app.domain.rules",
    "pos_app.gateway.client",
    "pos_app.gateway.echoes",
    "pos_app.gateway.replies",
    "pos_app.journal.sql_journal",
    "pos_app.ledger.book",
    "pos_app.ledger.cancelling",
    "pos_app.ledger.care.expiring",
    "pos_app.ledger.care.jobs",
    "pos_app.ledger.care.restore",
    "pos_app.ledger.care.verify",
    "pos_app.ledger.codes",
    "pos_app.ledger.entries",
    "pos_app.ledger.http.app",
    "pos_app.ledger.idempotency",
    "pos_app.ledger.lots",
    "pos_app.ledger.redeeming",
    "pos_app.services.line",
    "pos_app.services.lookup",
    "pos_app.services.outcomes",
    "pos_app.services.record",
    "pos_app.services.redemption",
    "pos_app.services.repeating",
    "pos_app.services.turns",
    "pos_app.services.validation",
    "pos_app.wire.answers",
    "pos_app.wire.requests",
    "pos_app.wire.sync",
    "pos_app.gateway.sync_client",
    "pos_app.journal.chain",
    "pos_app.journal.file",
    "pos_app.journal.leases",
    "pos_app.journal.redemptions",
    "pos_app.ledger.leases.chain",
    "pos_app.ledger.leases.charging",
    "pos_app.ledger.leases.closing",
    "pos_app.ledger.leases.granting",
    "pos_app.ledger.leases.reclaiming",
    "pos_app.ledger.leases.settling",
    "pos_app.ledger.reversing",
    "pos_app.services.clock_trust",
    "pos_app.services.giving_back",
    "pos_app.services.heartbeats",
    "pos_app.services.joining",
    "pos_app.services.leasing",
    "pos_app.services.offers",
    "pos_app.services.rounds",
    "pos_app.services.sending",
    "pos_app.services.settling",
    "pos_app.services.spending",
    "pos_app.services.syncing",
    "pos_app.wire.feed",
    "pos_app.wire.leases",
    "pos_app.wire.settling",
)
"""The modules that decide: each must be the product's own."""

ROLES: Mapping[str, frozenset[str]] = {
    "journal": frozenset({"put", "open_redemptions"}),
    "cache": frozenset({"keep_customer", "find_customer"}),
    "ledger": frozenset({"redeem", "cancel"}),
    "extension": frozenset({"lease", "settle"}),
    "redemption service": frozenset({"submit", "give_up"}),
    "validation service": frozenset({"check", "send_code"}),
}
"""What only the product may be: a class with these methods would stand for one of its own."""


def strangers(loaded: Mapping[str, ModuleType] = sys.modules) -> list[str]:
    """Modules a schedule plays on that are not loaded, or not from the product's own files."""
    wrong = []
    for name in PLAYED_ON:
        file = getattr(loaded.get(name), "__file__", None)
        expected = PRODUCT.parent.joinpath(*name.split("."))
        if file is None or Path(file).resolve() not in {expected.with_suffix(".py"), expected / "__init__.py"}:
            wrong.append(f"{name} is {file}")
    return wrong


def copies(files: Iterable[Path] | None = None) -> list[str]:
    """Classes of the simulator that take a role of the product's."""
    found = []
    for file in sorted(HERE.glob("*.py")) if files is None else files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
                found += [f"{file.name}: {node.name} is a {role}" for role, has in ROLES.items() if has <= methods]
    return found
