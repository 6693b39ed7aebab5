"""What tills may spend without a line: set aside, settled, given back, reclaimed (reliability 4.3, sync-api 6, 7)."""
