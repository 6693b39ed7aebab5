"""How often one code was sent, and when it may be sent again (ux B.5).

It outlives the dialog: closing it and opening it again must not shorten a wait.
"""

from __future__ import annotations

from pos_app.services.ports import Clock


class Sendings:
    """The sendings of the code that is out: before each further one it waits as long as `waits_s` says."""

    def __init__(self, clock: Clock, waits_s: tuple[int, ...]) -> None:
        self._clock = clock
        self._waits_s = waits_s
        self._used = 0
        self._ready_s = float("inf")

    def begin(self) -> None:
        """A new code went out."""
        self._used = 0
        self.wait()

    def again(self) -> None:
        """The same code went out again: one sending fewer is left, and the next wait is longer."""
        self._used += 1
        self.wait()

    def wait(self) -> None:
        """The wait begins, or, after a sending that failed, begins anew."""
        if not self.is_used_up:
            self._ready_s = self._clock.mono() + self._waits_s[self._used]

    @property
    def is_used_up(self) -> bool:
        """Say whether this code was sent as often as it may be."""
        return self._used >= len(self._waits_s)

    @property
    def left_s(self) -> int:
        """Whole seconds until it may be sent again; 0: now, unless it is used up."""
        if self.is_used_up or self._ready_s == float("inf"):
            return 0
        return max(0, int(self._ready_s - self._clock.mono() + 0.999))

    @property
    def may_send(self) -> bool:
        """Say whether it may be sent again now."""
        return not self.is_used_up and self.left_s == 0
