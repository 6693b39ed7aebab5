"""Leases, settling and heartbeats over HTTP, and what an administrator sees and types (sync-api 1, 6, 7, 9, 10, 13)."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.lease_kit import LeaseKit, a_lease_kit, pts
from support.ledger_server import CUSTOMER, LOGIN, PROGRAM, basic
from support.wsgi import Reply, wsgi_call

from pos_app.cli import pos_app
from pos_app.domain.leases import GiveBack, LeaseRequest, Owner, OwnerKind
from pos_app.files.clock import SystemClock
from pos_app.ledger.care.till_care import TillAction, change_till
from pos_app.ledger.figures import Happening
from pos_app.ledger.http.app import LedgerApp, make_app
from pos_app.ledger.http.settings import FaceSettingsError, read_settings
from pos_app.ledger.leases.settings import LeaseSettings
from pos_app.wire.heartbeats import read_heartbeat_answer
from pos_app.wire.leases import (
    read_freed,
    read_lease_results,
    write_close,
    write_lease_requests,
)
from pos_app.wire.passes import read_pass
from pos_app.wire.settling import read_settle_answer, write_settle


@dataclass
class Face:
    """The ledger's face, asked as a till and as an administrator."""

    kit: LeaseKit
    app: LedgerApp

    def post(self, path: str, body: bytes | dict[str, Any], **headers: str) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": basic(), "Content-Type": "application/json", **headers}
        return wsgi_call(self.app, "POST", path, headers=sent, body=raw)

    def admin(self, method: str, path: str, query: str = "", body: dict[str, Any] | None = None) -> Reply:
        headers = {"Authorization": f"Bearer {self.kit.book.secrets.admin_token}", "Content-Type": "application/json"}
        raw = b"" if body is None else json.dumps(body).encode()
        return wsgi_call(self.app, method, path, query, headers=headers, body=raw)


@pytest.fixture
def face(tmp_path: Path) -> Iterator[Face]:
    with a_lease_kit(tmp_path) as kit:
        kit.till()
        yield Face(kit, make_app(kit.book, clock=kit.clock))


def asking(face: Face, **changes: Any) -> bytes:
    plain: dict[str, Any] = {
        "request_id": face.kit.new_key(),
        "owner": Owner(OwnerKind.CUSTOMER, CUSTOMER),
        "program_id": PROGRAM,
    }
    return write_lease_requests(1, [LeaseRequest(**(plain | changes))])


def reason(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json["errors"][0]["reason"]


# --- Tills -----------------------------------------------------------------------------------------------------------


def test_a_lease_is_asked_for_spent_settled_and_given_back_over_http(face: Face) -> None:
    reply = face.post("/sync/v1/leases", asking(face))
    assert reply.status == 200
    (result,) = read_lease_results(reply.body)
    assert result.lease is not None
    assert result.lease.amount == pts(400)
    assert reply.json["server_time"] == "2026-11-22T10:00:00.000Z"

    side = face.kit.till()
    row = side.spend(120, result.lease)
    settled = read_settle_answer(face.post("/sync/v1/settle", write_settle(1, [row])).body)
    assert (settled.next_seq, settled.results[0].from_lease) == (2, pts(120))

    closed = face.post("/sync/v1/leases/close", write_close(1, [GiveBack(result.lease.lease_id, pts(150))]))
    (freed,) = read_freed(closed.body)
    assert (freed.freed, freed.still_held) == (pts(250), pts(30))


def test_a_gap_is_told_with_the_number_to_send_from(face: Face) -> None:
    side = face.kit.till()
    side.spend(10)
    reply = face.post("/sync/v1/settle", write_settle(1, [side.spend(10)]))
    assert reason(reply) == (409, "gap")
    assert reply.json["errors"][0]["next_seq"] == 1
    assert reply.json["errors"][0]["field"] == "spends[0].seq"


def test_a_row_that_cannot_be_read_stops_no_other(face: Face) -> None:
    side = face.kit.till()
    rows = json.loads(write_settle(1, [side.spend(10), side.spend(20)]))
    rows["spends"][0]["points"] = 10
    answer = read_settle_answer(face.post("/sync/v1/settle", rows).body)
    assert [(each.outcome, each.reason) for each in answer.results] == [("refused", "bad_row"), ("settled", None)]


def test_a_till_out_of_service_may_settle_and_beat_but_gets_no_lease(face: Face) -> None:
    side = face.kit.till()
    row = side.spend(10, side.lease())
    change_till(face.kit.book.tools, LOGIN, TillAction.LOST, who="test")
    assert reason(face.post("/sync/v1/leases", asking(face))) == (403, "till_lost")
    assert reason(face.post("/sync/v1/leases/close", write_close(1, []))) == (403, "till_lost")
    assert read_settle_answer(face.post("/sync/v1/settle", write_settle(1, [row])).body).results[0].is_late
    answer = read_heartbeat_answer(face.post("/sync/v1/heartbeat", beat()).body)
    assert answer.till_state == "LOST"
    assert len(answer.revoked) == 1


def beat(**changes: Any) -> dict[str, Any]:
    plain = {
        "till_epoch": 1,
        "version": "1.4.0",
        "wall_clock": "2026-11-22T10:00:01.000Z",
        "outbox_count": 4,
        "oldest_s": 9,
        "audit_head": "0" * 64,
        "audit_count": 0,
        "leases": [],
    }
    return plain | changes


def test_a_heartbeat_shows_in_the_list_of_tills(face: Face) -> None:
    answer = read_heartbeat_answer(face.post("/sync/v1/heartbeat", beat()).body)
    assert answer.countersigned is not None
    tills = {each["login"]: each for each in face.admin("GET", "/admin/tills").json["tills"]}
    assert (tills[LOGIN]["outbox_count"], tills[LOGIN]["version"]) == (4, "1.4.0")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sync/v1/leases", {"till_epoch": 1}),
        ("/sync/v1/leases", {"till_epoch": 1, "requests": []}),
        ("/sync/v1/leases/close", {"till_epoch": 1}),
        ("/sync/v1/settle", {"till_epoch": 1, "spends": []}),
        ("/sync/v1/settle", {"till_epoch": "1", "spends": [{"seq": 1}]}),
        ("/sync/v1/heartbeat", {}),
        ("/sync/v1/heartbeat", b"<beat/>"),
    ],
)
def test_what_cannot_be_read_is_malformed(face: Face, path: str, body: dict[str, Any] | bytes) -> None:
    assert reason(face.post(path, body)) == (400, "malformed")


