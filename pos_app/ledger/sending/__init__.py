"""How one-time codes leave the ledger: files, e-mail, a provider's webhook."""
