"""What is checked before anything is sent."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.gateway_kit import QUICK, MachineClock

from pos_app.domain.trouble import NotSafeError, WrongAddressError
from pos_app.gateway import HttpLedger, digest_of
from pos_app.gateway.address import Address, authorization


def test_the_password_travels_as_its_lower_case_md5() -> None:
    assert digest_of("s3cret") == "33e1b232a4e6fa0028a6670753749a17"


def test_a_till_logs_in_with_its_name_and_the_digest() -> None:
    assert authorization("till.014.3", "abc") == "Basic dGlsbC4wMTQuMzphYmM="


@pytest.mark.parametrize(
    "url", ["http://ledger.example", "http://10.0.0.5:8080", "http://127.0.0.1.example", "HTTP://Ledger.Example"]
)
def test_plain_http_goes_to_this_machine_only(url: str) -> None:
    with pytest.raises(NotSafeError, match="https://"):
        HttpLedger(url, "till", "digest", waits=QUICK, clock=MachineClock(), software="1.0")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:80/", "https://a.example/x/"]
)
def test_tls_and_this_machine_are_fine(url: str) -> None:
    assert not Address.read(url).url.endswith("/")


@pytest.mark.parametrize(
    "url", ["", "ledger.example", "ftp://ledger.example", "https://", "https://a.example/?x=1", "https://a:b"]
)
def test_what_is_no_address_is_told_so(url: str) -> None:
    with pytest.raises(WrongAddressError):
        Address.read(url)


def test_a_login_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(NotSafeError) as caught:
        Address.read("https://till:S3cret@ledger.example")
    assert "S3cret" not in str(caught.value)


def test_an_address_keeps_out_of_repr() -> None:
    assert "ledger.example" not in repr(Address.read("https://ledger.example"))


def test_importing_the_gateway_loads_no_http_library() -> None:
    look = "import sys, pos_app.gateway; sys.exit(bool({'requests', 'urllib3'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
