"""What is known of the service: asked for once, shared by all calls, and remembered over restarts by who made it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pos_app.domain.answers import Capabilities

Told = Callable[[Capabilities], None]
"""Hears what the service said that it can do, each time it says so."""


class KnownService:
    """Safe to use from any thread. `had_extension`: the service had it when the till was last in touch with it."""

    def __init__(self, *, had_extension: bool = False, on_told: Told | None = None) -> None:
        self._lock = threading.Lock()
        self._capabilities: Capabilities | None = None
        self._had_extension = had_extension
        self._is_lost = False
        self._on_told = on_told

    @property
    def capabilities(self) -> Capabilities | None:
        """What it can do; None while it was not asked, or has to be asked anew."""
        with self._lock:
            return self._capabilities

    @property
    def had_extension(self) -> bool:
        """Say whether it ever had the extension."""
        with self._lock:
            return self._had_extension

    @property
    def is_lost(self) -> bool:
        """Say whether the extension was there once and was gone when last asked for."""
        with self._lock:
            return self._is_lost

    def told(self, capabilities: Capabilities) -> None:
        """The service said what it can do."""
        with self._lock:
            self._capabilities = capabilities
            self._had_extension = self._had_extension or capabilities.has_extension
            self._is_lost = False
        if self._on_told is not None:
            self._on_told(capabilities)

    def lose_extension(self) -> None:
        """The service had the extension and has none now: nothing that was known of it holds."""
        with self._lock:
            self._capabilities = None
            self._is_lost = True

    def forget(self) -> None:
        """The service lacks a call it was thought to have: it is asked anew."""
        with self._lock:
            self._capabilities = None
