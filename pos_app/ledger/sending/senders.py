"""How one-time codes leave the ledger (import format, "Where codes go").

A sender is called when no transaction is open, so a slow one never holds the database. The senders themselves live in
`spool`, `smtp` and `webhook`; `maker` makes them, and bounds how long any of them may take.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from pos_app.domain.facts import Customer
from pos_app.domain.points import Points
from pos_app.wire.moments import write_moment

SMS: Final = "SMS"
EMAIL: Final = "EMAIL"
SMS_FIRST: Final = (SMS, EMAIL)
"""The channels of a sender that reaches everybody: a text message where there is a mobile number, else an e-mail."""


class SenderFailedError(Exception):
    """The message could not be handed over: nothing reached the customer, as far as the ledger can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMessage:
    """One code on its way to one customer. The code, the address and the texts stay out of `repr`."""

    organisation: int
    customer_id: int
    channel: str
    """One of the sender's channels."""
    to: str = field(repr=False)
    code: str = field(repr=False)
    points: Points | None
    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    issued_at: datetime
    expires_at: datetime

    def document(self) -> dict[str, Any]:
        """The message as spools and webhooks carry it (import format)."""
        return {
            "organisation": self.organisation,
            "customer_id": self.customer_id,
            "channel": self.channel,
            "to": self.to,
            "code": self.code,
            "points": None if self.points is None else str(self.points),
            "text": self.text,
            "issued_at": write_moment(self.issued_at),
            "expires_at": write_moment(self.expires_at),
        }


class CodeSender(Protocol):
    """Hands codes to the customer's phone or mailbox."""

    @property
    def channels(self) -> tuple[str, ...]:
        """What it can send by, the preferred first."""
        ...

    def send(self, message: CodeMessage) -> str:
        """Send, and return the channel used, as the answer names it.

        Raises:
            SenderFailedError: the message did not leave.
        """
        ...


def way_to(customer: Customer, sender: CodeSender) -> tuple[str, str] | None:
    """The channel and the address by which a sender reaches a customer; None: it cannot reach her."""
    addresses = {SMS: customer.mobile, EMAIL: customer.email}
    return next(((each, addresses[each]) for each in sender.channels if addresses[each]), None)
