"""A line that can be pulled: stands between the services and a ledger, and fails as a cut cable does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from pos_app.domain.answers import CancelAnswer, Capabilities, CheckAnswer, CodeAnswer, RedeemAnswer, ReverseAnswer
from pos_app.domain.commands import Cancel, Redeem, Reverse, SendCode
from pos_app.domain.facts import CustomerRecord, Organisation, Program
from pos_app.domain.request import CustomerRef, RedemptionRequest
from pos_app.domain.trouble import LineDownError
from pos_app.services.ports import Ledger
from pos_app.services.sync_port import SyncLedger
from pos_app.training.sync_line import SwitchedSync

Answer = TypeVar("Answer")


class SwitchedLine:
    """A `Ledger` in front of another one, with a switch; `sync` has the extension's calls.

    Off: nothing arrives and nothing comes back.
    """

    def __init__(self, ledger: Ledger, sync: SyncLedger) -> None:
        self._ledger = ledger
        self.sync: Final = SwitchedSync(sync, self._through, self._rings_next)
        self._is_on = threading.Event()
        self._is_on.set()
        self.last_mobile = ""
        """The mobile number of the customer looked up last: the simulated phone rings in as hers."""

    @property
    def is_on(self) -> bool:
        """Say whether the line is plugged in."""
        return self._is_on.is_set()

    def switch(self, is_on: bool) -> None:
        """Plug the line in or pull it."""
        if is_on:
            self._is_on.set()
        else:
            self._is_on.clear()

    def is_up(self) -> bool:
        """Probe the line."""
        return self.is_on and self._ledger.is_up()

    def capabilities(self) -> Capabilities:
        """As the ledger behind the line."""
        return self._through(self._ledger.capabilities)

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        """As the ledger behind the line."""
        found = self._through(lambda: self._ledger.find_customer(customer))
        if isinstance(found, CustomerRecord):
            self._rings_next(found.customer.mobile)
        return found

    def program(self, program_id: int) -> Program | None:
        """As the ledger behind the line."""
        return self._through(lambda: self._ledger.program(program_id))

    def organisation(self) -> Organisation | None:
        """As the ledger behind the line."""
        return self._through(self._ledger.organisation)

    def check(self, request: RedemptionRequest) -> CheckAnswer:
        """As the ledger behind the line."""
        return self._through(lambda: self._ledger.check(request))

    def send_code(self, command: SendCode) -> CodeAnswer:
        """As the ledger behind the line."""
        return self._through(lambda: self._ledger.send_code(command))

    def redeem(self, command: Redeem) -> RedeemAnswer:
        """As the ledger behind the line."""
        return self._through(lambda: self._ledger.redeem(command))

    def cancel(self, command: Cancel) -> CancelAnswer | None:
        """As the ledger behind the line."""
        return self._through(lambda: self._ledger.cancel(command))

    def reverse(self, command: Reverse) -> ReverseAnswer:
        """As the ledger behind the line."""
        return self._through(lambda: self._ledger.reverse(command))

    def _rings_next(self, mobile: str) -> None:
        self.last_mobile = mobile

    def _through(self, ask: Callable[[], Answer]) -> Answer:
        if not self.is_on:
            raise LineDownError("the practice line is switched off")
        return ask()
