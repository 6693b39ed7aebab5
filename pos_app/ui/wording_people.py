"""What is said when the ledger, or this till, will not let somebody do something (sync-api 1, 4)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from pos_app.ui.wording_row import Row, VerdictState, Way

_S = VerdictState
_ENROL: Final = ("Call a supervisor: this till has to be enrolled again.",)
_AGAIN: Final = ("Type it again.",)

SAID_NO: Final = Row(
    _S.CONFIG,
    ("The service said no",),
    ("It does not let this till do that now.",),
    ("Call a supervisor.",),
    (Way.COPY_FOR_SUPPORT,),
)

SAID_NO_BECAUSE: Final = MappingProxyType(
    {
        "pin_wrong": Row(_S.REFUSED, ("Wrong PIN",), ("{tries_left} tries left.", "That is not the PIN."), _AGAIN),
        "operator_locked": Row(
            _S.REFUSED, ("Signed out for a while",), ("Too many wrong PINs.",), ("Wait, or ask a supervisor.",)
        ),
        "operator_unknown": Row(
            _S.REFUSED,
            ("Nobody has this number here",),
            ("It is not known in this store.",),
            ("Type the number again.",),
        ),
        "line_needed": Row(
            _S.OFFLINE,
            ("Cannot sign in while offline",),
            ("Only who signed in on this till before can do so without a line.",),
            ("Wait for the line, or sign in somebody else.",),
        ),
        "role_too_low": Row(
            _S.REFUSED, ("A supervisor is needed",), ("This role may not do that.",), ("Ask a supervisor.",)
        ),
        "same_person": Row(
            _S.REFUSED, ("Another person is needed",), ("Nobody approves her own work.",), ("Ask a supervisor.",)
        ),
        "token_expired": Row(
            _S.OFFLINE,
            ("Cannot approve while offline",),
            ("The last sign-in of this person with a line was too long ago.",),
            ("Wait for the line, or ask another supervisor.",),
        ),
        "note_needed": Row(_S.REFUSED, ("A note is needed",), ("This reason needs a few words.",), ("Type a note.",)),
        "enrolment_code_needed": Row(
            _S.CONFIG,
            ("This till needs an enrolment code",),
            ("It has another key than before.",),
            ("Ask head office for a code.",),
        ),
        "enrolment_code_wrong": Row(
            _S.CONFIG,
            ("The enrolment code does not count",),
            ("It is wrong, used, or too old.",),
            ("Ask head office for another one.",),
        ),
        "outbox_not_empty": Row(
            _S.CONFIG,
            ("Not yet",),
            ("This till has redemptions that the service was not told of.",),
            ("Wait until they are sent.",),
        ),
        "not_enrolled": Row(_S.CONFIG, ("This till is not enrolled",), ("So nothing is set aside for it.",), _ENROL),
        "stale_till_epoch": Row(
            _S.CONFIG, ("This till was enrolled elsewhere",), ("Another one took its place.",), _ENROL
        ),
        "till_frozen": Row(_S.CONFIG, ("This till is frozen",), ("Its records met a copy of themselves.",), _ENROL),
        "till_lost": Row(_S.CONFIG, ("This till is marked lost",), ("Nothing is set aside for it.",), _ENROL),
        "till_disabled": Row(
            _S.CONFIG, ("This till is switched off",), ("Head office did so.",), ("Call a supervisor.",)
        ),
    }
)
"""By the word of the answer; any other word is `SAID_NO`."""
