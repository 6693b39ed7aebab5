"""The calls of v2 (contract 5 to 8): family groups, balances, programs, reversal. JSON whatever is asked for.

A "no" is HTTP 400 with the code of section 9; what cannot be read is code 400, a field that is not there code 403.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import falcon

from pos_app.domain.request import ID_MAX, CustomerRef, FamilyGroupRef, IdentifierKind, MemberSource, PrimaryKind
from pos_app.ledger.balances import BalanceFault, BalanceQuestion, find_balance
from pos_app.ledger.book import Book
from pos_app.ledger.group_lookups import find_group, group_id_from, search_groups
from pos_app.ledger.http.call import CALL, Call
from pos_app.ledger.http.door import Door
from pos_app.ledger.http.replies import status_line
from pos_app.ledger.http.v11 import EXTENSION_KEY
from pos_app.ledger.lookups import active_programs
from pos_app.ledger.tills import Till
from pos_app.wire.codes import POINTS_REVERSED
from pos_app.wire.extension import ExtensionAsk, read_extension_header
from pos_app.wire.family_groups import write_group, write_members, write_search
from pos_app.wire.formats import Format, MalformedError, content_type
from pos_app.wire.parameters import boolean, given, read_program_id
from pos_app.wire.reversals import REVERSAL_CODES, read_reverse, write_reverse_answer
from pos_app.wire.v2 import FIELD_MISSING, FieldMissingError, write_balance, write_programs, write_v2_error

SEARCH_MAX: Final = 50
"""Characters of a search; more is 91015 (contract 6)."""

PAGE: Final = 10
PAGE_MAX: Final = 100
MEMBERS_PAGE: Final = 100

_BAD_REQUEST: Final = 400
_GROUP_ENTITIES: Final = frozenset({"FLEET", "USERGROUP2"})
_CUSTOMER_ENTITY: Final = "CUSTOMER"
_CUSTOMER_NAMES: Final[Mapping[str, IdentifierKind]] = {
    "id": IdentifierKind.ID,
    "mobile": IdentifierKind.MOBILE,
    "email": IdentifierKind.EMAIL,
    "externalId": IdentifierKind.EXTERNAL_ID,
    "cardnumber": IdentifierKind.CARD_NUMBER,
    "cardExternalId": IdentifierKind.CARD_EXTERNAL_ID,
}
_BALANCE_CODES: Final[Mapping[BalanceFault, int]] = {
    BalanceFault.CUSTOMER_UNKNOWN: 8015,
    BalanceFault.GROUP_UNKNOWN: 1632,
    BalanceFault.PROGRAM_UNKNOWN: 1101,
    BalanceFault.NO_PROGRAM_HERE: 895,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that was let in. `named` is what its path says."""

    till: Till
    params: Mapping[str, str] = field(repr=False)
    named: Mapping[str, str] = field(repr=False)
    extension: ExtensionAsk | None
    call: Call


Answered = tuple[int, bytes]
"""HTTP status and body."""

Answer = Callable[[Book, Asked], Answered]


# --- Family groups (section 6) -------------------------------------------------------------------------------------


def search(book: Book, asked: Asked) -> Answered:
    """`userGroup2/search`."""
    text = _needed(asked.params, "q")
    if len(text) > SEARCH_MAX:
        return _no(91015)
    offset, limit = _page(asked.params, PAGE)
    page = search_groups(book.tools, asked.till, text, offset=offset, limit=limit)
    return 200, write_search(page.found, offset=offset, limit=limit, count=page.count)


def group(book: Book, asked: Asked) -> Answered:
    """`userGroup2`: one family group, by id or external id; by both when they name the same."""
    ref = _group_ref(given(asked.params, "id"), given(asked.params, "externalId"))
    if isinstance(ref, int):
        return _no(ref)
    with_expiring = boolean(asked.params, "expirySchedules")
    found = find_group(book.tools, asked.till, ref, with_expiring=with_expiring)
    return _no(1632) if found is None else (200, write_group(found, with_expiring=with_expiring))


