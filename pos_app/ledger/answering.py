"""Puts answers together: item codes, messages, worth, and what the extension says beside them (2.9, sync-api 2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from pos_app.domain.answers import CodeView, Extension, Identity, Share, WalletView
from pos_app.domain.facts import Proof
from pos_app.domain.money import round_money
from pos_app.domain.points import Points, total
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import CustomerRef
from pos_app.domain.verdict import Verdict
from pos_app.ledger.codes import Proved
from pos_app.ledger.facts import Hold, KeptWallet, Known
from pos_app.ledger.people import sent_identity
from pos_app.ledger.tills import Till
from pos_app.wire.codes import Endpoint, code_for, message_for

NOTHING: Final = Decimal(0)
_PLACE: Final = {refusal: place for place, refusal in enumerate(Refusal)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Everything an answer is made of: who asked, when, what was known, what the rules said."""

    endpoint: Endpoint
    till: Till
    epoch: int
    now: datetime
    known: Known
    verdict: Verdict
    refusals: tuple[Refusal, ...]
    proved: Proved | None = None

    @property
    def refusal(self) -> Refusal | None:
        """The answer: the first refusal, None for a yes."""
        return self.refusals[0] if self.refusals else None

    @property
    def code(self) -> int:
        """The item code."""
        return 800 if self.refusal is None else code_for(self.endpoint, self.refusal)

    @property
    def message(self) -> str:
        """The item message."""
        return message_for(self.endpoint, self.refusal, multiple_of=self._step)

    @property
    def worth(self) -> Decimal:
        """What the points are worth in the base currency; nothing on a no (2.9)."""
        return NOTHING if self.refusals or self.verdict.worth is None else self.verdict.worth

    @property
    def local_worth(self) -> Decimal:
        """The same in the till's currency (2.7)."""
        base = self.known.rules.organisation.currency
        if self.till.currency in ("", base):
            return self.worth
        return round_money(self.worth * self.till.currency_rate, self.till.currency)

    @property
    def _step(self) -> Points | None:
        program, customer = self.known.facts.program, self.known.facts.customer
        if self.refusal is not Refusal.NOT_A_MULTIPLE or program is None:
            return None
        return program.criteria_for(None if customer is None else customer.tier).multiple_of


def in_order(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """All refusals in the order of the checks (2.8), each once."""
    return tuple(sorted(set(refusals), key=_PLACE.__getitem__))


def identity_of(known: Known, ref: CustomerRef) -> Identity:
    """Whom the answer is about; the identifier that was sent where nobody was found."""
    return sent_identity(ref) if known.person is None else known.person.identity


def extension_of(
    asked: Asked,
    *,
    key: str | None = None,
    reason: str | None = None,
    otp: CodeView | None = None,
    wallet: WalletView | None = None,
    breakdown: tuple[Share, ...] = (),
) -> Extension:
    """What our ledger says beside the answer."""
    proved = asked.proved
    return Extension(
        epoch=asked.epoch,
        server_time=asked.now,
        key=key,
        reason=reason or reason_for(asked),
        refusals=tuple(code_for(asked.endpoint, each) for each in asked.refusals),
        nearest=asked.verdict.nearest,
        wallet=wallet or wallet_view(asked.known.wallets, hold=asked.known.hold),
        customer_id=asked.known.customer_id,
        otp=otp or (None if proved is None else proved.view),
        breakdown=breakdown,
    )


def reason_for(asked: Asked) -> str | None:
    """Why, finer than the code (sync-api 2)."""
    known = asked.known
    match asked.refusal:
        case Refusal.POINTS_BLOCKED:
            group, customer_id = known.facts.family_group, known.customer_id
            member = None if group is None or customer_id is None else group.member(customer_id)
            return "member_blocked" if member is not None and not member.may_redeem else "wallet_paused"
        case Refusal.REDEMPTION_OFF if not known.rules.organisation.redemptions_enabled:
            return "redemptions_off"
        case Refusal.BALANCE_TOO_LOW:
            return "held_offline" if is_for_a_hold(asked) else None
        case Refusal.CODE_WRONG:
            return "code_wrong" if asked.proved is None else asked.proved.reason
        case Refusal.KEY_MISMATCH | Refusal.KEY_CANCELLED as about_key:
            return about_key.value
        case _:
            return None


def is_for_a_hold(asked: Asked) -> bool:
    """Say whether it is refused only because tills hold points for offline use (reliability 4.3)."""
    wallet = asked.known.facts.wallet
    if wallet is None or asked.refusal is not Refusal.BALANCE_TOO_LOW:
        return False
    return wallet.available < asked.verdict.points <= wallet.balance


def proof_of(proved: Proved | None, *, asks_for_call: bool, has_call: bool = False) -> Proof:
    """What the rules are told of the customer's proof."""
    if proved is not None:
        return Proof.CODE_RIGHT if proved.is_right else Proof.CODE_WRONG
    if has_call:
        return Proof.CALL_SEEN
    return Proof.NO_CALL if asks_for_call else Proof.NONE


def wallet_view(
    wallets: Sequence[KeptWallet], less: Points | None = None, hold: Hold | None = None
) -> WalletView | None:
    """`extension.wallet`: the paying wallet, or the sum of several (then without an id).

    `less` was just spent; `hold` is the largest of another till.
    """
    if not wallets:
        return None
    spent = less or Points(0)
    balance = total(each.balance for each in wallets) - spent
    held = total(each.reserved for each in wallets)
    return WalletView(
        wallet_id=wallets[0].wallet_id if len(wallets) == 1 else None,
        version=max(each.version for each in wallets),
        balance=balance,
        available=balance - held,
        held_offline=held,
        held_until=None if hold is None else hold.until,
        held_store=None if hold is None else hold.store,
    )
