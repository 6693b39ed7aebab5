"""The customer's phone in trainer mode: codes sent by the practice ledger appear on it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from pos_app.domain.masking import mask_email, mask_mobile
from pos_app.ledger.sending.senders import SMS_FIRST, CodeMessage


class SimulatedPhone(QObject):
    """A `CodeSender` whose messages are shown instead of sent.

    Signals:
        rang: a message arrived. arg: the text of the message, with time and masked receiver.
    """

    rang = Signal(str)
    channels = SMS_FIRST

    def send(self, message: CodeMessage) -> str:
        """Take a message from the ledger; called from whichever thread asked for the code."""
        points = f" for {message.points} points" if message.points is not None else ""
        receiver = mask_email(message.to) if "@" in message.to else mask_mobile(message.to)
        time = message.issued_at.astimezone().strftime("%H:%M")
        self.rang.emit(f"{time} {receiver}: {message.code} is your code{points}")
        return message.channel
