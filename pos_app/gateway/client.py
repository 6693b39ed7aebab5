"""A ledger reached over HTTP: the documented v1.1 calls, and the extension where the service said that it has it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

from pos_app.domain.answers import CancelAnswer, Capabilities, CheckAnswer, CodeAnswer, RedeemAnswer
from pos_app.domain.commands import Cancel, Redeem, SendCode
from pos_app.domain.facts import CustomerRecord, Organisation, Program
from pos_app.domain.request import CustomerRef, RedemptionRequest
from pos_app.domain.trouble import (
    LineDownError,
    NotTheServiceError,
    ServiceTroubleError,
    SlowDownError,
    Trouble,
    UnclearAnswerError,
    WrongAddressError,
)
from pos_app.gateway.address import Address, authorization
from pos_app.gateway.echoes import is_answer_to
from pos_app.gateway.parcel import Parcel
from pos_app.gateway.patience import Patience
from pos_app.gateway.replies import Reply, trouble_of
from pos_app.services.ports import Clock, Waits
from pos_app.wire.answers import read_check_answer, read_code_answer, read_redeem_answer, read_status
from pos_app.wire.customers import read_customer
from pos_app.wire.extension import HEADER, ExtensionAsk, write_extension_header
from pos_app.wire.formats import UnreadableAnswerError, parse_answer
from pos_app.wire.reading import find_object
from pos_app.wire.requests import write_check, write_customer_get, write_redeem, write_send_code
from pos_app.wire.sync import read_cancel_answer, read_capabilities, read_configs, read_program, write_cancel

if TYPE_CHECKING:
    from pos_app.gateway.transport import Transport

_JSON: Final = {"format": "json"}
_FORM: Final = "application/x-www-form-urlencoded"
_MAY_HOLD_A_NO: Final = frozenset({200, 400})
"""Some clusters send a refusal as 400, with the whole answer in it (contract 1.5). With any other status a redemption
is unclear (reliability 4.2)."""

_ABOUT_THE_TILL: Final = frozenset({401, 403, 408, 429, 503})
"""These speak of the till or the line, never of the customer. A question may be answered under any other status."""

Answer = TypeVar("Answer")


class HttpLedger:
    """Implements `services.ports.Ledger`. Safe to use from any thread. Opens no connection before the first call.

    What the service can do is asked before the first call that depends on it, and again whenever `capabilities` is
    called; the window calls it at the start and whenever the line comes back (sync-api 3).
    """

    def __init__(
        self,
        base_url: str,
        login: str,
        password_digest: str,
        *,
        waits: Waits,
        ca_file: Path | None = None,
        proxy: str | None = None,
        clock: Clock,
        software: str,
    ) -> None:
        """Make a ledger of an address and a till's login; `software` is this program's version.

        Raises:
            NotSafeError: plain HTTP to another machine, a login in the address, or a `ca_file` that cannot be used.
            WrongAddressError: `base_url` is no address of a service.
        """
        address = Address.read(base_url)
        from pos_app.gateway.transport import Transport  # Only here does requests get loaded.

        self._transport: Transport = Transport(
            address, waits=waits, ca_file=ca_file, proxy=proxy, clock=clock, software=software
        )
        self._login = {"Authorization": authorization(login, password_digest)}
        self._patience = Patience(clock)
        self._patient_s = waits.connect_s
        self._probe_s = min(waits.connect_s, waits.read_s)
        self._lock = threading.Lock()
        self._known: Capabilities | None = None
        self._had_extension = False

    # --- The line and the service ------------------------------------------------------------------------------------

    def is_up(self) -> bool:
        """Probe the line, quickly and without a login. Never raises.

        `/healthz` is our ledger's; another service is asked for its configuration (sync-api 3), where even a refused
        login shows that it is there.
        """
        if self._known is None or self._known.has_extension:
            reply = self._probed("/healthz", {})
            if reply is None or (reply.is_ok and _says_ok(reply.body)):
                return reply is not None
            if self._known is not None:
                return False
        reply = self._probed("/v1.1/organization/configs", self._login)
        return reply is not None and reply.has_own_words

    def capabilities(self) -> Capabilities:
        """What the service can do: a JSON 404 in the words of v1.1 means that there is no extension (sync-api 3).

        Raises: LineDownError, NotAcceptedError, NotTheServiceError, NotSafeError, SlowDownError, ServiceTroubleError.
        """
        reply = self._get("capabilities", "/sync/v1/capabilities", {})
        if reply.is_ok:
            found = _read(read_capabilities, reply)
        else:
            trouble = trouble_of(reply, moves=False)
            if not isinstance(trouble, WrongAddressError) or read_status(reply.body) is None:
                raise trouble
            if self._had_extension:
                raise NotTheServiceError("the service had the sync extension before and has none now")
            found = Capabilities()
        with self._lock:
            self._known = found
            self._had_extension = self._had_extension or found.has_extension
        return found

    # --- Questions ---------------------------------------------------------------------------------------------------

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        """Look a customer up; None: nobody has this identifier."""
        till = self._service().till
        reply = self._ask("customer/get", "/v1.1/customer/get", write_customer_get(customer))
        program_id = till.program_id if till is not None else None
        return _read(lambda body: read_customer(body, program_id=program_id), reply)

    def program(self, program_id: int) -> Program | None:
        """A program with its rules; None: unknown there, or the service does not tell."""
        self._service()
        query = {"program_id": str(program_id)}
        return self._told("program/criteria", "/v1.1/program/criteria", query, read_program)

    def organisation(self) -> Organisation | None:
        """The organisation's switches; None: the service does not tell."""
        self._service()
        return self._told("organization/configs", "/v1.1/organization/configs", {}, read_configs)

    def check(self, request: RedemptionRequest) -> CheckAnswer:
        """Ask `isredeemable`, once."""
        params = write_check(request)
        return _read(read_check_answer, self._ask("isredeemable", "/v1.1/points/isredeemable", params))

    def send_code(self, command: SendCode) -> CodeAnswer:
        """Ask `validationcode`, once."""
        params = write_send_code(command)
        return _read(read_code_answer, self._ask("validationcode", "/v1.1/points/validationcode", params))

    # --- What moves points -------------------------------------------------------------------------------------------

    def redeem(self, command: Redeem) -> RedeemAnswer:
        """Redeem under the command's key. One attempt.

        Raises:
            LineDownError: nothing can have been sent.
            UnclearAnswerError: anything else that is no sure answer, a wrong echo of the key among it.
            NotAcceptedError, NotUnderstoodError, WrongAddressError, SlowDownError, NotSafeError: surely nothing was
                done.
        """
        service = self._service_to_move()
        query, body, content_type = write_redeem(command)
        headers = {"Content-Type": content_type, **self._extension(service, command.cashier)}
        reply = self._move("redeem", "/v1.1/points/redeem", {**query, **_JSON}, body, headers)
        if reply.status not in _MAY_HOLD_A_NO:
            raise trouble_of(reply, moves=True)
        try:
            answer = read_redeem_answer(reply.body)
        except UnreadableAnswerError:
            raise trouble_of(reply, moves=True) from None
        if (answer.refusal is None and not reply.is_ok) or not is_answer_to(
            command, answer, must_echo=service.has_extension
        ):
            raise UnclearAnswerError("the answer is to another request")
        return answer

    def cancel(self, command: Cancel) -> CancelAnswer | None:
        """Say that the redemption under this key must not happen. None: the service has no such call.

        Raises: as `redeem`.
        """
        service = self._service_to_move()
        if "cancel" not in service.features:
            return None
        headers = {"Content-Type": "application/json"}
        reply = self._move("cancel", "/sync/v1/cancel", {}, write_cancel(command), headers)
        if not reply.is_ok:
            raise trouble_of(reply, moves=True)
        try:
            answer = read_cancel_answer(reply.body)
        except UnreadableAnswerError:
            raise UnclearAnswerError("the answer cannot be read") from None
        if answer.key != command.key:
            raise UnclearAnswerError("the answer is to another request")
        return answer

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    # --- Small helpers -----------------------------------------------------------------------------------------------

    def _service(self) -> Capabilities:
        with self._lock:
            known = self._known
        return known if known is not None else self.capabilities()

    def _service_to_move(self) -> Capabilities:
        """What the service can do, before something moves: where it cannot be asked nothing was sent."""
        try:
            return self._service()
        except (NotTheServiceError, ServiceTroubleError):
            raise LineDownError("the service could not be asked what it can do") from None

    def _extension(self, service: Capabilities, cashier: int | None = None) -> dict[str, str]:
        return {HEADER: write_extension_header(ExtensionAsk(cashier=cashier))} if service.has_extension else {}

    def _ask(self, name: str, path: str, params: Mapping[str, str]) -> Reply:
        """Ask a question that names a customer: by POST where the service takes it, so that no address holds her."""
        service = self._service()
        headers = self._extension(service)
        if "post_reads" not in service.features:
            return self._answered(self._get(name, path, {**params, **_JSON}, headers))
        parcel = Parcel(
            name=name,
            method="POST",
            path=path,
            query=_JSON,
            body=urlencode(params).encode("ascii"),
            headers={**self._login, **headers, "Content-Type": _FORM},
        )
        return self._answered(self._carry(parcel))

    def _told(
        self, name: str, path: str, query: Mapping[str, str], read: Callable[[bytes], Answer | None]
    ) -> Answer | None:
        """Ask something that not every service tells; None where it has no such call."""
        try:
            return _read(read, self._answered(self._get(name, path, {**query, **_JSON})))
        except WrongAddressError:
            return None

    def _answered(self, reply: Reply) -> Reply:
        """The reply, where it can hold an answer to a question.

        Raises: Trouble, for every other one; what the service can do is asked anew when it lacks the call.
        """
        if reply.is_ok or (reply.status not in _ABOUT_THE_TILL and _has_item(reply.body)):
            return reply
        if reply.status in {404, 405}:
            with self._lock:
                self._known = None
        raise trouble_of(reply, moves=False)

    def _get(self, name: str, path: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Reply:
        parcel = Parcel(name=name, method="GET", path=path, query=query, headers={**self._login, **(headers or {})})
        return self._carry(parcel)

    def _move(self, name: str, path: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]) -> Reply:
        parcel = Parcel(
            name=name,
            method="POST",
            path=path,
            query=query,
            body=body,
            headers={**self._login, **headers},
            moves=True,
        )
        return self._carry(parcel)

    def _carry(self, parcel: Parcel) -> Reply:
        """Send a parcel once, unless the service wants to be left alone for longer than a caller waits to send.

        Raises: as `Transport.carry`, and SlowDownError: nothing was sent.
        """
        self._patience.wait(self._patient_s)
        reply = self._transport.carry(parcel)
        if not reply.is_ok:
            trouble = trouble_of(reply, moves=parcel.moves)
            if isinstance(trouble, SlowDownError):
                self._patience.asked_for(trouble.retry_after_s)
        return reply

    def _probed(self, path: str, headers: Mapping[str, str]) -> Reply | None:
        try:
            return self._transport.carry(
                Parcel(name="probe", method="GET", path=path, headers=headers, read_s=self._probe_s)
            )
        except Trouble:
            return None


def _read(read: Callable[[bytes], Answer], reply: Reply) -> Answer:
    """Read the answer to a question.

    Raises:
        NotTheServiceError: nothing that the service writes.
        ServiceTroubleError: the service wrote it, but it is no answer.
    """
    try:
        return read(reply.body)
    except UnreadableAnswerError:
        raise trouble_of(reply, moves=False) from None


def _has_item(body: bytes) -> bool:
    """Say whether a body holds the answer about one item, whatever its HTTP status (contract 1.5)."""
    try:
        return find_object(parse_answer(body), "item_status") is not None
    except UnreadableAnswerError:
        return False


def _says_ok(body: bytes) -> bool:
    """Say whether a body is what our ledger answers to a probe (sync-api 12)."""
    try:
        return parse_answer(body).get("status") == "ok"
    except UnreadableAnswerError:
        return False
