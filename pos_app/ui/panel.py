"""What the verdict panel is told to show: a plain value, so that a state can be made, compared and drawn in a test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

TONES: Final = {
    "idle": "",
    "checking": "",
    "redeemable": "ok",
    "refused": "refused",
    "otp_failed": "caution",
    "offline": "caution",
    "pending": "pending",
    "unknown": "unknown",
    "redeemed": "ok",
    "config": "caution",
}
"""The ten states of ux B.4 and the colour family each is drawn in; the shape has the state's own name."""

ASSERTIVE: Final = frozenset({"refused", "otp_failed", "unknown", "config"})
"""States that interrupt what a screen reader is reading (check C6)."""

SILENT: Final = frozenset({"idle", "checking"})


class PanelButton(NamedTuple):
    """A next step. `way` is one of `wording.Way`, `value` what it needs: the amount in plain text."""

    way: str
    text: str
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelView:
    """One state of the panel.

    `redeem` is the text of the redeem button, "" where redeeming is no question; `is_redeem_ready` says whether F8
    does anything. `send_code` is the text of F7's button. `is_about_inputs` is False for states that stay true
    whatever is typed next, such as an unknown result: they are never dimmed.
    """

    state: str = "idle"
    title: str = ""
    reason: str = ""
    next_step: str = ""
    meta: str = ""
    buttons: tuple[PanelButton, ...] = ()
    send_code: str = ""
    redeem: str = ""
    redeem_name: str = ""
    is_redeem_ready: bool = False
    has_bill: bool = False
    is_about_inputs: bool = True
    is_firm: bool = False
    """An offline state under a lease: it is a plain yes, not advice, and drawn so."""

    def __post_init__(self) -> None:
        if self.is_redeem_ready and not (self.state in ("redeemable", "otp_failed") or self.is_firm):
            raise ValueError(f"nothing can be redeemed in state {self.state}")  # check C12

    @property
    def tone(self) -> str:
        """The colour family."""
        return "ok" if self.is_firm else TONES[self.state]

    @property
    def announcement(self) -> str:
        """Headline and next step, as a screen reader hears them (check C6)."""
        return " ".join(
            part if part.endswith((".", "?", "!")) else f"{part}."
            for part in (self.title, self.reason, self.next_step)
            if part
        )

    def without_redeem(self) -> PanelView:
        """The same, with F8 off."""
        return replace(self, is_redeem_ready=False)