def test_leases_are_a_feature_the_ledger_tells_of(face: Face) -> None:
    features = face.kit.book.capabilities(face.kit.till().till).features
    assert {"leases", "settle", "passes"} <= features


def test_the_header_of_v1_1_gives_leases_back(face: Face) -> None:
    lease = face.kit.till().lease()
    asked = {"v": 1, "give_back": [{"lease_id": lease.lease_id, "final_spent": "50"}]}
    header = base64.urlsafe_b64encode(json.dumps(asked).encode()).decode().rstrip("=")
    query = f"id={CUSTOMER}&points=120&program_id={PROGRAM}&format=json"
    headers = {"Authorization": basic(), "X-Pos-Extension": header}
    checked = wsgi_call(face.app, "GET", "/v1.1/points/isredeemable", query, headers=headers)
    assert checked.json["extension"]["wallet"]["available"] == "450"
    item = {"points_redeemed": "120", "customer": {"id": CUSTOMER}, "external_reference_number": face.kit.new_key()}
    done = face.post(
        "/v1.1/points/redeem", {"root": {"redeem": [item]}}, **{"X-Pos-Extension": header, "Accept": "application/json"}
    )
    wallet = done.json["extension"]["wallet"]
    assert (wallet["balance"], wallet["available"], wallet["held_offline"]) == ("380", "330", "50")
    assert wallet["held_until"] is None


def test_leases_and_rows_are_counted(face: Face) -> None:
    side = face.kit.till()
    lease = side.lease()
    side.settle(side.spend(9999, lease))
    side.close(lease, 9999)
    text = face.admin("GET", "/metrics").body.decode()
    assert 'pos_ledger_leases_total{event="granted"} 1.0' in text
    assert 'pos_ledger_leases_total{event="closed"} 1.0' in text
    assert 'pos_ledger_settled_total{outcome="settled_short"} 1.0' in text
    assert Happening.LEASE == "lease"


# --- Administration --------------------------------------------------------------------------------------------------


def test_an_administrator_sees_leases_by_till_and_state(face: Face) -> None:
    side = face.kit.till()
    lease = side.lease()
    side.settle(side.spend(50, lease))
    face.kit.other.lease()
    side.close(lease, 120)
    listed = face.admin("GET", "/admin/leases", f"till={LOGIN}").json["leases"]
    assert len(listed) == 1
    told = {name: listed[0][name] for name in ("lease_id", "state", "amount", "settled", "held", "returned", "store")}
    assert told == {
        "lease_id": lease.lease_id,
        "state": "CLOSING",
        "amount": "400",
        "settled": "50",
        "held": "70",
        "returned": "280",
        "store": "014",
    }
    assert "signature" not in listed[0]
    assert len(face.admin("GET", "/admin/leases").json["leases"]) == 2
    assert [each["till"] for each in face.admin("GET", "/admin/leases", "state=OPEN").json["leases"]] == ["till.007.1"]
    assert len(face.admin("GET", "/admin/leases", f"after={listed[0]['lease_number']}").json["leases"]) == 1
    assert reason(face.admin("GET", "/admin/leases", "state=LENT")) == (400, "malformed")


def test_an_administrator_makes_a_pass(face: Face) -> None:
    wish = {"customer_id": CUSTOMER, "program_id": PROGRAM, "till": LOGIN, "max_points": "120", "valid_s": 3600}
    assert reason(face.admin("POST", "/admin/passes", body=wish)) == (409, "no_open_lease")
    lease = face.kit.till().lease()
    made = face.admin("POST", "/admin/passes", body=wish)
    assert made.status == 200
    assert made.json["lease_id"] == lease.lease_id
    assert made.json["not_after"] == "2026-11-22T11:00:00.000Z"
    assert read_pass(made.json["pass"]).content.max_points == pts(120)


