"""The face over a real ledger: every address, login, format and status of the contract, field for field."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import update
from support.ledger_server import EMAIL, EXTERNAL_ID, LOGIN, MOBILE, PASSWORD, a_small_ledger, a_till, basic, digest
from support.wsgi import Reply, wsgi_call

from pos_app.domain.keys import is_key
from pos_app.files.clock import SystemClock
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.databases.database import raise_rules_version
from pos_app.ledger.http.app import make_app
from pos_app.ledger.loading.importer import import_file
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.sending.senders import SMS_FIRST, SenderFailedError
from pos_app.ledger.sending.spool import SpoolSender
from pos_app.ledger.store import open_book
from pos_app.wire.extension import HEADER, ExtensionAsk, write_extension_header

CHECK = "/v1.1/points/isredeemable"
CODE = "/v1.1/points/validationcode"
REDEEM = "/v1.1/points/redeem"
KEY = "6Q2P0V8RJX4M1TZC9WD3HKYB5E"
FORM = "application/x-www-form-urlencoded"
SEED = "mobile=9777785205&program_id=973&format=json&points=10&issue_otp=null&validation_code=true"
"""The documented sample request, with made-up people."""

READS = (CHECK, CODE, "/v1.1/customer/get", "/v1.1/organization/configs", "/v1.1/program/criteria")

MALFORMED = "Input is invalid, Please check request parameters or input xml/json"
NOT_AUTHENTICATED = "Please check your username/password or authentication token"


class BrokenSender:
    """A gateway that is down."""

    channels = SMS_FIRST

    def send(self, message: object) -> str:
        """Fail."""
        raise SenderFailedError("down")


class Face:
    """The application over one ledger, called as one till."""

    def __init__(self, book: Book, **options: Any) -> None:
        self.book = book
        self.app = make_app(book, **options)

    def ask(
        self,
        path: str,
        query: str = "",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        authorization: str | None = basic(),
    ) -> Reply:
        """Send one request with the till's login."""
        sent = dict(headers or {})
        if authorization is not None:
            sent["Authorization"] = authorization
        return wsgi_call(self.app, method, path, query, headers=sent, body=body)

    def post(self, path: str, body: object, query: str = "", **headers: str) -> Reply:
        """Post JSON."""
        sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(path, query, method="POST", headers=sent, body=json.dumps(body).encode())


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Any]:
    opened: list[Book] = []

    def make(sender: Any = None, lines: list[dict[str, Any]] | None = None) -> Book:
        book = open_book(
            f"sqlite:///{tmp_path / 'ledger.db'}",
            secrets=LedgerSecrets.open(tmp_path / "secrets"),
            clock=SystemClock(),
            sender=sender or SpoolSender(tmp_path / "spool"),
        )
        opened.append(book)
        encoded = [json.dumps(line).encode() for line in (a_small_ledger() if lines is None else lines)]
        import_file(book, encoded, file_name="test data", keep_good=False, progress=None)
        return book

    yield make
    for book in opened:
        book.close()


@pytest.fixture
def face(books: Any) -> Face:
    return Face(books())


def exact(tree: object) -> str:
    """JSON text in which 10, 10.0, "10" and true stay different."""
    return json.dumps(tree, sort_keys=True, indent=1)


def redeemable(reply: Reply) -> Any:
    return reply.json["response"]["points"]["redeemable"]


# --- isredeemable: the documented envelope -------------------------------------------------------------------------


def test_the_documented_request_gets_the_documented_answer_field_for_field(face: Face) -> None:
    reply = face.ask(CHECK, SEED)
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("application/json")
    assert exact(reply.json) == exact(
        {
            "response": {
                "status": {"success": "true", "code": 200, "message": "Success"},
                "points": {
                    "redeemable": {
                        "mobile": "919777785205",
                        "email": "tom.sawyer@example.org",
                        "external_id": "434547",
                        "points": 10,
                        "is_redeemable": "true",
                        "points_redeem_value": 10,
                        "points_redeem_local_value": 10,
                        "input_type": "points",
                        "points_currency_ratio": "1",
                        "item_status": {"success": "true", "code": 800, "message": "Points can be redeemed"},
                    }
                },
            }
        }
    )


