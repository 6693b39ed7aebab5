"""Tells tills that sync what there is and what changed (sync-api 5 and 6, reliability 4.4)."""
