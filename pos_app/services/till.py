"""What the window is given: the services of one till, and the few plain values it shows or waits by.

The services are named here, not loaded: the window is painted from a `TillView` before anything slow is read from disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pos_app.services.line import Line
    from pos_app.services.lookup import LookupService
    from pos_app.services.ports import Clock
    from pos_app.services.redemption import RedemptionService
    from pos_app.services.validation import ValidationService


@dataclass(frozen=True, slots=True, kw_only=True)
class TillServices:
    """One till's services, wired by bootstrap for live use or for training."""

    clock: Clock
    line: Line
    lookup: LookupService
    validation: ValidationService
    redemptions: RedemptionService
    has_secrets_file: bool = False
    """No keyring here: the secrets lie in a file only its owner can read; the window says so (house 9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TillView:
    """What the window shows of the till itself, and the settings its forms follow (ux B.4, B.5).

    `bill` is off, optional or required. `code_validity_s` is the till's own guess, used when neither the ledger's
    answer nor the organisation tells. `is_training` only draws the marks: training is other wiring.
    """

    store: str = ""
    till: str = ""
    operator: str = ""
    operator_role: str = ""
    is_training: bool = False
    bill: str = "optional"
    ask_before_code: bool = False
    resend_waits_s: tuple[int, ...] = (30, 60, 120)
    code_validity_s: int = 600
    whole_values_only: bool = False
    theme: str = "light"
    base_px: int = 16
    probe_s: float = 4.0
    drain_s: float = 2.0
