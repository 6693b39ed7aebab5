"""What is safe on a line: which hosts are this machine, and whose certificates are believed (sync-api 1)."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches `host`. A name that merely resolves to this machine does not count."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def trusting(ca_file: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer, the system's certificates and those of `ca_file`; host names are always checked.

    Raises:
        OSError: the file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