@pytest.mark.parametrize(
    "changes", [{"valid_s": 86401}, {"valid_s": None}, {"max_points": "0"}, {"max_points": "many"}, {"till": None}]
)
def test_a_pass_that_cannot_be_is_malformed(face: Face, changes: dict[str, Any]) -> None:
    wish = {"customer_id": CUSTOMER, "program_id": PROGRAM, "till": LOGIN, "max_points": "120", "valid_s": 3600}
    assert reason(face.admin("POST", "/admin/passes", body=wish | changes)) == (400, "malformed")


def test_losses_are_listed_with_why(face: Face) -> None:
    side = face.kit.till()
    row = side.spend(600)
    side.settle(row)
    told = face.admin("GET", "/admin/loss", "store=014").json
    assert told["total"] == "100"
    assert (told["loss"][0]["key"], told["loss"][0]["why"]) == (row.key, "risk")


# --- The command line ------------------------------------------------------------------------------------------------


def typed(folder: Path, *words: str, exit_code: int = 0) -> str:
    places = ["--db", f"sqlite:///{folder / 'ledger.db'}", "--secrets", str(folder / "secrets")]
    result = CliRunner().invoke(pos_app, ["ledger", *words, *places])
    assert result.exit_code == exit_code, result.output
    return result.output


def test_leases_are_listed_and_revoked_from_the_command_line(face: Face, tmp_path: Path) -> None:
    assert typed(tmp_path, "lease", "list") == "No till holds such a lease.\n"
    lease = face.kit.till().lease()
    line = typed(tmp_path, "lease", "list", "--state", "open")
    assert line.startswith(f"{lease.lease_id}  OPEN")
    assert "400 held" in line
    assert json.loads(typed(tmp_path, "lease", "list", "--json"))["held"] == "400"
    assert "is revoked" in typed(tmp_path, "lease", "revoke", lease.lease_id)
    assert face.kit.till().beat().revoked == (lease.lease_id,)
    assert "revoked" in typed(tmp_path, "lease", "list", "--till", LOGIN)
    assert "0 leases are revoked" in typed(tmp_path, "lease", "revoke", "--till", LOGIN)
    assert "no till" in typed(tmp_path, "lease", "revoke", "--till", "nobody", exit_code=1)
    assert "either one lease" in typed(tmp_path, "lease", "revoke", exit_code=2)


def test_what_an_expired_lease_holds_is_written_off_from_the_command_line(tmp_path: Path) -> None:
    with a_lease_kit(tmp_path, start=datetime(2020, 1, 1, tzinfo=UTC)) as kit:  # The command line's clock is later.
        lease = kit.till().lease()
        assert "400 points are free again" in typed(tmp_path, "lease", "write-off", lease.lease_id)
        assert "holds nothing" in typed(tmp_path, "lease", "write-off", lease.lease_id, exit_code=1)


@pytest.fixture
def today(tmp_path: Path) -> Iterator[LeaseKit]:
    """A ledger in the year of the command line's own clock."""
    with a_lease_kit(tmp_path, start=SystemClock().wall()) as kit:
        yield kit


def test_a_pass_is_printed_or_written_as_a_qr_code(today: LeaseKit, tmp_path: Path) -> None:
    wish = ["pass", "--customer-id", str(CUSTOMER), "--program-id", str(PROGRAM), "--till", LOGIN, "--max-points"]
    assert "holds no open lease" in typed(tmp_path, *wish, "120", exit_code=1)
    lease = today.till().lease()
    assert read_pass(typed(tmp_path, *wish, "120")).content.lease_id == lease.lease_id
    svg = tmp_path / "pass.svg"
    assert str(svg) in typed(tmp_path, *wish, "120", "--svg", str(svg))
    assert b"<svg" in svg.read_bytes()
    assert stat.S_IMODE(svg.stat().st_mode) == 0o600
    assert "not overwritten" in typed(tmp_path, *wish, "120", "--svg", str(svg), exit_code=2)
    assert "number of points above zero" in typed(tmp_path, *wish, "none", exit_code=2)
    assert "no organisation 9" in typed(tmp_path, *wish, "120", "--organisation", "9", exit_code=1)


# --- Settings --------------------------------------------------------------------------------------------------------


def test_the_settings_file_says_how_much_tills_may_hold(tmp_path: Path) -> None:
    file = tmp_path / "ledger.toml"
    file.write_text(
        "[lease]\nphi = 0.6\ncap = 300\nterm_s = 7200\nsettle_window_s = 3600\nstrict = true\n"
        "[late_settle]\ncharge_available = false\n",
        encoding="utf-8",
    )
    assert read_settings(file).leases == LeaseSettings(
        phi=Decimal("0.6"), cap=pts(300), term_s=7200, settle_window_s=3600, strict=True, charge_available=False
    )
    file.write_text("[lease]\nphi = 2\n", encoding="utf-8")
    with pytest.raises(FaceSettingsError, match=r"--config: lease\.phi must be .*\.$"):
        read_settings(file)
