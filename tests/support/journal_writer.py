"""A process that adds redemptions to a journal until it is killed, and says each key once it is committed.

Run as `python -m support.journal_writer FILE KEY`.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from support.builders import a_redemption

from pos_app.files.clock import SystemClock
from pos_app.journal import SqlJournal


def main(file: str, key_hex: str) -> None:
    journal = SqlJournal.open(Path(file), key_hex, SystemClock())
    for number in count():
        redemption = a_redemption(key=f"K{number:025}")
        journal.add(redemption)
        print(redemption.key, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
