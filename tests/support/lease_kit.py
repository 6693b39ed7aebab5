"""A ledger with tills that hold leases and settle, as if their line had been down: `a_lease_kit`.

    with a_lease_kit(tmp_path, url=ledger_url) as kit:
        lease = kit.till().lease(CUSTOMER)
        kit.till().settle(kit.till().spend(120, lease))

A `TillSide` keeps what a till keeps: its key, its chain of rows, its enrolment. It believes nothing it is told.
"""

from __future__ import annotations

import itertools
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import func, select, update
from support.a_ledger import Line, encoded, redeeming
from support.clock import FakeClock
from support.ledger_server import CUSTOMER, LOGIN, PROGRAM, a_customer, a_program, a_till, an_organisation

from pos_app.domain.answers import CheckAnswer, RedeemAnswer
from pos_app.domain.commands import Enrol
from pos_app.domain.feed import Heartbeat, HeartbeatAnswer
from pos_app.domain.keys import key_from
from pos_app.domain.leases import Freed, GiveBack, Lease, LeaseRequest, LeaseResult, NoLease, Owner, OwnerKind
from pos_app.domain.points import Points
from pos_app.domain.settling import FIRST_PREV_HASH, OfflineProof, SettleAnswer, Settled, Spend, SpendKind
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.care.jobs import Jobs
from pos_app.ledger.leases.settings import LeaseSettings
from pos_app.ledger.loading.importer import import_file
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.staff.enrolment import enrol
from pos_app.ledger.store import open_book
from pos_app.ledger.tills import Till
from pos_app.wire.settling import hash_of, signed_bytes

OTHER_LOGIN = "till.007.1"
OTHER_STORE = "007"
HOUR = timedelta(hours=1)


def pts(count: int | str | Decimal) -> Points:
    """Points."""
    return Points.of(count)


def owner_of(customer_id: int = CUSTOMER) -> Owner:
    """A customer as an owner."""
    return Owner(OwnerKind.CUSTOMER, customer_id)


def group_of(group_id: int) -> Owner:
    """A family group as an owner."""
    return Owner(OwnerKind.FAMILY_GROUP, group_id)


