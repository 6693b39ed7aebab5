"""What the ledger's own OpenAPI files promise, as tests ask it. Every answer that `support.wsgi` sees is held to it.

Answers are held to more than the files say to clients: a member that is not described is a fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs
import yaml

from pos_app.files.resources import RESOURCES

FILES = ("points.yaml", "sync.yaml")
METHODS = ("get", "post", "put", "delete", "patch")


@cache
def described(name: str) -> dict[str, Any]:
    """One file."""
    document: dict[str, Any] = yaml.safe_load((RESOURCES / "openapi" / name).read_text(encoding="utf-8"))
    return document


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    file: str
    path: str
    method: str
    tree: Mapping[str, Any]

    @property
    def name(self) -> str:
        """How a failing test calls it."""
        return f"{self.method} {self.path}"

    def resolved(self, tree: Any) -> Any:
        """What a reference stands for."""
        return resolved(self.file, tree)

    def parameters(self, place: str = "query") -> dict[str, Any]:
        """The parameters of one place, by name."""
        found = [self.resolved(each) for each in self.tree.get("parameters", [])]
        return {each["name"]: each for each in found if each["in"] == place}

    def form(self) -> dict[str, Any]:
        """The members of a form body, by name; none where it takes no form."""
        content = self.tree.get("requestBody", {}).get("content", {})
        schema = content.get("application/x-www-form-urlencoded", {}).get("schema", {})
        return dict(schema.get("properties", {}))

    def answer(self, status: int) -> Any | None:
        """The description of an answer; None where this status is not described."""
        found = self.tree["responses"].get(str(status))
        return None if found is None else self.resolved(found)


def resolved(file: str, tree: Any) -> Any:
    """What a reference stands for, in that file; what is none stays."""
    while isinstance(tree, dict) and "$ref" in tree:
        found: Any = described(file)
        for part in tree["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        tree = found
    return tree


@cache
def operations() -> tuple[Operation, ...]:
    """Everything both files describe."""
    return tuple(
        Operation(file, path, method.upper(), tree)
        for file in FILES
        for path, methods in described(file)["paths"].items()
        for method, tree in methods.items()
        if method in METHODS
    )


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Addresses that are written out before those with a part that varies, as a router has it."""
    paths = sorted({each.path for each in operations()}, key=lambda path: path.count("{"))
    return tuple((re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in paths)


def path_of(address: str) -> str | None:
    """The described path of an address; v1.1 without regard to case (contract 1.1)."""
    lowered = address.lower() if address.lower().startswith("/v1.1/") else address
    return next((path for pattern, path in _patterns() if pattern.fullmatch(lowered)), None)


def operation(method: str, path: str) -> Operation | None:
    """The operation of a described path."""
    return next((each for each in operations() if (each.method, each.path) == (method, path)), None)


# --- Answers ---------------------------------------------------------------------------------------------------------


def complaint(method: str, address: str, status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """What is wrong with an answer, by the files; None where it is as described. Header names are lower case."""
    path = path_of(address)
    if path is None:
        return None
    found = operation(method, path)
    if found is None:
        return (
            None if status in {400, 405, 408, 413, 503} else f"{method} {path} is not described and answered {status}"
        )
    answer = found.answer(status)
    if answer is None:
        return f"{found.name} ({address!r}) answers {status}, which is not described"
    for name, header in answer.get("headers", {}).items():
        if found.resolved(header).get("required") and name.lower() not in headers:
            return f"{found.name} answers {status} without {name}"
    kind = headers.get("content-type", "").partition(";")[0]
    if kind not in answer["content"]:
        return f"{found.name} answers {status} as {kind!r}"
    if kind != "application/json" or method == "HEAD":
        return None
    errors = _errors(found, status, json.loads(body))
    return f"{found.name} answers {status}: {'; '.join(errors)}: {body[:2000]!r}" if errors else None


def _errors(found: Operation, status: int, tree: Any) -> list[str]:
    return [f"{error.instance_path}: {error.message}" for error in _validator(found.file, found.name, status)(tree)]


@cache
def _validator(file: str, name: str, status: int) -> Any:
    found = next(each for each in operations() if (each.file, each.name) == (file, name))
    schema = (found.answer(status) or {})["content"]["application/json"]["schema"]
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **strict(schema)}
    whole["components"] = {"schemas": strict(described(file)["components"]["schemas"])}
    return jsonschema_rs.validator_for(whole, validate_formats=True).iter_errors


def strict(tree: Any) -> Any:
    """The same schemas, in which objects have no members but those that are described."""
    if isinstance(tree, list):
        return [strict(each) for each in tree]
    if not isinstance(tree, dict):
        return tree
    copied = {name: strict(each) for name, each in tree.items()}
    if "properties" in tree and isinstance(tree.get("type"), (str, list)) and "object" in tree["type"]:
        copied.setdefault("additionalProperties", False)
    return copied


def schemas(file: str) -> Iterator[tuple[str, Any]]:
    """The named schemas of a file."""
    yield from described(file)["components"]["schemas"].items()
