"""Keeps what must never be lost: redemptions and the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pos_app.journal.sql_journal import JournalDamagedError, SqlJournal

__all__ = ["JournalDamagedError", "SqlJournal"]


def __getattr__(name: str) -> Any:
    """Import SQLAlchemy only when the journal is really wanted: it costs a quarter of a second."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pos_app.journal import sql_journal

    return getattr(sql_journal, name)
