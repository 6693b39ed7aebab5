"""The calls of v1.1 (contract 2 to 5 and 8, sync-api 2 and 11): read a question, ask the `Book`, write its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import falcon

from pos_app.domain.crash_points import reach
from pos_app.ledger.book import Book
from pos_app.ledger.http.call import CALL, Call
from pos_app.ledger.http.door import Door
from pos_app.ledger.lookups import find_organisation
from pos_app.ledger.tills import Till
from pos_app.wire.answers import write_check_answer, write_code_answer, write_redeem_answer
from pos_app.wire.configs import write_configs
from pos_app.wire.criteria import write_program
from pos_app.wire.customers import write_customers
from pos_app.wire.extension import HEADER, ExtensionAsk, read_extension_header
from pos_app.wire.formats import Format, MalformedError, choose_format, content_type
from pos_app.wire.organisations import write_organisation
from pos_app.wire.parameters import given, read_program_id
from pos_app.wire.requests import read_check, read_customer_get, read_redeem, read_send_code


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that was let in: by which till, with which parameters, to be answered how."""

    till: Till
    fmt: Format
    params: Mapping[str, str] = field(repr=False)
    extension: ExtensionAsk | None
    call: Call

    @property
    def with_extension(self) -> bool:
        """Say whether the answer carries the extension: only to those who sent the header, and never in XML."""
        return self.extension is not None and self.fmt is Format.JSON


Answer = Callable[[Book, Admitted], bytes]


def check(book: Book, asked: Admitted) -> bytes:
    """`points/isredeemable` (section 2)."""
    is_extended = asked.with_extension
    answer = book.check(asked.till, read_check(asked.params), asked.extension, with_extension=is_extended)
    asked.call.item_code = answer.code
    return write_check_answer(answer, asked.fmt, with_extension=is_extended)


def send_code(book: Book, asked: Admitted) -> bytes:
    """`points/validationcode` (section 3)."""
    answer = book.send_code(asked.till, read_send_code(asked.params), asked.extension)
    asked.call.item_code = answer.code
    return write_code_answer(answer, asked.fmt, with_extension=asked.with_extension)


def redeem(book: Book, asked: Admitted) -> bytes:
    """`points/redeem` (section 4)."""
    command = read_redeem(asked.params, asked.call.body, asked.call.content_type)
    answer = book.redeem(asked.till, command, asked.extension)
    reach("C4")
    asked.call.item_code = answer.code
    return write_redeem_answer(answer, asked.fmt, with_extension=asked.with_extension)


def customers(book: Book, asked: Admitted) -> bytes:
    """`customer/get` (section 5)."""
    query = read_customer_get(asked.params)
    found = book.find_customers(asked.till, query.refs)
    return write_customers(list(zip(query.refs, found, strict=True)), query, asked.fmt)


def criteria(book: Book, asked: Admitted) -> bytes:
    """`program/criteria`: the rules of one program, of the till's own when none is named (sync-api 11).

    Raises:
        MalformedError: none is named, and the till has none of its own.
    """
    named = read_program_id(given(asked.params, "program_id"))
    program_id = asked.till.program_id if named is None else named
    if program_id is None:
        raise MalformedError("program_id", "a program", "none")
    return write_program(book.program(asked.till, program_id), asked.fmt)


def configs(book: Book, asked: Admitted) -> bytes:
    """`organization/configs` (section 8, sync-api 11)."""
    return write_configs(book.organisation(asked.till), asked.fmt)


def organisation(book: Book, asked: Admitted) -> bytes:
    """`organization/get` (section 8)."""
    organisation, currencies = find_organisation(book.tools, asked.till)
    return write_organisation(organisation, currencies, asked.fmt)


class Desk:
    """Lets a call in and answers it; what all calls of v1.1 have in common."""

    def __init__(self, book: Book, door: Door, *, extension: bool) -> None:
        self._book = book
        self._door = door
        self._extension = extension

    def serve(self, req: falcon.Request, resp: falcon.Response, answer: Answer, *, form: bool = False) -> None:
        """Answer one request; `form` says that its parameters come in a form body (sync-api 2).

        Raises:
            Exception: any member of `troubles`, and whatever the `Book` fails with.
        """
        call: Call = req.env[CALL]
        call.route = req.uri_template or "-"

        def work(till: Till) -> None:
            params = call.form() if form else call.params()
            fmt = choose_format(params.get("format"), call.accept)
            ask = self._extension_of(req)
            resp.data = answer(self._book, Admitted(till, fmt, params, ask, call))
            resp.content_type = content_type(fmt)

        self._door.let_in(call, req.env.get("HTTP_AUTHORIZATION"), work)

    def _extension_of(self, req: falcon.Request) -> ExtensionAsk | None:
        """What the header asks, or None without the header or without the extension (sync-api 1)."""
        header = req.env.get(EXTENSION_KEY) if self._extension else None
        return None if header is None else read_extension_header(header)


EXTENSION_KEY: Final = "HTTP_" + HEADER.upper().replace("-", "_")


class Read:
    """A call that is a GET."""

    def __init__(self, desk: Desk, answer: Answer) -> None:
        self._desk = desk
        self._answer = answer

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the parameters of the query."""
        self._desk.serve(req, resp, self._answer)


class PostRead(Read):
    """A read that our ledger also takes by POST, so that numbers and codes stay out of addresses (sync-api 2)."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the parameters of a form body."""
        self._desk.serve(req, resp, self._answer, form=True)


class Write:
    """A call that is a POST with a body of its own."""

    def __init__(self, desk: Desk, answer: Answer) -> None:
        self._desk = desk
        self._answer = answer

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer; parameters come in the query, the command in the body."""
        self._desk.serve(req, resp, self._answer)
