"""A ledger reached over HTTP: the documented v1.1 calls, and the extension where the service said that it has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlencode

from pos_app.domain.answers import CancelAnswer, Capabilities, CheckAnswer, CodeAnswer, RedeemAnswer, ReverseAnswer
from pos_app.domain.commands import Cancel, Redeem, Reverse, SendCode
from pos_app.domain.facts import CustomerRecord, Organisation, Program
from pos_app.domain.request import CustomerRef, RedemptionRequest
from pos_app.domain.trouble import (
    ExtensionLostError,
    LineDownError,
    NotTheServiceError,
    NotUnderstoodError,
    ServiceTroubleError,
    Trouble,
    UnclearAnswerError,
    WrongAddressError,
)
from pos_app.gateway.caller import Caller
from pos_app.gateway.carrier import Carrier
from pos_app.gateway.echoes import is_answer_to, is_reversal_of
from pos_app.gateway.known import KnownService
from pos_app.gateway.replies import Reply, trouble_of
from pos_app.gateway.sync_client import HttpSyncLedger
from pos_app.services.ports import Clock, Waits
from pos_app.wire.answers import read_check_answer, read_code_answer, read_redeem_answer, read_status
from pos_app.wire.customers import read_customer
from pos_app.wire.extension import GIVE_BACK_MAX, HEADER, ExtensionAsk, write_extension_header
from pos_app.wire.formats import UnreadableAnswerError, parse_answer
from pos_app.wire.reading import find_object
from pos_app.wire.requests import write_check, write_customer_get, write_redeem, write_send_code
from pos_app.wire.reversals import UnknownRefusalError, read_reverse_answer, write_reverse
from pos_app.wire.sync import read_cancel_answer, read_capabilities, read_configs, read_program, write_cancel

_JSON: Final = {"format": "json"}
_PLAIN: Final = ExtensionAsk()
_FORM: Final = "application/x-www-form-urlencoded"
_MAY_HOLD_A_NO: Final = frozenset({200, 400})
"""Some clusters send a refusal as 400, with the whole answer in it (contract 1.5). With any other status a redemption
is unclear (reliability 4.2)."""

_ABOUT_THE_TILL: Final = frozenset({401, 403, 408, 429, 503})
"""These speak of the till or the line, never of the customer. A question may be answered under any other status."""

Answer = TypeVar("Answer")


class HttpLedger:
    """Implements `services.ports.Ledger`; `sync` has the extension's calls. Safe to use from any thread.

    Opens no connection before the first call.

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
        carrier: Carrier | None = None,
        service: KnownService | None = None,
    ) -> None:
        """Make a ledger of an address and a till's login; `software` is this program's version.

        `carrier` brings the parcels to it; HTTP where none is given. `service` is what is known of it already.

        Raises:
            NotSafeError: plain HTTP to another machine, a login in the address, or a `ca_file` that cannot be used.
            WrongAddressError: `base_url` is no address of a service.
        """
        self.caller: Final = Caller(
            base_url,
            login,
            password_digest,
            waits=waits,
            ca_file=ca_file,
            proxy=proxy,
            clock=clock,
            software=software,
            carrier=carrier,
        )
        self.service: Final = KnownService() if service is None else service
        self.sync: Final = HttpSyncLedger(self.caller, self.service)
        self._cashier: Callable[[], int | None] = lambda: None

    def names_cashier(self, cashier: Callable[[], int | None]) -> None:
        """Whose number goes with questions, for the ledger's audit and caps (sync-api 2); commands name their own."""
        self._cashier = cashier

    # --- The line and the service ------------------------------------------------------------------------------------

    def is_up(self) -> bool:
        """Probe the line, quickly and without a login. Never raises.

        `/healthz` is our ledger's; another service is asked for its configuration (sync-api 3), where even a refused
        login shows that it is there.
        """
        if self.service.is_lost:
            return self._has_extension_again()
        known = self.service.capabilities
        if known is None or known.has_extension:
            reply = self.caller.probe("/healthz")
            if reply is None or (reply.is_ok and _says_ok(reply.body)):
                return reply is not None
            if known is not None:
                return False
        reply = self.caller.probe("/v1.1/organization/configs", with_login=True)
        return reply is not None and reply.has_own_words

    def capabilities(self) -> Capabilities:
        """What the service can do: a JSON 404 in the words of v1.1 means that there is no extension (sync-api 3).

        Raises: LineDownError, NotAcceptedError, NotTheServiceError, NotSafeError, SlowDownError, ServiceTroubleError;
            ExtensionLostError, a NotTheServiceError: the service had the extension before.
        """
        reply = self.caller.get("capabilities", "/sync/v1/capabilities")
        if reply.is_ok:
            found = _read(read_capabilities, reply)
        else:
            trouble = trouble_of(reply, moves=False)
            if not isinstance(trouble, WrongAddressError) or read_status(reply.body) is None:
                raise trouble
            if self.service.had_extension:
                self.service.lose_extension()
                raise ExtensionLostError("the service had the sync extension before and has none now")
            found = Capabilities()
        self.service.told(found)
        return found

    def _has_extension_again(self) -> bool:
        """A service that lost its extension is as good as gone until it has it again (sync-api 3)."""
        try:
            return self.capabilities().has_extension
        except Trouble:
            return False

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
        asked = ExtensionAsk(cashier=self._cashier(), give_back=request.give_back[:GIVE_BACK_MAX])
        reply = self._ask("isredeemable", "/v1.1/points/isredeemable", write_check(request), asked)
        return _read(read_check_answer, reply)

    def send_code(self, command: SendCode) -> CodeAnswer:
        """Ask `validationcode`, once."""
        asked = ExtensionAsk(cashier=self._cashier())
        reply = self._ask("validationcode", "/v1.1/points/validationcode", write_send_code(command), asked)
        return _read(read_code_answer, reply)

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
        asked = ExtensionAsk(
            cashier=command.cashier, approval=command.approval, give_back=command.request.give_back[:GIVE_BACK_MAX]
        )
        headers = {"Content-Type": content_type, **_extension(service, asked)}
        reply = self.caller.post(
            "redeem", "/v1.1/points/redeem", body, query={**query, **_JSON}, headers=headers, moves=True
        )
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
        reply = self.caller.post("cancel", "/sync/v1/cancel", write_cancel(command), moves=True)
        if not reply.is_ok:
            raise trouble_of(reply, moves=True)
        try:
            answer = read_cancel_answer(reply.body)
        except UnreadableAnswerError:
            raise UnclearAnswerError("the answer cannot be read") from None
        if answer.key != command.key:
            raise UnclearAnswerError("the answer is to another request")
        return answer

    def reverse(self, command: Reverse) -> ReverseAnswer:
        """Give points of a redemption back (contract 7). One attempt; only our ledger takes it twice under its key.

        Raises: as `redeem`.
        """
        service = self._service_to_move()
        body = write_reverse(command)
        asked = ExtensionAsk(cashier=command.cashier, key=command.key, approval=command.approval)
        reply = self.caller.post("reverse", "/v2/points/reverse", body, headers=_extension(service, asked), moves=True)
        if reply.status not in _MAY_HOLD_A_NO:
            raise trouble_of(reply, moves=True)
        try:
            answer = read_reverse_answer(reply.body, command)
        except UnknownRefusalError:
            raise NotUnderstoodError("the service refused the reversal for a reason of its own") from None
        except UnreadableAnswerError:
            raise trouble_of(reply, moves=True) from None
        if (answer.refusal is None and not reply.is_ok) or not is_reversal_of(
            command, answer, must_echo=service.has_extension
        ):
            raise UnclearAnswerError("the answer is to another request")
        return answer

    def close(self) -> None:
        """Close idle connections."""
        self.caller.close()

    # --- Small helpers -----------------------------------------------------------------------------------------------

    def _service(self) -> Capabilities:
        known = self.service.capabilities
        return known if known is not None else self.capabilities()

    def _service_to_move(self) -> Capabilities:
        """What the service can do, before something moves: where it cannot be asked nothing was sent."""
        try:
            return self._service()
        except (NotTheServiceError, ServiceTroubleError):
            raise LineDownError("the service could not be asked what it can do") from None

    def _ask(self, name: str, path: str, params: Mapping[str, str], asked: ExtensionAsk = _PLAIN) -> Reply:
        """Ask a question that names a customer: by POST where the service takes it, so that no address holds her."""
        service = self._service()
        headers = _extension(service, asked)
        if "post_reads" not in service.features:
            return self._answered(self.caller.get(name, path, {**params, **_JSON}, headers))
        form = urlencode(params).encode("ascii")
        headers = {**headers, "Content-Type": _FORM}
        return self._answered(self.caller.post(name, path, form, query=_JSON, headers=headers, moves=False))

    def _told(
        self, name: str, path: str, query: Mapping[str, str], read: Callable[[bytes], Answer | None]
    ) -> Answer | None:
        """Ask something that not every service tells; None where it has no such call."""
        try:
            return _read(read, self._answered(self.caller.get(name, path, {**query, **_JSON})))
        except WrongAddressError:
            return None

    def _answered(self, reply: Reply) -> Reply:
        """The reply, where it can hold an answer to a question.

        Raises: Trouble, for every other one; what the service can do is asked anew when it lacks the call.
        """
        if reply.is_ok or (reply.status not in _ABOUT_THE_TILL and _has_item(reply.body)):
            return reply
        if reply.status in {404, 405}:
            self.service.forget()
        raise trouble_of(reply, moves=False)


def _extension(service: Capabilities, asked: ExtensionAsk) -> dict[str, str]:
    """The header for a service that knows it; others never see it (sync-api 2)."""
    return {HEADER: write_extension_header(asked)} if service.has_extension else {}


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
