"""schemathesis over a description that a running ledger serves, with all checks.

The files cannot say what holds between parameters (exactly one identifier, a value beside `currency_input`), nor what
holds for members that nobody reads (no control characters). A case that is meant to be accepted is therefore made to
keep these rules before it is sent; all other cases go out as they are.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.schemas import BaseSchema
from support.ledger_server import EMAIL, EXTERNAL_ID, LOGIN, MOBILE, LedgerServer, digest

from pos_app.wire.extension import ExtensionAsk, write_extension_header

KEY = "01J9ZQ4M7T8V2W3X5Y6A7B8C9D"
_IDENTIFIERS = ("mobile", "email", "external_id", "card_number", "card_external_id", "id", "user_id")
_KNOWN = (("mobile", MOBILE), ("mobile", "9777785205"), ("email", EMAIL), ("external_id", EXTERNAL_ID))
_GROUP_IDS = ("user_group2_id", "user_group2_external_id", "user_group2_primary_user_id")
_TYPE, _VALUE = "user_group2_primary_user_identifier_type", "user_group2_primary_user_identifier_value"
_SOURCE, _ACCOUNT = "user_group2_primary_user_source", "user_group2_primary_user_accountId"
_DEFAULT = "use_default_user_group2"

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Params = MutableMapping[str, Any]


@dataclass
class Outcome:
    """What came of a run."""

    cases: int = 0
    checks: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def fuzz(server: LedgerServer, path: str, *, examples: int, seed: int, is_whole: bool = True) -> Outcome:
    """Generate cases for everything that is described at `path`, at most `examples` by chance for each operation.

    `is_whole`: also every boundary of every parameter and member, one by one.
    """
    _say_formats()
    random.seed(seed)  # Whatever draws beside the generator's own seed must draw alike in every run.
    token = (server.place.secrets / "admin.token").read_text(encoding="ascii")
    config = {
        "seed": seed,
        "continue-on-failure": True,
        "generation": {"max-examples": examples, "mode": "all", "database": "none"},
        # There are no links between the calls.
        "phases": {"stateful": {"enabled": False}, "coverage": {"enabled": is_whole}},
        "auth": {
            "openapi": {
                "tillBasic": {"username": LOGIN, "password": digest()},
                "administrator": {"bearer": token},
            }
        },
        # A "no" of v2 is HTTP 400 (contract 6); a "no" of v1.1 is HTTP 200, also to points or an id that are none
        # (contract 1.5, 2.2), which a body can hold and a query, being all text, cannot.
        "operations": [
            {
                "include-path": "/v1.1/points/redeem",
                "checks": {
                    "negative_data_rejection": {"expected-statuses": ["200", "400", "401", "403", "405", "413"]}
                },
            },
            {
                "include-path-regex": "^/v2/",
                "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400"]}},
            },
            {
                # No generator knows a cursor: one that means nothing is answered as one that is too old.
                "include-path-regex": "^/sync/v1/(snapshot|changes)$",
                "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "410"]}},
            },
        ],
    }
    chance = Random(seed)

    def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
        if case.meta is not None and case.meta.generation.mode.is_positive:
            _keep_rules(case, chance)

    def filter_case(_context: Any, case: Any) -> bool:
        # XML has no control characters: the library leaves them out, and nothing is wrong with what it sends then.
        return "xml" not in (case.media_type or "") or not _CONTROLS.search(json.dumps(case.body, ensure_ascii=False))

    schemathesis.hook(before_call)
    schemathesis.hook(filter_case)
    try:
        return _run(schemathesis.openapi.from_url(f"{server.url}{path}", config=SchemathesisConfig.from_dict(config)))
    finally:
        schemathesis.hooks.unregister(before_call)
        schemathesis.hooks.unregister(filter_case)


def _say_formats() -> None:
    asks = st.builds(ExtensionAsk, cashier=st.none() | st.integers(0, 10**9), key=st.just(KEY))
    schemathesis.openapi.format("pos-extension", asks.map(write_extension_header))


def _run(schema: BaseSchema) -> Outcome:
    outcome = Outcome()
    for event in from_schema(schema).execute():
        if isinstance(event, (events.NonFatalError, events.FatalError)):
            outcome.errors.append(str(getattr(event, "value", None) or getattr(event, "exception", None)))
        if isinstance(event, events.ScenarioFinished):
            _count(event, outcome)
    return outcome


def _count(event: events.ScenarioFinished, outcome: Outcome) -> None:
    recorder = event.recorder
    outcome.cases += len(recorder.cases)
    for case_id, checks in recorder.checks.items():
        for check in checks:
            outcome.checks[check.name] += 1
            if check.failure_info is not None:
                case = recorder.cases[case_id].value
                sent = f"{case.query} {case.body!r}"[:1500]
                outcome.failures.append(f"{event.label}: {check.name}: {check.failure_info.failure}: {sent}")


# --- Rules between parameters -----------------------------------------------------------------------------------------


def _keep_rules(case: Any, chance: Random) -> None:
    path = case.operation.path
    if isinstance(case.body, (dict, list)):
        case.body = _plain(case.body)
    is_form = "form" in (case.media_type or "") and isinstance(case.body, dict)
    params: Params = case.body if is_form else case.query
    if path.endswith(("/isredeemable", "/validationcode", "/customer/get")):
        if is_form:
            for name in (*_IDENTIFIERS, "points", "currency_value"):
                case.query.pop(name, None)
        _one_identifier(params, chance, is_listing=path.endswith("/get"))
    if path.endswith(("/isredeemable", "/redeem")):
        _groups(params, _item_of(case.body) if path.endswith("/redeem") else {})
        if _is_true(params.get("currency_input")) and not _is_given(params.get("currency_value")):
            params["currency_value"] = "50"
    if path == "/sync/v1/customer" and isinstance(case.body, dict):
        name, value = chance.choice(_KNOWN)
        case.body = {each: told for each, told in case.body.items() if each not in _IDENTIFIERS} | {name: value}
    if path == "/admin/entries" and not (case.query.get("key") or _is_given(case.query.get("wallet_id"))):
        case.query["key"] = KEY
    if path in {"/admin/wallet", "/admin/credit"}:
        _one_owner(case.query if path == "/admin/wallet" else case.body)
    if path == "/sync/v1/cancel":
        _note(case.body)


def _plain(tree: Any) -> Any:
    """A body without what no body may hold, in members nobody reads too: control characters, numbers beyond bounds."""
    if isinstance(tree, dict):
        return {name: _plain(each) for name, each in tree.items() if _is_plain(name) and _is_plain(each)}
    if isinstance(tree, list):
        return [_plain(each) for each in tree if _is_plain(each)]
    return tree


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return not _CONTROLS.search(value)
    if isinstance(value, float):
        return value == 0 or 1e-3 <= abs(value) <= 1e18
    return not isinstance(value, int) or abs(value) < 10**30


def _one_identifier(params: Params, chance: Random, *, is_listing: bool) -> None:
    """Exactly one (contract 2.1); often somebody who is there."""
    names = [name for name in _IDENTIFIERS if not (is_listing and name == "user_id")]
    given = [name for name in names if _is_given(params.get(name))]
    if given and is_listing and not 0 < len([each for each in str(params[given[0]]).split(",") if each.strip()]) <= 50:
        given = []
    for name in given[1:]:
        params[name] = ""
    if not given or chance.random() < 0.7:
        for name in given[:1]:
            params[name] = ""
        name, value = chance.choice(_KNOWN)
        params[name] = value


def _groups(params: Params, item: Params) -> None:
    """Type and value together, WECHAT with its account, and no family group beside a group of programs (2.4, 2.5)."""
    if _is_given(params.get(_TYPE)) != _is_given(params.get(_VALUE)):
        params.pop(_TYPE, None)
        params.pop(_VALUE, None)
    if params.get(_SOURCE) == "WECHAT" and not _is_given(params.get(_ACCOUNT)):
        params[_ACCOUNT] = "account"
    names = any(_is_given(params.get(name)) for name in (*_GROUP_IDS, _TYPE)) or _is_true(params.get(_DEFAULT))
    if names and (_is_true(params.get("group_redemption")) or _is_true(item.get("group_redemption"))):
        params["group_redemption"] = "false"


def _item_of(body: Any) -> Params:
    found = body.get("root", body).get("redeem") if isinstance(body, dict) else None
    item = found[0] if isinstance(found, list) and found else found
    return item if isinstance(item, dict) else {}


def _one_owner(params: Params) -> None:
    """Either a customer or a family group."""
    if params.get("customer_id") in (None, "") and params.get("family_group_id") in (None, ""):
        params["customer_id"] = 50001
    elif params.get("customer_id") not in (None, ""):
        params.pop("family_group_id", None)


def _note(body: Any) -> None:
    """A reason `other` needs a note (sync-api 4.3)."""
    approval = body.get("approval") if isinstance(body, dict) else None
    if isinstance(approval, dict) and approval.get("reason") == "other" and not (approval.get("note") or "").strip():
        approval["note"] = "said so"


def _is_given(value: Any) -> bool:
    return value is not None and str(value).strip() not in {"", "null"}


def _is_true(value: Any) -> bool:
    return str(value).strip().lower() in {"true", "1"}
