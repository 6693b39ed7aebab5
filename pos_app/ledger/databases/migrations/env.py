"""What Alembic runs: the steps that are missing, on the connection and in the transaction of the one who asks."""

from __future__ import annotations

from alembic import context

from pos_app.ledger import schema

context.configure(connection=context.config.attributes["connection"], target_metadata=schema.metadata)
context.run_migrations()
