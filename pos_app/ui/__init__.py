"""Shows, asks, and never freezes."""