def test_the_same_answer_in_xml(face: Face) -> None:
    reply = face.ask(CHECK, SEED.replace("format=json", "format=xml%20"))
    assert reply.status == 200
    assert "xml" in reply.headers["content-type"]
    expected = """<?xml version="1.0" encoding="UTF-8"?>
        <response>
          <status><success>true</success><code>200</code><message>Success</message></status>
          <points><redeemable>
            <mobile>919777785205</mobile><email>tom.sawyer@example.org</email><external_id>434547</external_id>
            <points>10</points><is_redeemable>true</is_redeemable>
            <points_redeem_value>10</points_redeem_value><points_redeem_local_value>10</points_redeem_local_value>
            <input_type>points</input_type><points_currency_ratio>1</points_currency_ratio>
            <item_status><success>true</success><code>800</code><message>Points can be redeemed</message></item_status>
          </redeemable></points>
        </response>"""
    canonical = ElementTree.canonicalize(reply.body.decode("utf-8"), strip_text=True)
    assert canonical == ElementTree.canonicalize(expected, strip_text=True)


def test_a_refusal_is_http_200_and_carries_its_reason(face: Face) -> None:
    reply = face.ask(CHECK, SEED.replace("points=10", "points=125"))
    assert reply.status == 200
    assert exact(reply.json) == exact(
        {
            "response": {
                "status": {
                    "success": "false",
                    "code": 500,
                    "message": "All requests have failed due to errors",
                },
                "points": {
                    "redeemable": {
                        "mobile": "919777785205",
                        "email": "tom.sawyer@example.org",
                        "external_id": "434547",
                        "points": 125,
                        "is_redeemable": "false",
                        "points_redeem_value": 0,
                        "points_redeem_local_value": 0,
                        "input_type": "points",
                        "points_currency_ratio": "1",
                        "item_status": {
                            "success": "false",
                            "code": 807,
                            "message": "Points must be a multiple of 10",
                        },
                    }
                },
            }
        }
    )


def test_a_number_nobody_has_is_889(face: Face) -> None:
    reply = face.ask(CHECK, "mobile=9000000001&program_id=973&points=10")
    item = redeemable(reply)
    assert reply.status == 200
    assert (item["item_status"]["code"], item["is_redeemable"]) == (889, "false")
    assert item["item_status"]["message"].startswith("Points processing failed, Please try again later")


def test_a_code_that_cannot_be_sent_is_876_and_still_redeemable(books: Any) -> None:
    reply = Face(books(BrokenSender())).ask(CHECK, SEED.replace("issue_otp=null", "issue_otp=true"))
    item = redeemable(reply)
    assert reply.status == 200
    assert reply.json["response"]["status"] == {"success": "true", "code": 200, "message": "Success"}
    assert item["is_redeemable"] == "true"
    assert item["item_status"] == {
        "success": "true",
        "code": 876,
        "message": "Points Redeemable but OTP Generation failed",
    }


@pytest.mark.parametrize("path", ["/v1.1/points/Isredeemable", "/V1.1/POINTS/ISREDEEMABLE"])
def test_the_case_of_the_path_does_not_matter(face: Face, path: str) -> None:
    assert redeemable(face.ask(path, SEED))["item_status"]["code"] == 800


def test_unknown_and_empty_parameters_are_ignored_and_the_last_of_a_name_wins(face: Face) -> None:
    reply = face.ask(CHECK, f"points=7&&<query&colour=red&mobile=&{SEED}&card_number=null&points=20")
    assert redeemable(reply)["points"] == 20


