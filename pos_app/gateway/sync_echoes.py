"""Whether an answer of the extension is the answer to what was asked (reliability 4.2, "What an answer means").

Each function makes the question that `sync_client` puts to an answer that could be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pos_app.domain.answers import Capabilities, SignedIn
from pos_app.domain.commands import SignIn
from pos_app.domain.feed import Scope, SnapshotPage
from pos_app.domain.leases import Freed, GiveBack, Lease, LeaseRequest, LeaseResult
from pos_app.domain.settling import SettleAnswer, Spend


def check_till(login: str) -> Callable[[Capabilities], bool]:
    """Enrolment names this till and gives it an epoch."""
    return lambda told: told.till is not None and told.till.login == login and told.till.till_epoch > 0


def check_signed_in(command: SignIn) -> Callable[[SignedIn], bool]:
    """The operator who signed in is the one who typed her PIN."""
    return lambda answer: answer.operator_id == command.operator_id


def check_snapshot(scope: Scope) -> Callable[[SnapshotPage], bool]:
    """The page is of the scope that was asked for."""
    return lambda page: page.scope is scope


def check_leases(
    login: str, till_epoch: int, requests: Sequence[LeaseRequest]
) -> Callable[[Sequence[LeaseResult]], bool]:
    """One result for each request, in their order; a lease is this till's and of the wallet that was asked for."""

    def is_ours(results: Sequence[LeaseResult]) -> bool:
        return len(results) == len(requests) and all(map(is_for, requests, results))

    def is_for(asked: LeaseRequest, result: LeaseResult) -> bool:
        if result.request_id != asked.request_id or (result.lease is None) is (result.reason is None):
            return False
        return result.lease is None or is_lease(asked, result.lease)

    def is_lease(asked: LeaseRequest, lease: Lease) -> bool:
        # The same request gets the same lease, so after an enrolment it may be one of the epoch before.
        is_this_till = lease.till == login and 0 < lease.till_epoch <= till_epoch
        return is_this_till and (lease.owner, lease.program_id) == (asked.owner, asked.program_id)

    return is_ours


def check_closed(given_back: Sequence[GiveBack]) -> Callable[[Sequence[Freed]], bool]:
    """One result for each lease, in their order."""
    return lambda freed: [each.lease_id for each in freed] == [each.lease_id for each in given_back]


def check_settled(spends: Sequence[Spend]) -> Callable[[SettleAnswer], bool]:
    """One result for each row, by number and key, in their order."""
    sent = [(each.seq, each.key) for each in spends]
    return lambda answer: [(each.seq, each.key) for each in answer.results] == sent
