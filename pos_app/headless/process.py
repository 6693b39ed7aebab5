"""The process of a headless till: standard output belongs to the events, and to nothing else (reliability 5.2)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from pos_app import __version__
from pos_app.gateway.plug import Plug
from pos_app.headless.at_work import AtWork
from pos_app.headless.desk import Desk
from pos_app.headless.heard import Heard
from pos_app.headless.lines import Voice
from pos_app.headless.telling import status_detail
from pos_app.headless.watching import Watch, printer_of
from pos_app.services.receipts import Receipts
from pos_app.services.till import TillServices


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What bootstrap wires: a till's services over a line with a plug, and how to close what is under them."""

    services: TillServices
    plug: Plug
    heard: Heard
    login: str
    close: Callable[[], None]


def run(parts: Parts, output: BinaryIO) -> int:
    """Work on the lines of standard input until `quit` or their end; returns the exit code."""
    voice = Voice(output)
    desk = Desk(services=parts.services, plug=parts.plug, heard=parts.heard, login=parts.login)
    receipts = Receipts(parts.services.journal, parts.services.clock, printer_of(voice))
    watch = Watch(parts.services.journal, voice, desk.serving, receipts)
    try:
        detail = status_detail(desk)
        voice.say("ready", version=__version__, detail=detail, **detail)  # As `status` has it, and each at hand.
        return AtWork(desk, watch, voice).run(sys.stdin.buffer)
    finally:
        parts.close()
        with suppress(BrokenPipeError):
            output.close()


def own_output() -> BinaryIO:
    """Standard output as it was; whatever else is printed from now on goes where complaints go."""
    sys.stdout.flush()
    owned = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return owned