def test_a_bare_plus_before_a_number_is_a_space_and_trimmed(face: Face) -> None:
    assert redeemable(face.ask(CHECK, "mobile=+919777785205&points=10"))["item_status"]["code"] == 800
    assert redeemable(face.ask(CHECK, "mobile=%2B919777785205&points=10"))["item_status"]["code"] == 800


def test_a_get_may_carry_any_content_type_and_even_a_body(face: Face) -> None:
    reply = face.ask(CHECK, SEED, headers={"Content-Type": "text/xml"}, body=b"<nothing/>")
    assert redeemable(reply)["item_status"]["code"] == 800


# --- Formats -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "accept", "is_xml"),
    [
        ("", None, False),
        ("", "*/*", False),
        ("", "application/xml", True),
        ("format=json", "application/xml", False),
        ("format=XML", "application/json", True),
    ],
)
def test_format_beats_accept_and_json_is_the_default(face: Face, query: str, accept: str | None, is_xml: bool) -> None:
    headers = {} if accept is None else {"Accept": accept}
    for authorization in (basic(), None):
        reply = face.ask("/v1.1/organization/configs", query, headers=headers, authorization=authorization)
        assert reply.body.lstrip().startswith(b"<") == is_xml
        assert ("xml" in reply.headers["content-type"]) == is_xml


def test_an_unknown_format_is_malformed_and_said_in_json(face: Face) -> None:
    reply = face.ask(CHECK, SEED.replace("format=json", "format=yaml"), headers={"Accept": "application/xml"})
    assert (reply.status, reply.json) == (400, a_status(400, MALFORMED))


def a_status(code: int, message: str) -> dict[str, Any]:
    return {"response": {"status": {"success": "false", "code": code, "message": message}}}


# --- Who asks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        basic(password="wrong"),
        basic(login="till.of.nobody"),
        "Basic !!",
        "Bearer abc",
        # The plain password instead of its digest.
        "Basic dGlsbC4wMTQuMzpzM2NyZXQ=",
    ],
)
@pytest.mark.parametrize("path", READS)
def test_a_wrong_login_is_challenged(face: Face, path: str, authorization: str | None) -> None:
    reply = face.ask(path, SEED, authorization=authorization)
    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith('Basic realm="')
    assert exact(reply.json) == exact(a_status(401, NOT_AUTHENTICATED))


def test_a_wrong_login_is_told_in_xml_to_those_who_asked_for_it(face: Face) -> None:
    reply = face.ask(CHECK, "format=xml", authorization=None)
    assert reply.status == 401
    assert ElementTree.fromstring(reply.body).findtext("status/code") == "401"


def test_who_asks_comes_before_what_is_asked(face: Face) -> None:
    assert face.ask(CHECK, "points=abc", authorization=None).status == 401
    assert face.post("/sync/v1/cancel", {}, Authorization="Basic !!").status in {400, 401}
    assert face.ask("/sync/v1/cancel", method="POST", body=b"{", authorization=None).status == 401


def change_till(book: Book, **values: object) -> None:
    """As another process over the same database would."""
    with book.store.write() as connection:
        connection.execute(update(schema.till).values(**values))
        raise_rules_version(connection)


@pytest.mark.parametrize(
    ("change", "status", "told"), [({"state": "DISABLED"}, 403, 200), ({"proof": "0" * 64}, 401, 401)]
)
def test_a_till_put_out_by_another_process_gets_no_further_answer(
    books: Any, change: dict[str, object], status: int, told: int
) -> None:
    face, elsewhere = Face(books()), books(lines=[])
    assert face.ask(CHECK, SEED).status == 200
    change_till(elsewhere, **change)
    item = {"points_redeemed": 10, "customer": {"mobile": MOBILE}}
    assert face.post(REDEEM, {"root": {"redeem": [item]}}).status == status
    assert face.ask(CHECK, SEED).status == status
    assert face.ask("/sync/v1/capabilities").status == told  # What became of it, it may know.


