"""What the commands work with: the till's services, who approved what, and who stands at the counter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from pos_app.domain.commands import Approval
from pos_app.domain.leases import Owner, OwnerKind
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.trouble import Trouble
from pos_app.gateway.plug import Plug
from pos_app.headless.heard import Heard
from pos_app.headless.lines import Id
from pos_app.headless.parameters import BadParameterError
from pos_app.services.allowances import Allowance
from pos_app.services.leasing import Wish
from pos_app.services.results import Found, LineState
from pos_app.services.till import TillServices
from pos_app.services.wishes import wish_for
from pos_app.ui.serving import Serving

Started = Callable[[str], None]
"""Says that a redemption was committed, by its key."""

RULES_EVERY_S: Final = 15 * 60.0


@dataclass(slots=True)
class Session:
    """The approvals given in this process, by the names they were told by."""

    approvals: dict[str, Approval] = field(default_factory=dict)
    given: int = 0

    def keep(self, approval: Approval) -> str:
        """Remember an approval; returns its name."""
        self.given += 1
        name = f"approval-{self.given}"
        self.approvals[name] = approval
        return name

    def take(self, name: str | None) -> Approval | None:
        """An approval by its name, once.

        Raises:
            BadParameterError: there is none of this name, or it was used.
        """
        if name is None:
            return None
        found = self.approvals.pop(name, None)
        if found is None:
            raise BadParameterError("approval: expected the name of an approval that was not used yet.")
        return found


@dataclass(slots=True, kw_only=True)
class Desk:
    """One headless till at work."""

    services: TillServices
    plug: Plug
    heard: Heard
    login: str
    serving: Serving = field(default_factory=Serving)
    session: Session = field(default_factory=Session)
    rules_due_at: float = float("-inf")
    is_line_news: bool = False
    """The line was plugged in just now: whether it is there is not known until it is asked."""

    # --- The till --------------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """At start: what was on its way counts as unclear. Raises: StorageError."""
        self.services.redemptions.resume()
        self.services.settling.resume()

    def learn(self) -> None:
        """Take in what the till knows of programs and the organisation, asking nobody."""
        lookup = self.services.lookup
        self.serving.programs = tuple(lookup.programs())
        self.serving.organisation = lookup.organisation() or self.serving.organisation

    def line_state(self) -> LineState:
        """Where the line stands; asked anew while it is not known to be up: a script has no screen to look at."""
        line = self.services.line
        self.is_line_news = False
        if self.plug.is_in and line.view.state is not LineState.ONLINE:
            line.probe()
        return line.view.state

    @property
    def needs_sign_in(self) -> bool:
        """Say whether somebody has to sign in first: not where the till itself knows nobody who could."""
        operators = self.services.operators
        return operators.current is None and not (operators.are_local and not self.services.local_operators.has_any)

    @property
    def cashier(self) -> int | None:
        """The number of who is signed in, as the ledger keeps it."""
        return self.services.operators.cashier

    def operator(self) -> dict[str, Any] | None:
        """Who is signed in; never her name."""
        current = self.services.operators.current
        return None if current is None else {"operator_id": current.operator_id, "role": current.role}

    def fetch_rules(self) -> None:
        """Fetch the organisation's switches and the rules of programs, each quarter of an hour, as the window does."""
        now = self.services.clock.mono()
        if self.services.line.view.state is not LineState.ONLINE or now < self.rules_due_at:
            return
        self.rules_due_at = now + RULES_EVERY_S
        with suppress(Trouble):  # The line knows of it; rules that are missing are told where they are needed.
            self.services.lookup.refresh_rules()

    # --- The customer ----------------------------------------------------------------------------------------------

    def customer_of_pass(self, text: str) -> CustomerRef:
        """Whose lease a pass belongs to.

        Raises:
            NotAPassError: nobody we know signed it, or its lease is not held here.
        """
        return self.services.spending.customer_of_pass(text)

    def found(self, customer: CustomerRef) -> Found | None:
        """The customer as she was looked up last, else as the till knows her now. Raises: Trouble."""
        return self.serving.found_for(customer) or self.services.lookup.find(customer)

    def wish(self, customer: CustomerRef, group: int | None, program_id: int | None) -> Wish | None:
        """The wallet a lease is asked for; None: customer or program are not known. Raises: Trouble."""
        found = self.found(customer)
        if self.services.lookup.organisation() is None:
            self.fetch_rules()  # A lease is of little use to a till that does not know the rules.
        self.learn()
        program = self.serving.program(program_id)
        number = program_id if program_id is not None else None if program is None else program.program_id
        if found is None or number is None:
            return None
        owner = Owner(OwnerKind.CUSTOMER, found.record.customer.customer_id)
        if group is not None:
            owner = Owner(OwnerKind.FAMILY_GROUP, group)
        named = None if customer.kind is IdentifierKind.ID else customer
        return wish_for(found.record, named, owner, number)

    def allowance(self, customer_id: int, program_id: int) -> Allowance | None:
        """What is set aside here of her own wallet."""
        return self.services.allowances.of(Owner(OwnerKind.CUSTOMER, customer_id), program_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One command as its handler gets it."""

    line_id: Id
    given: Mapping[str, object] = field(repr=False)
    started: Started


def points_or_none(points: Points | None) -> str | None:
    """Points as text, null where unknown."""
    return None if points is None else str(points)
