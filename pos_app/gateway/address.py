"""Where the ledger is and who this till is: what is checked once, before anything is sent."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pos_app.domain.trouble import NotSafeError, WrongAddressError
from pos_app.files.line_safety import is_loopback


def digest_of(password: str) -> str:
    """What travels instead of a password (contract 1.2): its MD5 in lower-case hexadecimal.

    The contract asks for it. The digest is as good as the password and is kept as one.
    """
    return hashlib.md5(password.encode("utf-8"), usedforsecurity=False).hexdigest()


def authorization(login: str, digest: str) -> str:
    """The `Authorization` header of a till."""
    return "Basic " + base64.b64encode(f"{login}:{digest}".encode()).decode("ascii")


@dataclass(frozen=True, slots=True)
class Address:
    """A ledger's base address without a slash at its end."""

    url: str = field(repr=False)
    is_loopback: bool

    @classmethod
    def read(cls, text: str) -> Address:
        """Read an address as it was set.

        Raises:
            NotSafeError: plain HTTP to another machine, or a login inside the address.
            WrongAddressError: no address of a service at all.
        """
        trimmed = text.strip().rstrip("/")
        try:
            parts = urlsplit(trimmed)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise WrongAddressError("the address of the ledger cannot be read") from None
        if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
            raise WrongAddressError("the address of the ledger has the form https://host or https://host:port")
        if parts.username is not None or parts.password is not None:
            raise NotSafeError("a login does not belong into the address of the ledger")
        is_this_machine = is_loopback(host)
        if parts.scheme == "http" and not is_this_machine:
            raise NotSafeError(
                "plain HTTP goes to this machine only: the address of the ledger must begin with https://"
            )
        return cls(trimmed, is_this_machine)