def test_a_till_changed_by_another_process_is_answered_as_what_it_is_now(books: Any) -> None:
    face, elsewhere = Face(books()), books(lines=[])
    assert face.ask("/sync/v1/capabilities").json["till"]["name"] != "By the door"
    change_till(elsewhere, name="By the door")
    assert face.ask("/sync/v1/capabilities").json["till"]["name"] == "By the door"


def test_sync_says_a_wrong_login_in_its_own_words(face: Face) -> None:
    reply = face.ask("/sync/v1/capabilities", authorization=basic(password="wrong"))
    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith('Basic realm="')
    error = reply.json["errors"][0]
    assert (error["status"], error["code"], error["reason"]) == (False, 401, "not_authenticated")


# --- Malformed, unknown, wrong method, too large, too many ---------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "points=10",
        "mobile=9777785205&email=a@example.org&points=10",
        "mobile=9777785205&points=10&issue_otp=perhaps",
        "mobile=9777785205&points=10&validation_type=PIGEON",
        "mobile=%ff&points=10",
        "mobile=%zz&points=10",
        "mobile=\u00ff&points=10",
        "external_id=a%00b&points=10",
        "mobile=9777785205&points=10&group_redemption=true&user_group2_id=1",
    ],
)
def test_what_cannot_be_understood_is_malformed(face: Face, query: str) -> None:
    reply = face.ask(CHECK, query)
    assert (reply.status, exact(reply.json)) == (400, exact(a_status(400, MALFORMED)))


def test_malformed_in_xml(face: Face) -> None:
    reply = face.ask(CHECK, "format=xml&points=10")
    assert reply.status == 400
    status = ElementTree.fromstring(reply.body).find("status")
    assert status is not None
    assert [each.text for each in status] == ["false", "400", MALFORMED]


@pytest.mark.parametrize(
    "path",
    ["/", "/v1.1", CHECK + ".json", CHECK + "/", "/v1.0/points/redeem", "/v1.1/\u00e2\u0082\u00ac", "/\u00ff"],
)
def test_an_unknown_address_is_404_with_the_status_block(face: Face, path: str) -> None:
    reply = face.ask(path)
    assert reply.status == 404
    assert reply.json["response"]["status"]["code"] == 404


def test_an_unknown_address_of_sync_is_unknown(face: Face) -> None:
    reply = face.ask("/sync/v1/nothing")
    assert (reply.status, reply.json["errors"][0]["reason"]) == (404, "unknown")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", REDEEM, "POST"),
        ("PUT", REDEEM, "POST"),
        ("OPTIONS", REDEEM, "POST"),
        ("DELETE", CHECK, "GET, POST"),
        ("OPTIONS", CHECK, "GET, POST"),
        ("POST", "/v1.1/organization/configs", "GET"),
        ("POST", "/v1.1/program/criteria", "GET"),
        ("POST", "/healthz", "GET"),
        ("GET", "/sync/v1/cancel", "POST"),
    ],
)
def test_a_wrong_method_is_405_and_says_the_right_ones(face: Face, method: str, path: str, allowed: str) -> None:
    reply = face.ask(path, method=method)
    assert reply.status == 405
    assert reply.headers["allow"] == allowed
    told = reply.json["errors"][0] if path.startswith("/sync/") else reply.json["response"]["status"]
    assert told["code"] == 405


def test_a_head_request_gets_no_body(face: Face) -> None:
    reply = face.ask(CHECK, SEED, method="HEAD")
    assert (reply.status, reply.body) == (405, b"")


@pytest.mark.parametrize(("path", "shape"), [(REDEEM, "response"), ("/sync/v1/cancel", "errors")])
def test_a_body_beyond_one_mebibyte_is_too_large(face: Face, path: str, shape: str) -> None:
    reply = face.ask(path, method="POST", body=b" " * (1024 * 1024 + 1))
    assert reply.status == 413
    assert shape in reply.json


def test_an_absurd_query_or_header_is_too_large(face: Face) -> None:
    assert face.ask(CHECK, "points=" + "1" * 20_000).status == 413
    assert face.ask(CHECK, SEED, headers={"X-Pos-Extension": "A" * 40_000}).status == 413


