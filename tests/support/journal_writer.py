"""A process that writes to a journal until it is killed, and says each key once it is committed.

python -m support.journal_writer FILE KEY adds         redemptions
python -m support.journal_writer FILE KEY spends       spends under a lease, each settled a little
python -m support.journal_writer FILE KEY fill BYTES   spends until no file may grow beyond so many bytes
"""

from __future__ import annotations

import resource
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

from support.builders import a_redemption
from support.held_kit import a_lease, a_local, an_asked, sealing

from pos_app.domain.redemption import State
from pos_app.domain.trouble import StorageError
from pos_app.files.clock import SystemClock
from pos_app.journal import SqlJournal


def main(file: str, key_hex: str, what: str = "adds", room_bytes: str = "0") -> None:
    journal = SqlJournal.open(Path(file), key_hex, SystemClock())
    if what == "adds":
        for number in count():
            redemption = a_redemption(key=f"K{number:025}")
            journal.add(redemption)
            print(redemption.key, flush=True)
    hold(journal)
    if what == "fill":
        if int(room_bytes):
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(room_bytes), resource.RLIM_INFINITY))
        try:
            spend(journal)
        except StorageError:
            print("REFUSED", flush=True)
        row = journal.open_redemptions()[0]
        needs_room = "" if int(room_bytes) else "x" * 600_000
        journal.put(replace(row, state=State.SETTLING, message=needs_room))
        print(row.key, journal.health().state, Path(file).with_name("reserve").exists(), flush=True)
        return
    spend(journal, settles=True)


def hold(journal: SqlJournal) -> None:
    """Enrol, and hold one large lease."""
    journal.begin_epoch(1)
    if not journal.leases():
        journal.ask_lease(an_asked())
        journal.answer_lease(an_asked().request_id, a_lease(amount=1_000_000))


def spend(journal: SqlJournal, *, settles: bool = False) -> None:
    """Spend one point after the other."""
    for number in count(len(journal.recent(1_000_000)) + 1):
        row = a_local(1, number=number)
        kept = journal.spend(row, sealing(row))
        print(row.key, flush=True)
        if settles:
            journal.put(replace(kept, state=State.SETTLING))


if __name__ == "__main__":
    main(*sys.argv[1:])
