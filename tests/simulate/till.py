"""One till of a schedule: the product's services over its own files, its cashier, and what may happen to it."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from simulate.network import CONNECT_S, READ_S, VirtualLine
from simulate.virtual import AtOnce, TillKilledError, VirtualClock
from support.ledger_server import PASSWORD

from pos_app.bootstrap import join_services
from pos_app.cache import SqlCache
from pos_app.domain.held import HeldLease
from pos_app.domain.leases import Owner
from pos_app.domain.redemption import Redemption, State
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.trouble import Trouble
from pos_app.files.secrets import SECRETS_FILE, FilePlace, TillSecrets
from pos_app.gateway import HttpLedger, digest_of
from pos_app.journal import SqlJournal
from pos_app.journal.reserve import RESERVE_NAME
from pos_app.services.joining import Choices
from pos_app.services.ports import Waits
from pos_app.services.results import Checked, LineState
from pos_app.services.till import TillServices
from pos_app.services.wishes import wish_for

if TYPE_CHECKING:
    from simulate.world import World

KEY_HEX = "5a" * 32
ADDRESS = "http://127.0.0.1:8080"
WAITS = Waits(connect_s=CONNECT_S, read_s=READ_S)
DONE = frozenset({State.CONFIRMED, State.LOCAL_DONE, State.SETTLING, State.SETTLED, State.SETTLED_SHORT})
"""States of a redemption whose receipt is printed."""

NOT_DONE = frozenset({State.REFUSED, State.CANCELLED, State.REVERSED})


class SimTill:
    """A till and its cashier. While `services` is None its process does not run."""

    def __init__(self, world: World, name: str, login: str, folder: Path, clock: VirtualClock | None = None) -> None:
        self.world = world
        self.name = name
        self.login = login
        self.folder = folder
        self.clock = clock or VirtualClock(world.time)
        self.clock.on_sleep = self._waits
        self.while_waiting: Callable[[], None] | None = None
        """What its cashier may do while a submit waits between two tries."""
        self.line = VirtualLine(world.network, name)
        self.services: TillServices | None = None
        self.journal: SqlJournal | None = None
        self._cache: SqlCache | None = None
        self.is_lost = False
        self.wants_rounds = False
        """Whether, in the heal, it has not come to rest."""
        self.is_full = False
        self.held: Any = None
        """The connection it died over."""
        self.dies_in: int | None = None
        """After so many commits its process dies."""
        self.checked: Checked | None = None
        """A yes the cashier has not acted on yet."""
        self.pending: list[str] = []
        """Keys the cashier still wants to see through."""

    # --- Its process -------------------------------------------------------------------------------------------------

    def start(self) -> TillServices:
        """Start the program; what was found in the journal goes on."""
        if self.services is not None:
            return self.services
        self.folder.mkdir(parents=True, exist_ok=True)
        journal = SqlJournal.open(self.folder / "journal.db", KEY_HEX, self.clock, AtOnce())
        self.journal = journal
        _BY_JOURNAL[journal] = self
        self._cache = SqlCache.open(self.folder / "cache.db", KEY_HEX, self.clock)
        self.services = self._joined(journal, self._cache)
        self.services.redemptions.resume()
        self.services.settling.resume()
        self.hear_all()
        return self.services

    def _joined(self, journal: SqlJournal, cache: SqlCache) -> TillServices:
        """The services as bootstrap joins them, over a line that is not a real one."""
        ledger = HttpLedger(
            ADDRESS,
            self.login,
            digest_of(PASSWORD),
            waits=WAITS,
            clock=self.clock,
            software="1.0",
            carrier=self.line,
        )
        return join_services(
            ledger,
            journal,
            cache,
            self.clock,
            Choices(waits=WAITS, address=ADDRESS, version="1.0", platform="simulated"),
            kept=TillSecrets(self.folder, FilePlace(self.folder / SECRETS_FILE)),
            login=self.login,
            random_bytes=secrets.token_bytes,
        )

    def die(self) -> None:
        """The process is gone, and with it everything that was only in memory."""
        self.dies_in = None
        if self.held is not None:
            self.held.close()  # What a dying process holds of a file it lets go.
            self.held = None
        self.services, journal, self.journal = None, self.journal, None
        cache, self._cache = self._cache, None
        for opened in (journal, cache):
            if opened is not None:
                with suppress(Exception):
                    opened.close()

    def committing(self, *, is_write: bool) -> str:
        """One of its files is about to commit: what becomes of it, "dies", "full" or nothing."""
        if self.dies_in is not None:
            self.dies_in -= 1
            if self.dies_in < 0:
                return "dies"
        return "full" if self.is_full and is_write else ""

    # --- Its cashier -------------------------------------------------------------------------------------------------

    def serve(self, name: str, work: Callable[[TillServices], Any]) -> Any:
        """`act` for a customer: where the line is down it has mostly been probed a moment ago."""
        probes = self.world.rng.random() < 0.85

        def probed(services: TillServices) -> Any:
            if probes and services.line.view.state is LineState.OFFLINE:
                services.line.probe()
            return work(services)

        return self.act(name, probed)

    def act(self, name: str, work: Callable[[TillServices], Any]) -> Any:
        """Do something at this till; notes what came of it. None when the process died or trouble came."""
        outcome, result = "", None
        self.world.acting.append(self)
        self.world.acted.append(self)
        try:
            result = work(self.start())
            outcome = _shown(result)
        except TillKilledError:
            self.die()
            self.world.count("till crashes")
            outcome = "killed"
        except Trouble as trouble:
            outcome = type(trouble).__name__
        finally:
            self.world.acting.pop()
        self.world.note(f"{self.name} {name}: {outcome}")
        return result

    def heard(self, row: Redemption) -> None:
        """The cashier is told of a committed state: she prints, or tells the customer that nothing was taken."""
        slips = self.world.slips
        if row.state in DONE:
            slips.printed(self, row)
        elif row.state in NOT_DONE:
            slips.not_done(self, row)

    def clone(self, name: str, folder: Path) -> SimTill:
        """Somebody copies its data directory to another machine."""
        shutil.copytree(self.folder, folder, copy_function=copy_file)
        twin = SimTill(self.world, name, self.login, folder, self.clock.copied())
        twin.pending = list(self.pending)
        return twin

    def _waits(self) -> None:
        if self.while_waiting is not None:
            self.while_waiting()

    def ask_for_lease(self, customer_id: int, owner: Owner, program_id: int) -> str:
        """Look a customer up and ask for a lease now; what came of it."""
        services, named = self.start(), by_mobile(customer_id)
        found = services.lookup.find(named)
        if found is None:
            return "nobody"
        answer = services.leases.ask_now(wish_for(found.record, named, owner, program_id))
        return str(answer.reason) if answer.held is None else f"lease of {answer.held.lease.amount}"

    def hear_all(self) -> None:
        """The cashier looks through the till's list: what became of her redemptions."""
        assert self.journal is not None
        for row in reversed(self.journal.recent(100)):
            self.heard(row)

    def leases(self) -> list[HeldLease]:
        """All leases its journal knows of."""
        return list(self.journal.leases(with_closed=True)) if self.journal is not None else []

    def open_rows(self) -> list[Redemption]:
        """Rows of its journal that are not final."""
        self.start()
        assert self.journal is not None
        return list(self.journal.open_redemptions())


def by_mobile(customer_id: int) -> CustomerRef:
    """A customer, by the number she says."""
    return CustomerRef(IdentifierKind.MOBILE, f"9197777{customer_id}")


def copy_file(source: str, target: str) -> None:
    """Copy a file of a till; the reserve is never written to, so another name of it will do."""
    if Path(source).name == RESERVE_NAME:
        os.link(source, target)
    else:
        shutil.copyfile(source, target)


def shown(journal: Any, row: Redemption) -> None:
    """What a window shows ahead of its journal; only a mutant does that."""
    till = _BY_JOURNAL.get(journal)
    if till is not None:
        till.heard(row)


_BY_JOURNAL: WeakKeyDictionary[Any, SimTill] = WeakKeyDictionary()


def _shown(result: Any) -> str:
    if isinstance(result, Redemption):
        return f"{result.kind} {result.key} {result.state} {result.points}" + (
            f" {result.refusal}" if result.refusal else ""
        )
    if isinstance(result, (list, tuple)):
        return " ".join(_shown(each) for each in result)
    if result is None or isinstance(result, (str, bool, int)):
        return str(result)
    return type(result).__name__
