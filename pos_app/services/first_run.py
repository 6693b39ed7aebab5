"""The first run's test of a connection, step by step: reach, secure, sign in, program answers (ux B.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pos_app.domain.trouble import LineDownError, NotAcceptedError, NotSafeError, Trouble
from pos_app.services.ports import Ledger

REACH: Final = "reach"
SECURE: Final = "secure"
SIGN_IN: Final = "sign_in"
PROGRAM: Final = "program"


def try_connection(make_ledger: Callable[[], Ledger], report: Callable[[str, bool, str], None]) -> None:
    """Try each step in turn and report (step, ok, sentence); the first failure ends it. Never raises `Trouble`."""
    try:
        ledger = make_ledger()
        told = ledger.capabilities()
    except NotSafeError:
        report(REACH, True, "")
        report(SECURE, False, "The connection is not safe: use https, with a certificate this till trusts.")
    except NotAcceptedError:
        report(REACH, True, "")
        report(SECURE, True, "")
        report(SIGN_IN, False, "The login or the password was not accepted.")
    except LineDownError:
        report(REACH, False, "Nobody answers there. Check the address and the cable.")
    except Trouble:
        report(REACH, False, "Something answers, but not the loyalty service. Check the address.")
    else:
        report(REACH, True, "")
        report(SECURE, True, "")
        _try_program(ledger, told.till.program_id if told.till else None, report)


def _try_program(ledger: Ledger, program_id: int | None, report: Callable[[str, bool, str], None]) -> None:
    try:
        organisation = ledger.organisation()
        program = ledger.program(program_id) if program_id is not None else None
    except NotAcceptedError:
        report(SIGN_IN, False, "The login or the password was not accepted.")
        return
    except Trouble:
        report(SIGN_IN, True, "")
        report(PROGRAM, False, "The login is good, but the loyalty program does not answer. Try again.")
        return
    report(SIGN_IN, True, "")
    named = program.name if program is not None else (organisation.name if organisation is not None else "")
    report(PROGRAM, True, named)