def test_a_till_that_runs_wild_is_told_to_wait(books: Any) -> None:
    face = Face(books(), rate_per_minute=2)
    assert [face.ask(CHECK, SEED).status for _ in range(3)] == [200, 200, 429]
    reply = face.ask("/sync/v1/capabilities")
    assert (reply.status, reply.json["errors"][0]["reason"]) == (429, "too_many")
    assert int(reply.headers["retry-after"]) >= 1
    assert face.ask("/healthz", authorization=None).status == 200


def test_every_answer_names_its_request(face: Face) -> None:
    replies = [
        face.ask(CHECK, SEED),
        face.ask(CHECK, "points=1"),
        face.ask(CHECK, authorization=None),
        face.ask("/nowhere"),
        face.ask(CHECK, method="PATCH"),
        face.ask(CHECK, "a" * 20_000),
        face.ask("/healthz"),
        face.ask("/readyz"),
        face.ask("/sync/v1/capabilities"),
    ]
    ids = {each.headers["x-cap-requestid"] for each in replies}
    assert len(ids) == len(replies)
    assert all(is_key(each) for each in ids)


# --- The other calls -----------------------------------------------------------------------------------------------


def test_a_code_is_sent_and_then_redeems_once(face: Face, tmp_path: Path) -> None:
    sent = face.ask(CODE, "mobile=9777785205&points=120")
    assert exact(sent.json) == exact(
        {
            "response": {
                "status": {"success": "true", "code": 200, "message": "Operation Successful"},
                "validation_code": {
                    "code": {
                        "mobile": MOBILE,
                        "email": EMAIL,
                        "external_id": EXTERNAL_ID,
                        "points": 120,
                        "item_status": {
                            "success": "true",
                            "code": 200,
                            "message": "Validation Code Issued by SMS",
                        },
                    }
                },
            }
        }
    )
    (message,) = [json.loads(each.read_text()) for each in (tmp_path / "spool").glob("*.json")]
    assert message["code"] not in sent.body.decode()
    item = {
        "points_redeemed": "120",
        "customer": {"mobile": "9777785205", "email": ""},
        "transaction_number": "B-77",
        "external_reference_number": KEY,
        "validation_code": message["code"],
    }
    first = face.post(REDEEM, {"root": {"redeem": [item]}}, "program_id=973&format=json")
    points = first.json["response"]["responses"]["points"]
    assert first.status == 200
    assert first.json["response"]["status"] == {"success": "true", "code": 200, "message": "Success"}
    redemption_id = points["redemption_id"]
    assert isinstance(redemption_id, str)
    assert redemption_id
    effect = points["side_effects"]["effect"][0]
    number = effect["id"]
    assert type(number) is int
    assert exact(points) == exact(
        {
            "mobile": MOBILE,
            "email": EMAIL,
            "external_id": EXTERNAL_ID,
            "user_id": "50001",
            "redemption_id": redemption_id,
            "points_redeemed": "120",
            "redemption_purpose": "",
            "redeemed_value": 120,
            "redeemed_local_value": 120,
            "balance": 380,
            "side_effects": {
                "effect": [
                    {
                        "id": number,
                        "case_value": "false",
                        "num_points": 120,
                        "currency_value": 120,
                        "validation_code": "",
                        "points_redemption_summary_id": str(number),
                        "redeemed_on_bill_number": "B-77",
                        "redeemed_on_bill_id": -1,
                        "type": "points",
                    }
                ]
            },
            "item_status": {"success": "true", "code": 800, "message": "Points Redeemed"},
        }
    )
    again = face.post(REDEEM, {"root": {"redeem": [item]}}, "program_id=973&format=json")
    assert again.body == first.body


