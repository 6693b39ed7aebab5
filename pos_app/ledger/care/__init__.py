"""Looking after a ledger: jobs, audit, verify, backup, adjustments, tills and people."""
