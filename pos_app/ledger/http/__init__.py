"""The ledger's HTTP face: takes v1.1 and sync requests, asks the `Book`, and writes its answers."""