class WatchingSender:
    """Sees whether others could compute while a code was on its way."""

    face: Face
    channels = SMS_FIRST

    def __init__(self) -> None:
        self.was_turn_held: list[bool] = []

    def send(self, _message: object) -> str:
        """Look."""
        self.was_turn_held.append(self.face.app.turn.is_held)
        return "SMS"


def test_a_code_on_its_way_holds_nobody_up(books: Any) -> None:
    sender = WatchingSender()
    sender.face = Face(books(sender))
    assert sender.face.ask(CODE, "mobile=9777785205&points=10").status == 200
    assert sender.face.ask(CHECK, "mobile=9777785205&points=10&issue_otp=true").status == 200
    assert sender.face.ask(CHECK, "mobile=9777785205&points=10&issue_otp=%201%20").status == 200
    form = {"Content-Type": FORM}
    asked = sender.face.ask(CHECK, method="POST", headers=form, body=b"mobile=9777785205&points=10&issue_otp=TRUE")
    assert asked.status == 200
    assert sender.was_turn_held == [False] * 4
    assert not sender.face.app.turn.is_held


def test_a_redemption_may_be_asked_in_xml_of_another_alphabet(face: Face) -> None:
    body = (
        '<?xml version="1.0" encoding="ISO-8859-1"?><root><redeem><points_redeemed>10</points_redeemed>'
        "<customer><mobile>9777785205</mobile></customer><notes>caf\u00e9</notes></redeem></root>"
    ).encode("iso-8859-1")
    reply = face.ask(REDEEM, "format=json", method="POST", headers={"Content-Type": "text/xml"}, body=body)
    assert reply.json["response"]["responses"]["points"]["item_status"]["code"] == 800


def test_a_customer_is_found(face: Face) -> None:
    reply = face.ask("/v1.1/customer/get", "mobile=9777785205&format=json&user_id=true&mlp=true&points_summary=true")
    (customer,) = reply.json["response"]["customers"]["customer"]
    assert reply.status == 200
    assert (customer["firstname"], customer["user_id"], customer["item_status"]["code"]) == ("Tom", "50001", "1000")


def test_nobody_is_found(face: Face) -> None:
    reply = face.ask("/v1.1/customer/get", "mobile=9000000001")
    assert reply.status == 200
    assert reply.json["response"]["status"]["success"] == "false"
    assert reply.json["response"]["customers"]["customer"][0]["item_status"]["code"] == "1012"


def test_the_rules_of_a_program_are_told(face: Face) -> None:
    program = face.ask("/v1.1/program/criteria", "program_id=973").json["response"]["program"]
    assert (program["program_id"], program["criteria"]["multiple_of"]) == ("973", "10")
    assert program["item_status"]["code"] == 800


def test_without_a_program_the_tills_own_is_meant(face: Face, books: Any) -> None:
    assert face.ask("/v1.1/program/criteria").status == 400
    own = Face(books(lines=[a_till(program_id=973)]))
    assert own.ask("/v1.1/program/criteria").json["response"]["program"]["program_id"] == "973"


@pytest.mark.parametrize("asked", ["974", "abc", "9" * 30, "-1"])
def test_an_unknown_program_is_1101(face: Face, asked: str) -> None:
    reply = face.ask("/v1.1/program/criteria", f"program_id={asked}")
    assert reply.status == 200
    assert reply.json["response"]["program"]["item_status"]["code"] == 1101


def test_the_organisation_tells_its_settings(face: Face) -> None:
    configs = face.ask("/v1.1/organization/configs").json["response"]["organization"]["configs"]["config"]
    told = {each["key"]: each["value"] for each in configs}
    assert (told["currency"], told["time_zone"], told["country_code"]) == ("INR", "Asia/Kolkata", "91")


# --- The extension -------------------------------------------------------------------------------------------------


def test_only_those_who_sent_the_header_get_the_extension(face: Face) -> None:
    header = {HEADER: write_extension_header(ExtensionAsk(cashier=7))}
    assert "extension" not in face.ask(CHECK, SEED).json
    told = face.ask(CHECK, SEED, headers=header).json
    assert told["response"] == face.ask(CHECK, SEED).json["response"]
    assert told["extension"]["wallet"]["balance"] == "500"
    assert b"extension" not in face.ask(CHECK, SEED.replace("json", "xml"), headers=header).body


