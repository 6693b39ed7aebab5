"""A till without a window: commands and events as JSON lines, for scripts and tests (reliability 5.2)."""
