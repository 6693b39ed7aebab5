"""The import format: reading a ledger from it and writing one in it."""
