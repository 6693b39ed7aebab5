"""Remembers what can be fetched again: customers, wallets, rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pos_app.cache.none import NoCache

if TYPE_CHECKING:
    from pos_app.cache.sql_cache import SqlCache

__all__ = ["NoCache", "SqlCache"]


def __getattr__(name: str) -> Any:
    """Import SQLAlchemy only when the cache is really wanted: it costs a quarter of a second."""
    if name != "SqlCache":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pos_app.cache.sql_cache import SqlCache

    return SqlCache