@pytest.mark.parametrize("header", ["", "!!!", "e30", "bm90IGpzb24", "eyJ2IjoyfQ", "A" * 5000])
def test_an_unreadable_header_is_malformed(face: Face, header: str) -> None:
    assert face.ask(CHECK, SEED, headers={HEADER: header}).status == 400


def test_the_reads_are_taken_by_post_with_the_same_answers(face: Face) -> None:
    for path in (CHECK, "/v1.1/customer/get"):
        form = {"Content-Type": FORM}
        posted = face.ask(path, "format=json&points=7", method="POST", headers=form, body=SEED.encode())
        assert (posted.status, posted.body) == (200, face.ask(path, SEED).body)
    sent = face.ask(CODE, method="POST", headers={"Content-Type": FORM}, body=b"mobile=9777785205&format=xml")
    assert ElementTree.fromstring(sent.body).findtext("validation_code/code/item_status/code") == "200"


def test_a_post_read_with_another_body_is_malformed(face: Face) -> None:
    assert face.post(CHECK, {"mobile": "9777785205", "points": 10}).status == 400


def test_capabilities_name_the_till(face: Face) -> None:
    told = face.ask("/sync/v1/capabilities").json
    assert told["service"] == "pos-app-ledger"
    assert told["till"]["login"] == LOGIN
    assert "post_reads" in told["features"]
    assert told["idempotent_redeem"] is True


def test_a_cancelled_key_stays_cancelled(face: Face) -> None:
    order = {"key": KEY, "cashier": 7, "reason": "customer_left", "approval": None}
    first = face.post("/sync/v1/cancel", order)
    assert (first.status, first.json["outcome"], first.json["key"]) == (200, "cancelled", KEY)
    item = {"points_redeemed": 10, "customer": {"mobile": "9777785205"}, "external_reference_number": KEY}
    late = face.post(REDEEM, {"root": {"redeem": [item]}})
    assert late.json["response"]["responses"]["points"]["item_status"]["code"] == 903


def test_a_key_of_practice_is_malformed(face: Face) -> None:
    item = {"points_redeemed": 10, "customer": {"mobile": "9777785205"}, "external_reference_number": "TR-1"}
    assert face.post(REDEEM, {"root": {"redeem": [item]}}).status == 400


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"key": 5}', b'{"reason": "other"}'])
def test_a_cancel_that_cannot_be_read_is_malformed(face: Face, body: bytes) -> None:
    reply = face.ask("/sync/v1/cancel", method="POST", body=body)
    assert (reply.status, reply.json["errors"][0]["reason"]) == (400, "malformed")


def test_without_the_extension_there_is_only_the_contract(books: Any) -> None:
    face = Face(books(), extension=False)
    for path in ("/sync/v1/capabilities", "/sync/v1/cancel", "/sync"):
        for method in ("GET", "POST"):
            reply = face.ask(path, method=method)
            assert (reply.status, reply.json["response"]["status"]["code"]) == (404, 404)
    assert "extension" not in face.ask(CHECK, SEED, headers={HEADER: "!!!"}).json
    for path in (CHECK, CODE, "/v1.1/customer/get"):
        reply = face.ask(path, method="POST", headers={"Content-Type": FORM}, body=SEED.encode())
        assert (reply.status, reply.headers["allow"]) == (405, "GET")


def test_health_needs_no_login(face: Face) -> None:
    for path in ("/healthz", "/readyz"):
        reply = face.ask(path, authorization=None)
        assert (reply.status, reply.json) == (200, {"status": "ok"})


def test_the_digest_is_what_travels() -> None:
    assert digest(PASSWORD) == "33e1b232a4e6fa0028a6670753749a17"
