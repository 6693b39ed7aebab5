"""Alembic's steps from each version of the ledger's tables to the next (see `pos_app.ledger.databases.upgrading`)."""