def members(book: Book, asked: Asked) -> Answered:
    """`userGroup2/members`."""
    ref = _identified_group(asked.params)
    if isinstance(ref, int):
        return _no(ref)
    offset, limit = _page(asked.params, MEMBERS_PAGE)
    with_pagination = boolean(asked.params, "paginationDetails")
    found = find_group(book.tools, asked.till, ref, with_contributed=True)
    if found is None:
        return _no(1632)
    return 200, write_members(found, offset=offset, limit=limit, with_pagination=with_pagination)


def _identified_group(params: Mapping[str, str]) -> FamilyGroupRef | int:
    """A group by `identifierName` and `identifierValue`, or the code that says what is wrong with them."""
    name, value, source = (given(params, each) for each in ("identifierName", "identifierValue", "source"))
    if source is not None and source not in set(MemberSource):
        raise MalformedError("source", f"one of {', '.join(MemberSource)}", "another word")
    if name is None or value is None:
        return 1635
    if name not in ("id", "externalId"):
        raise MalformedError("identifierName", "id or externalId", "another word")
    return _group_ref(value if name == "id" else None, value if name == "externalId" else None)


def _group_ref(group_id: str | None, external_id: str | None) -> FamilyGroupRef | int:
    if group_id is None and external_id is None:
        return 1635
    number = None if group_id is None else group_id_from(group_id)
    if group_id is not None and number is None:
        return 1619
    return FamilyGroupRef(group_id=number, external_id=external_id)


# --- Balances (sections 5 and 6) -----------------------------------------------------------------------------------


def balance(book: Book, asked: Asked) -> Answered:
    """`customers/{userId}/points/balance`."""
    owner = CustomerRef(IdentifierKind.ID, asked.named["user_id"].strip())
    return _balance_of(book, asked, owner, _CUSTOMER_ENTITY)


def balance_by_entity(book: Book, asked: Asked) -> Answered:
    """`customers/points/balance`: of a family group where `entityType` says so, else of the customer identified."""
    entity = (given(asked.params, "entityType") or _CUSTOMER_ENTITY).upper()
    if entity not in {*_GROUP_ENTITIES, _CUSTOMER_ENTITY}:
        raise MalformedError("entityType", "CUSTOMER, FLEET or USERGROUP2", "another word")
    owner = _customer_asked(asked.params) if entity == _CUSTOMER_ENTITY else _group_asked(asked.params)
    return _no(owner) if isinstance(owner, int) else _balance_of(book, asked, owner, entity)


def _balance_of(book: Book, asked: Asked, owner: CustomerRef | FamilyGroupRef, entity: str) -> Answered:
    question = BalanceQuestion(
        owner=owner,
        program_id=read_program_id(given(asked.params, "programId")),
        all_programs=boolean(asked.params, "fetchDataForAllPrograms"),
    )
    found = find_balance(book.tools, asked.till, question)
    return _no(_BALANCE_CODES[found]) if isinstance(found, BalanceFault) else (200, write_balance(found, entity))


def _customer_asked(params: Mapping[str, str]) -> CustomerRef:
    name, value = _needed(params, "identifierName"), _needed(params, "identifierValue")
    if name not in _CUSTOMER_NAMES:
        raise MalformedError("identifierName", f"one of {', '.join(_CUSTOMER_NAMES)}", "another word")
    return CustomerRef(_CUSTOMER_NAMES[name], value)


def _group_asked(params: Mapping[str, str]) -> FamilyGroupRef | int:
    """A group by id, by external id, or by an identifier of its primary member."""
    name, value = given(params, "identifierName"), given(params, "identifierValue")
    if name is None and value is None:
        return _group_ref(given(params, "entityId") or given(params, "id"), given(params, "externalId"))
    if value is not None and name in set(PrimaryKind) - {PrimaryKind.ID}:
        return FamilyGroupRef(primary_kind=PrimaryKind(name), primary_value=value)
    return _identified_group(params)


# --- Programs (section 8) ------------------------------------------------------------------------------------------


