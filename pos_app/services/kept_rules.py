"""The rules a lease is spent by, kept in the journal beside it: they must outlive a damaged cache (reliability 4.8).

Without them a till whose cache is gone would not even know whether the organisation wants a code.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

from pos_app.domain.facts import Organisation, Program
from pos_app.services.ports import Cache, Journal

_ORGANISATION: Final = "rules.organisation"
_PROGRAM: Final = "rules.program"
_KILL_SWITCH: Final = "rules.redemptions"
ON: Final = "on"
OFF: Final = "off"


class RulesText(Protocol):
    """Writes rules as text and reads them back, exactly."""

    def program_text(self, program: Program) -> str:
        """A program with its rules."""
        ...

    def program_of(self, text: str) -> Program:
        """The program in a text of `program_text`."""
        ...

    def organisation_text(self, organisation: Organisation) -> str:
        """The organisation's switches."""
        ...

    def organisation_of(self, text: str) -> Organisation:
        """The organisation in a text of `organisation_text`."""
        ...


class KeptRules:
    """The cache's rules while it has them, else those kept in the journal."""

    def __init__(self, journal: Journal, cache: Cache, texts: RulesText) -> None:
        self._journal = journal
        self._cache = cache
        self._texts = texts

    def organisation(self) -> Organisation | None:
        """The organisation's switches, None when they were never told."""
        known = self._cache.organisation()
        if known is None:
            text = self._journal.recall(_ORGANISATION)
            known = None if text is None else self._texts.organisation_of(text)
        if known is not None and self._journal.recall(_KILL_SWITCH) == OFF:
            known = replace(known, redemptions_enabled=False)
        return known

    def program(self, program_id: int) -> Program | None:
        """One program with its rules, None when it was never told."""
        known = self._cache.program(program_id)
        if known is not None:
            return known
        text = self._journal.recall(f"{_PROGRAM} {program_id}")
        return None if text is None else self._texts.program_of(text)

    def keep(self, program_id: int) -> None:
        """Keep what the cache knows of a program and the organisation, where it is news. Raises: StorageError."""
        organisation, program = self._cache.organisation(), self._cache.program(program_id)
        if organisation is not None:
            self._note(_ORGANISATION, self._texts.organisation_text(organisation))
        if program is not None:
            self._note(f"{_PROGRAM} {program_id}", self._texts.program_text(program))

    def switch(self, *, is_on: bool) -> None:
        """The ledger's last word on whether anything may be redeemed at all (sync-api 9). Raises: StorageError."""
        if is_on == (self._journal.recall(_KILL_SWITCH) == OFF):
            self._journal.remember(_KILL_SWITCH, ON if is_on else OFF)

    def _note(self, name: str, text: str) -> None:
        if self._journal.recall(name) != text:
            self._journal.remember(name, text)
