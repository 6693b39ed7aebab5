"""What the services need from outside. Each port is a small promise that a fake can keep in a test.

Every method of `Ledger` may raise the members of `domain.trouble` named in its docstring and nothing else.
Implementations of `Journal` and `Cache` may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pos_app.domain.answers import CancelAnswer, Capabilities, CheckAnswer, CodeAnswer, RedeemAnswer, ReverseAnswer
from pos_app.domain.commands import Cancel, Redeem, Reverse, SendCode
from pos_app.domain.facts import Customer, CustomerRecord, FamilyRecord, Organisation, Program, Wallet
from pos_app.domain.redemption import Redemption
from pos_app.domain.request import CustomerRef, FamilyGroupRef, RedemptionRequest


class Clock(Protocol):
    """The only source of time."""

    def wall(self) -> datetime:
        """The wall clock, in UTC with a time zone."""
        ...

    def mono(self) -> float:
        """Seconds that never run backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; never on the window's thread."""
        ...


class Ledger(Protocol):
    """A ledger, wherever it is: over HTTP (`gateway`) or in this process (trainer mode, tests)."""

    def is_up(self) -> bool:
        """Probe the line, quickly and without a login. Never raises."""
        ...

    def capabilities(self) -> Capabilities:
        """What the service can do. A service without the extension gives the default `Capabilities()`.

        Raises: LineDownError, NotAcceptedError, NotTheServiceError, NotSafeError, SlowDownError, ServiceTroubleError.
        """
        ...

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        """Look a customer up; None: nobody has this identifier.

        Raises: as `capabilities`, and NotUnderstoodError, WrongAddressError.
        """
        ...

    def program(self, program_id: int) -> Program | None:
        """A program with its rules (criteria call); None: unknown there, or the service does not tell.

        Raises: as `find_customer`.
        """
        ...

    def organisation(self) -> Organisation | None:
        """The organisation's switches (`organization/configs`); None: the service does not tell.

        Raises: as `find_customer`.
        """
        ...

    def check(self, request: RedemptionRequest) -> CheckAnswer:
        """Ask `isredeemable`. With `issue_otp` it is never repeated by itself.

        Raises: as `find_customer`.
        """
        ...

    def send_code(self, command: SendCode) -> CodeAnswer:
        """Ask `validationcode`. Never repeated by itself.

        Raises: as `find_customer`.
        """
        ...

    def redeem(self, command: Redeem) -> RedeemAnswer:
        """Redeem under the command's key. One attempt.

        Raises:
            LineDownError: nothing can have been sent (no connection was made).
            UnclearAnswerError: anything else that is no sure answer, a wrong echo of the key among it.
            NotAcceptedError, NotUnderstoodError, WrongAddressError, SlowDownError, NotSafeError: surely nothing was
                done.
        """
        ...

    def cancel(self, command: Cancel) -> CancelAnswer | None:
        """Say that the redemption under this key must not happen. None: the service has no such call.

        Raises: as `redeem`; it may always be sent again.
        """
        ...

    def reverse(self, command: Reverse) -> ReverseAnswer:
        """Give points of a redemption back (contract 7). One attempt.

        A ledger with the extension repeats its answer under the command's key; to another service it may be sent
        once only: an unclear answer is for a supervisor.

        Raises: as `redeem`.
        """
        ...


class Journal(Protocol):
    """What must never be lost. Each method is one durable commit.

    Raises StorageError when the commit failed: then nothing was kept.
    """

    def add(self, redemption: Redemption) -> None:
        """Keep a new redemption (its key is new)."""
        ...

    def put(self, redemption: Redemption) -> None:
        """Keep a redemption's next state."""
        ...

    def get(self, key: str) -> Redemption:
        """The committed row. Raises KeyError when there is none."""
        ...

    def open_redemptions(self) -> Sequence[Redemption]:
        """All rows that are not final, oldest first."""
        ...

    def recent(self, limit: int) -> Sequence[Redemption]:
        """The newest rows, newest first."""
        ...

    def remember(self, name: str, value: str) -> None:
        """Keep a small fact about the service (its capabilities, the last operator) under a name."""
        ...

    def recall(self, name: str) -> str | None:
        """Read such a fact back."""
        ...


class Cache(Protocol):
    """What can be fetched again. A failed write is logged and forgotten: the cache is advice."""

    def keep_customer(self, record: CustomerRecord, named: CustomerRef | None, at: datetime) -> None:
        """Keep a customer as looked up at `at`; `named` is an identifier the record itself may not carry."""
        ...

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        """The customer as last seen (`as_of` says when); None: never seen here.

        Mobile numbers match with and without country code, e-mail without regard to case.
        """
        ...

    def keep_wallet(self, customer_id: int, wallet: Wallet, version: int, at: datetime | None) -> None:
        """Keep what an answer told of one wallet of a customer, unless a newer version is kept (sync-api 5).

        `version` 0: not told. `at`: her whole record is as of then; None: it is as old as before.
        """
        ...

    def find_family(self, named: FamilyGroupRef, customer: Customer) -> FamilyRecord | None:
        """The family group a request of this customer names, and the wallets that pay for it (contract 2.5).

        None: this till cannot say.
        """
        ...

    def keep_program(self, program: Program, at: datetime) -> None:
        """Keep a program and its rules."""
        ...

    def programs(self) -> Sequence[Program]:
        """All programs known here, the default first, then by name."""
        ...

    def program(self, program_id: int) -> Program | None:
        """One program, or None."""
        ...

    def keep_organisation(self, organisation: Organisation, at: datetime) -> None:
        """Keep the organisation's switches."""
        ...

    def organisation(self) -> Organisation | None:
        """The organisation's switches, None when never told."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Waiting times in seconds (settings `retry.*`; reliability 4.2)."""

    connect_s: float = 3.0
    read_s: float = 10.0
    foreground_s: float = 20.0
    base_s: float = 1.0
    cap_s: float = 60.0
