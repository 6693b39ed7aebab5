"""Gives leases back beside a redemption online: else a lookup's lease would block its own customer (reliability 4.3).

The leases become CLOSING in the commit of READY, and every copy of the redemption names the same ones. A lost answer
leaves them unusable, which is safe.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

from pos_app.domain.commands import Redeem
from pos_app.domain.redemption import Redemption, State
from pos_app.domain.request import RedemptionRequest
from pos_app.services.leasing import LeaseKeeper
from pos_app.services.offline_port import TillJournal
from pos_app.services.wishes import InTheWay

_ANSWERED: Final = frozenset({State.CONFIRMED, State.REFUSED, State.CANCELLED})


class GivesBack(Protocol):
    """What the redemption service needs of it; a till without leases has none."""

    def add(self, redemption: Redemption, asked: RedemptionRequest) -> None:
        """Keep a new redemption, and let go of the leases in its way, in one commit. Raises: StorageError."""
        ...

    def beside(self, command: Redeem) -> Redeem:
        """The command with the leases its redemption gives back."""
        ...

    def ask_again(self, row: Redemption) -> None:
        """The ledger answered: a new lease is wanted of those wallets."""
        ...


class GivingBack:
    """Implements `GivesBack` over the journal."""

    def __init__(self, journal: TillJournal, in_the_way: InTheWay, leases: LeaseKeeper) -> None:
        self._journal = journal
        self._in_the_way = in_the_way
        self._leases = leases

    def add(self, redemption: Redemption, asked: RedemptionRequest) -> None:
        """Keep a new redemption, and let go of the leases in its way, in one commit. Raises: StorageError."""
        given = self._in_the_way.give_back(asked)
        if given:
            self._journal.add_closing(redemption, given)
        else:
            self._journal.add(redemption)

    def beside(self, command: Redeem) -> Redeem:
        """The command with the leases its redemption gives back."""
        given = tuple(self._journal.given_back(command.key or ""))
        return replace(command, request=replace(command.request, give_back=given)) if given else command

    def ask_again(self, row: Redemption) -> None:
        """The ledger answered: a new lease is wanted of those wallets."""
        if row.state in _ANSWERED:
            given = self._journal.given_back(row.key)
            self._leases.want_again(self._journal.lease(each.lease_id) for each in given)
