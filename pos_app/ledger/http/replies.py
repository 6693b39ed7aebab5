"""How troubles look on the wire: the v1.1 status block, the error of v2 or of `/sync` (contract 1.5, 6)."""

from __future__ import annotations

from http import HTTPStatus

from pos_app.ledger.http.call import FORM, Call
from pos_app.ledger.http.troubles import Told, TooLargeError
from pos_app.wire.answers import write_status
from pos_app.wire.formats import Format, MalformedError, choose_format, content_type
from pos_app.wire.sync import write_sync_error
from pos_app.wire.v2 import write_v2_error


def told_body(call: Call, told: Told) -> tuple[bytes, str]:
    """The body of a trouble and its content type, in the shape and format of the call."""
    if call.is_sync:
        return write_sync_error(told.status, told.reason, told.message, told.field, told.more), content_type(
            Format.JSON
        )
    if call.is_v2 and told.status == HTTPStatus.BAD_REQUEST:
        return write_v2_error(told.status), content_type(Format.JSON)
    fmt = Format.JSON if call.is_v2 else _format_of(call)
    return write_status(told.status, told.message, fmt), content_type(fmt)


def status_line(status: int) -> str:
    """The status as WSGI wants it: `404 Not Found`."""
    return f"{status} {HTTPStatus(status).phrase}"


def _format_of(call: Call) -> Format:
    """The format the call asks for; JSON when even that cannot be read (contract 1.3)."""
    try:
        is_form = call.method == "POST" and (call.content_type or "").lower().startswith(FORM)
        params = call.form() if is_form else call.params()
        return choose_format(params.get("format"), call.accept)
    except (MalformedError, TooLargeError):
        return Format.JSON