def programs(book: Book, asked: Asked) -> Answered:
    """`organization/programs`: the active ones, the default one first."""
    return 200, write_programs(active_programs(book.tools, asked.till))


# --- Reversal (section 7) ------------------------------------------------------------------------------------------


def reverse(book: Book, asked: Asked) -> Answered:
    """`points/reverse`."""
    command, sent = read_reverse(asked.params, asked.call.body, asked.extension)
    answer = book.reverse(asked.till, command)
    asked.call.item_code = POINTS_REVERSED if answer.refusal is None else REVERSAL_CODES[answer.refusal]
    return write_reverse_answer(answer, sent, with_extension=asked.extension is not None)


# --- What all of them share ----------------------------------------------------------------------------------------


def _needed(params: Mapping[str, str], name: str) -> str:
    value = given(params, name)
    if value is None:
        raise FieldMissingError(name)
    return value


def _page(params: Mapping[str, str], usual: int) -> tuple[int, int]:
    """Offset and limit; a limit above the most there may be is that most."""
    offset, limit = _count(params, "offset", 0), _count(params, "limit", usual)
    return offset, min(limit, PAGE_MAX)


def _count(params: Mapping[str, str], name: str, usual: int) -> int:
    text = given(params, name)
    if text is None:
        return usual
    if text.isascii() and text.isdigit() and len(text) <= 18 and int(text) <= ID_MAX:
        return int(text)
    raise MalformedError(name, "a whole number from 0 on", "something else")


def _no(code: int, message: str | None = None) -> Answered:
    return _BAD_REQUEST, write_v2_error(code, message)


class V2Desk:
    """Lets a call in and answers it."""

    def __init__(self, book: Book, door: Door, *, extension: bool) -> None:
        self._book = book
        self._door = door
        self._extension = extension

    def serve(self, req: falcon.Request, resp: falcon.Response, answer: Answer, named: Mapping[str, str]) -> None:
        """Answer one request.

        Raises:
            Exception: any member of `troubles`, and whatever the `Book` fails with.
        """
        call: Call = req.env[CALL]
        call.route = req.uri_template or "-"

        def work(till: Till) -> None:
            header = req.env.get(EXTENSION_KEY) if self._extension else None
            ask = None if header is None else read_extension_header(header)
            try:
                status, body = answer(self._book, Asked(till, call.params(), named, ask, call))
            except FieldMissingError as error:
                status, body = _no(FIELD_MISSING, f"A required field is missing: {error.field}")
            resp.status, resp.data, resp.content_type = status_line(status), body, content_type(Format.JSON)

        self._door.let_in(call, req.env.get("HTTP_AUTHORIZATION"), work)


class V2Read:
    """A call that is a GET."""

    def __init__(self, desk: V2Desk, answer: Answer) -> None:
        self._desk = desk
        self._answer = answer

    def on_get(self, req: falcon.Request, resp: falcon.Response, **named: str) -> None:
        """Answer with the parameters of path and query."""
        self._desk.serve(req, resp, self._answer, named)


class V2Write:
    """A call that is a POST with a JSON body."""

    def __init__(self, desk: V2Desk, answer: Answer) -> None:
        self._desk = desk
        self._answer = answer

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with what the body says."""
        self._desk.serve(req, resp, self._answer, {})


def add_v2_routes(app: falcon.App[falcon.Request, falcon.Response], book: Book, door: Door, *, extension: bool) -> None:
    """The addresses of v2. With `extension` the header of sync-api 2 is read."""
    desk = V2Desk(book, door, extension=extension)
    app.add_route("/v2/userGroup2/search", V2Read(desk, search))
    app.add_route("/v2/userGroup2", V2Read(desk, group))
    app.add_route("/v2/userGroup2/members", V2Read(desk, members))
    app.add_route("/v2/customers/points/balance", V2Read(desk, balance_by_entity))
    app.add_route("/v2/customers/{user_id}/points/balance", V2Read(desk, balance))
    app.add_route("/v2/organization/programs", V2Read(desk, programs))
    app.add_route("/v2/points/reverse", V2Write(desk, reverse))
