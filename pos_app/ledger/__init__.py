"""The central ledger itself: the `Book` and its HTTP face."""
