"""The databases a ledger may live in: SQLite, PostgreSQL, and what both must offer."""