def lease_lines(
    *,
    points: int | str = 500,
    program: Mapping[str, Any] | None = None,
    organisation: Mapping[str, Any] | None = None,
    customer: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """An organisation whose program may be spent offline, two tills of two stores, one customer."""
    return [
        an_organisation(**(organisation or {})),
        a_program(**{"offline_redemption": True, **(program or {})}),
        a_till(),
        a_till(login=OTHER_LOGIN, store=OTHER_STORE, name="Till 1"),
        a_customer(points=points, **(customer or {})),
    ]


@dataclass
class TillSide:
    """A till, as far as leases and settling go."""

    kit: LeaseKit
    login: str
    key: Ed25519PrivateKey
    till_epoch: int = 1
    seq: int = 0
    head: str = FIRST_PREV_HASH

    @property
    def till(self) -> Till:
        """The till as the ledger knows it now, whatever its state."""
        with self.kit.book.store.read() as connection:
            return self.kit.book.rules(connection).tills[self.login]

    # --- Leases ------------------------------------------------------------------------------------------------------

    def ask(
        self,
        owner: Owner | int = CUSTOMER,
        *,
        request_id: str | None = None,
        program_id: int = PROGRAM,
        wanted: int | None = None,
        give_back: Iterable[GiveBack] = (),
    ) -> LeaseResult:
        """Ask for one lease."""
        request = LeaseRequest(
            request_id=request_id or self.kit.new_key(),
            owner=owner_of(owner) if isinstance(owner, int) else owner,
            program_id=program_id,
            wanted=None if wanted is None else pts(wanted),
            give_back=tuple(give_back),
        )
        return self.kit.book.lease(self.till, self.till_epoch, [request])[0]

    def lease(self, owner: Owner | int = CUSTOMER, **asked: Any) -> Lease:
        """Ask for one lease, and get it."""
        result = self.ask(owner, **asked)
        assert result.lease is not None, result.reason
        return result.lease

    def refusal(self, owner: Owner | int = CUSTOMER, **asked: Any) -> NoLease | None:
        """Ask for one lease, and hear why there is none."""
        result = self.ask(owner, **asked)
        assert result.lease is None
        return result.reason

    def close(self, lease: Lease | str, spent: int | str = 0) -> Freed:
        """Give one lease back."""
        name = lease if isinstance(lease, str) else lease.lease_id
        return self.kit.book.close_leases(self.till, self.till_epoch, [GiveBack(name, pts(spent))])[0]

    def beat(self, **told: Any) -> HeartbeatAnswer:
        """Send a heartbeat."""
        plain = {
            "till_epoch": self.till_epoch,
            "version": "1.4.0",
            "wall_clock": self.kit.clock.wall(),
            "outbox_count": 0,
            "oldest_s": 0,
            "audit_head": "a" * 64,
            "audit_count": 1,
        }
        return self.kit.book.heartbeat(self.till, Heartbeat(**(plain | told)))

    # --- Online ------------------------------------------------------------------------------------------------------

    def check(self, points: int, give_back: Iterable[GiveBack] = (), customer_id: int = CUSTOMER) -> CheckAnswer:
        """Ask whether points may be redeemed now."""
        request = replace(redeeming(customer_id, points).request, give_back=tuple(give_back))
        return self.kit.book.check(self.till, request)

    def redeem(
        self, points: int, give_back: Iterable[GiveBack] = (), customer_id: int = CUSTOMER, key: str | None = None
    ) -> RedeemAnswer:
        """Redeem online."""
        command = redeeming(customer_id, points, key or self.kit.new_key())
        command = replace(command, request=replace(command.request, give_back=tuple(give_back)))
        return self.kit.book.redeem(self.till, command)

    # --- Spending and settling ------------------------------------------------------------------------------------

    def spend(self, points: int | str, lease: Lease | None = None, **changes: Any) -> Spend:
        """Redeem without a line: the next row of the chain, signed. Without a lease: at the shop's risk."""
        self.seq += 1
        row = self.signed(self.row(points, lease, **{"seq": self.seq, "prev_hash": self.head, **changes}))
        self.head = row.hash
        return row

    def row(self, points: int | str, lease: Lease | None = None, **changes: Any) -> Spend:
        """A row before it is hashed and signed."""
        owner = owner_of() if lease is None else lease.owner
        customer_id = owner.owner_id if lease is None else lease.customer_ids[0]
        plain: dict[str, Any] = {
            "seq": self.seq + 1,
            "key": self.kit.new_key(),
            "kind": SpendKind.RISK if lease is None else SpendKind.LEASE,
            "lease_id": None if lease is None else lease.lease_id,
            "owner": owner,
            "customer_id": customer_id,
            "program_id": PROGRAM if lease is None else lease.program_id,
            "points": pts(points),
            "at": self.kit.clock.wall(),
            "redemption_id": f"T{self.kit.next_number():09}",
            "transaction_number": "B-1",
            "cashier": 7,
            "proof": OfflineProof(),
            "prev_hash": self.head,
        }
        return Spend(**(plain | changes))

    def signed(self, row: Spend) -> Spend:
        """The row with its hash and this till's signature."""
        made = hash_of(row)
        signature = b64encode(self.key.sign(signed_bytes(made))).decode("ascii")
        return replace(row, hash=made, signature=signature)

    def settle(self, *rows: Spend, till_epoch: int | None = None) -> SettleAnswer:
        """Tell the ledger of rows."""
        return self.kit.book.settle(self.till, self.till_epoch if till_epoch is None else till_epoch, rows)

    def settle_one(self, row: Spend) -> Settled:
        """Tell the ledger of one row."""
        (result,) = self.settle(row).results
        return result

    def copied(self) -> TillSide:
        """This till, cloned with everything it knows."""
        return replace(self)

    # --- Enrolment ---------------------------------------------------------------------------------------------------

    def enrol(self, code: str | None = None) -> TillSide:
        """Tell the ledger this till's key."""
        command = Enrol(public_key=public_key(self.key), enrolment_code=code, software="1.4.0", platform="linux")
        self.till_epoch = enrol(self.kit.book.tools, self.till, command).till_epoch
        return self

    def enrol_anew(self, code: str) -> TillSide:
        """Begin again with another key and an empty journal."""
        self.key, self.seq, self.head = Ed25519PrivateKey.generate(), 0, FIRST_PREV_HASH
        return self.enrol(code)


def public_key(key: Ed25519PrivateKey) -> str:
    """The public half, as a till tells it."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return b64encode(raw).decode("ascii")


@dataclass
class LeaseKit:
    """The ledger, its clock, and its tills by their logins."""

    book: Book
    clock: FakeClock
    tills: dict[str, TillSide] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.book)

    def next_number(self) -> int:
        """A number that was not used before."""
        return next(self._numbers)

    def new_key(self) -> str:
        """A key that was not used before."""
        return key_from(self.next_number().to_bytes(16, "big"))

    def till(self, login: str = LOGIN) -> TillSide:
        """A till; enrolled when it is first asked for."""
        if login not in self.tills:
            self.tills[login] = TillSide(self, login, Ed25519PrivateKey.generate()).enrol()
        return self.tills[login]

    @property
    def other(self) -> TillSide:
        """The till of the other store."""
        return self.till(OTHER_LOGIN)

    def load(self, lines: Iterable[Line]) -> None:
        """Import further lines."""
        import_file(self.book, encoded(lines), file_name="more lines")

    def pass_time(self, span: timedelta, *, with_jobs: bool = True) -> None:
        """Let time go by; then the ledger's jobs run."""
        self.clock.advance(span.total_seconds())
        if with_jobs:
            self.jobs.run(at_once=True)

    # --- What the ledger keeps ------------------------------------------------------------------------------------

    def rows(self, table: Any, *which: Any) -> list[Any]:
        """Rows of a table."""
        with self.book.store.read() as connection:
            return list(connection.execute(select(table).where(*which)))

    def change(self, table: Any, **values: Any) -> None:
        """Change all rows of a table past everything the ledger does."""
        with self.book.store.write() as connection:
            connection.execute(update(table).values(**values))

    def kept(self, lease: Lease) -> Any:
        """A lease's row."""
        (row,) = self.rows(schema.lease, schema.lease.c.lease_id == lease.lease_id)
        return row

    def balance(self, customer_id: int = CUSTOMER) -> Points:
        """All that is left in a customer's lots."""
        return self._sum(schema.lot.c.rem, customer_id)

    def reserved(self, customer_id: int = CUSTOMER) -> Points:
        """All that is set aside of it."""
        return self._sum(schema.lot.c.res, customer_id)

    def version(self, customer_id: int = CUSTOMER) -> int:
        """The version of a customer's wallet."""
        (row,) = self.rows(schema.wallet, schema.wallet.c.customer_id == customer_id)
        return int(row.version)

    def losses(self) -> list[tuple[str, Points, str]]:
        """What stores lost: the till, how much, and why."""
        return [(row.till, Points(row.points), row.why) for row in self.rows(schema.loss)]

    def acts(self) -> list[str]:
        """What the audit tells was done."""
        return [row.act for row in self.rows(schema.audit)]

    def told(self, act: str) -> list[Any]:
        """The audit's rows of one act."""
        return self.rows(schema.audit, schema.audit.c.act == act)

    def differences(self) -> list[str]:
        """What `verify` finds."""
        return [str(each) for each in self.book.verify()]

    def _sum(self, column: Any, customer_id: int) -> Points:
        lot, wallet = schema.lot, schema.wallet
        found = select(func.coalesce(func.sum(column), 0)).join_from(lot, wallet)
        with self.book.store.read() as connection:
            return Points(int(connection.execute(found.where(wallet.c.customer_id == customer_id)).scalar_one()))


@contextmanager
def a_lease_kit(
    folder: Path,
    lines: Iterable[Line] | None = None,
    *,
    url: str | None = None,
    settings: LeaseSettings | None = None,
    start: datetime | None = None,
) -> Iterator[LeaseKit]:
    """A ledger and its tills; on SQLite in `folder` where no other `url` is given. Sound at the end, or it fails."""
    clock = FakeClock() if start is None else FakeClock(start)
    book = open_book(
        url or f"sqlite:///{folder / 'ledger.db'}",
        secrets=LedgerSecrets.open(folder / "secrets"),
        clock=clock,
        lease_settings=settings,
    )
    try:
        kit = LeaseKit(book, clock)
        kit.load(lease_lines() if lines is None else lines)
        yield kit
        assert kit.differences() == []
    finally:
        book.close()
