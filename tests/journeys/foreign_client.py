"""A point of sale of another maker, written from the vendor's public documentation alone.

It knows addresses, parameters and the samples of the manual; of this project it knows nothing and imports nothing. As
real integrations do, it keeps plain dictionaries, or walks XML by paths, and decides by item codes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import requests

TIMEOUT_S = 20


@dataclass(frozen=True)
class Outcome:
    """What the cashier of that other maker would see."""

    http: int
    status_code: int
    is_success: bool
    item_code: int
    message: str
    points: Decimal | None = None
    value: Decimal | None = None
    balance: Decimal | None = None
    redemption_id: str | None = None


@dataclass(frozen=True)
class Person:
    """What `customer/get` said."""

    name: str
    mobile: str
    user_id: str
    points: Decimal


class JsonPos:
    """Speaks JSON."""

    fmt = "json"

    def __init__(self, address: str, till: str, password: str) -> None:
        self._address = address
        self._session = requests.Session()
        self._session.auth = (till, hashlib.md5(password.encode()).hexdigest())
        self._session.trust_env = False

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    # --- The calls of the manual

    def find(self, mobile: str) -> Person:
        """Get customer details."""
        answer = self._get("customer/get", mobile=mobile, user_id="true")
        assert answer.status_code == 200
        return self._read_person(answer)

    def may_redeem(self, mobile: str, points: int, **parameters: str) -> Outcome:
        """Check if points are redeemable."""
        answer = self._get("points/isredeemable", mobile=mobile, points=str(points), **parameters)
        return self._read_redeemable(answer)

    def send_code(self, mobile: str, points: int) -> Outcome:
        """Issue a validation code."""
        return self._read_code(self._get("points/validationcode", mobile=mobile, points=str(points)))

    def redeem(self, mobile: str, points: int, bill: str, reference: str, code: str) -> Outcome:
        """Redeem points."""
        body, kind = self._write_redeem(mobile, points, bill, reference, code)
        answer = self._session.post(
            f"{self._address}/v1.1/points/redeem",
            params={"format": self.fmt},
            data=body,
            headers={"Content-Type": kind},
            timeout=TIMEOUT_S,
        )
        return self._read_redeemed(answer)

    def reverse(self, redemption_id: str, mobile: str, points: int) -> dict[str, Any]:
        """Reverse redeemed points: v2, so JSON for everybody."""
        answer = self._session.post(
            f"{self._address}/v2/points/reverse",
            json={
                "redemptionId": redemption_id,
                "identifier": {"type": "mobile", "value": mobile},
                "pointsToBeReversed": points,
            },
            timeout=TIMEOUT_S,
        )
        told: dict[str, Any] = answer.json()
        return {"http": answer.status_code, **told}

    def _get(self, call: str, **parameters: str) -> requests.Response:
        return self._session.get(
            f"{self._address}/v1.1/{call}", params={"format": self.fmt, **parameters}, timeout=TIMEOUT_S
        )

    # --- Reading and writing, by the samples of the manual

    def _read_person(self, answer: requests.Response) -> Person:
        (customer,) = answer.json()["response"]["customers"]["customer"]
        assert customer["item_status"]["code"] == "1000"
        return Person(
            name=f"{customer['firstname']} {customer['lastname']}",
            mobile=customer["mobile"],
            user_id=customer["user_id"],
            points=Decimal(str(customer["loyalty_points"])),
        )

    def _read_redeemable(self, answer: requests.Response) -> Outcome:
        return self._outcome(answer, answer.json()["response"]["points"]["redeemable"], "points", "points_redeem_value")

    def _read_code(self, answer: requests.Response) -> Outcome:
        return self._outcome(answer, answer.json()["response"]["validation_code"]["code"], "points", None)

    def _read_redeemed(self, answer: requests.Response) -> Outcome:
        item = answer.json()["response"]["responses"]["points"]
        return self._outcome(answer, item, "points_redeemed", "redeemed_value")

    def _outcome(self, answer: requests.Response, item: dict[str, Any], points: str, value: str | None) -> Outcome:
        status = answer.json()["response"]["status"]
        return Outcome(
            http=answer.status_code,
            status_code=status["code"],
            is_success=status["success"] == "true",
            item_code=int(item["item_status"]["code"]),
            message=item["item_status"]["message"],
            points=Decimal(str(item[points])),
            value=None if value is None else Decimal(str(item[value])),
            balance=Decimal(str(item["balance"])) if "balance" in item else None,
            redemption_id=item.get("redemption_id"),
        )

    def _write_redeem(self, mobile: str, points: int, bill: str, reference: str, code: str) -> tuple[Any, str]:
        item = {
            "points_redeemed": str(points),
            "customer": {"mobile": mobile, "email": "", "external_id": "", "card_number": ""},
            "transaction_number": bill,
            "external_reference_number": reference,
            "validation_code": code,
            "notes": "caf\u00e9",
        }
        return json.dumps({"root": {"redeem": [item]}}), "application/json"


class XmlPos(JsonPos):
    """Speaks XML, and posts it as old .NET clients do: `text/xml` in ISO-8859-1."""

    fmt = "xml"

    def _read_person(self, answer: requests.Response) -> Person:
        tree = ElementTree.fromstring(answer.content)
        (customer,) = tree.iterfind("customers/customer")
        assert _text(customer, "item_status/code") == "1000"
        return Person(
            name=f"{_text(customer, 'firstname')} {_text(customer, 'lastname')}",
            mobile=_text(customer, "mobile"),
            user_id=_text(customer, "user_id"),
            points=Decimal(_text(customer, "loyalty_points")),
        )

    def _read_redeemable(self, answer: requests.Response) -> Outcome:
        return self._xml_outcome(answer, ".//points/redeemable", "points", "points_redeem_value")

    def _read_code(self, answer: requests.Response) -> Outcome:
        return self._xml_outcome(answer, "validation_code/code", "points", None)

    def _read_redeemed(self, answer: requests.Response) -> Outcome:
        return self._xml_outcome(answer, "responses/points", "points_redeemed", "redeemed_value")

    def _xml_outcome(self, answer: requests.Response, path: str, points: str, value: str | None) -> Outcome:
        tree = ElementTree.fromstring(answer.content)
        item = tree.find(path)
        assert item is not None
        balance = item.findtext("balance")
        return Outcome(
            http=answer.status_code,
            status_code=int(_text(tree, "status/code")),
            is_success=_text(tree, "status/success") == "true",
            item_code=int(_text(item, "item_status/code")),
            message=_text(item, "item_status/message"),
            points=Decimal(_text(item, points)),
            value=None if value is None else Decimal(_text(item, value)),
            balance=None if balance is None else Decimal(balance),
            redemption_id=item.findtext("redemption_id"),
        )

    def _write_redeem(self, mobile: str, points: int, bill: str, reference: str, code: str) -> tuple[Any, str]:
        text = f"""<?xml version="1.0" encoding="ISO-8859-1"?>
            <root><redeem>
              <points_redeemed>{points}</points_redeemed>
              <customer><mobile>{escape(mobile)}</mobile><email></email><external_id></external_id></customer>
              <transaction_number>{escape(bill)}</transaction_number>
              <external_reference_number>{escape(reference)}</external_reference_number>
              <validation_code>{escape(code)}</validation_code>
              <notes>caf\u00e9</notes>
            </redeem></root>"""
        return text.strip().encode("iso-8859-1"), "text/xml"


def _text(tree: ElementTree.Element, path: str) -> str:
    found = tree.find(path)
    assert found is not None, f"the answer has no {path}"
    return found.text or ""
