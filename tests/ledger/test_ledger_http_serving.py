"""How a ledger is served: where it may listen, what its settings file may say, how it starts and stops."""

import json
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from support.ledger_server import LedgerServer, basic, ledger_server, running_ledger

from pos_app.ledger.commands import LedgerPlace
from pos_app.ledger.http.serving import CannotServeError, ServeOptions, check_options, serve_ledger
from pos_app.ledger.http.settings import FaceSettings, FaceSettingsError, read_settings

__all__ = ["ledger_server"]


def a_place(folder: Path) -> LedgerPlace:
    return LedgerPlace(f"sqlite:///{folder / 'ledger.db'}", None, folder)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "ledger.example.org"])
def test_without_tls_only_this_machine_may_be_served(host: str) -> None:
    with pytest.raises(CannotServeError, match=r"--tls-cert and --tls-key, or --behind-proxy"):
        check_options(ServeOptions(host=host))
    check_options(ServeOptions(host=host, behind_proxy=True))
    check_options(ServeOptions(host=host, tls_cert=Path("cert.pem"), tls_key=Path("key.pem")))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_may_be_served_without_tls(host: str) -> None:
    check_options(ServeOptions(host=host))


def test_a_certificate_needs_its_key() -> None:
    for options in (ServeOptions(tls_cert=Path("cert.pem")), ServeOptions(tls_key=Path("key.pem"))):
        with pytest.raises(CannotServeError, match="both a certificate and its key"):
            check_options(options)


def test_an_unknown_sender_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert serve_ledger(a_place(tmp_path), port=0, code_sender="pigeon:coop") == 2
    assert capsys.readouterr().err.startswith("--code-sender: ")


def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = LedgerPlace("nonsense", tmp_path / "secrets", tmp_path)
    assert serve_ledger(place, port=0) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_settings_have_defaults() -> None:
    assert FaceSettings() == FaceSettings(extension=True, rate_per_minute=None)


def test_settings_are_read(tmp_path: Path) -> None:
    file = tmp_path / "ledger.toml"
    file.write_text("extension = false\n[rate]\nper_minute = 1000\n")
    assert read_settings(file) == FaceSettings(extension=False, rate_per_minute=1000)


@pytest.mark.parametrize(
    "text",
    ["extension = 'no'", "rate.per_minute = 0", "rate.per_minute = true", "rate.per_second = 1", "colour = 1", "= 3"],
)
def test_settings_that_are_wrong_are_told(text: str, tmp_path: Path) -> None:
    file = tmp_path / "ledger.toml"
    file.write_text(text)
    with pytest.raises(FaceSettingsError, match=r"^--config: "):
        read_settings(file)


def test_a_missing_settings_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FaceSettingsError, match="cannot be read"):
        read_settings(tmp_path / "none.toml")


# --- With a real server ----------------------------------------------------------------------------------------------


def test_a_stopped_ledger_ends_cleanly_and_starts_again_on_its_port(ledger_server: LedgerServer) -> None:
    port = ledger_server.port
    assert requests.get(f"{ledger_server.url}/healthz", timeout=10).json() == {"status": "ok"}
    assert ledger_server.stop() == 0
    ledger_server.start()
    assert ledger_server.port == port
    assert requests.get(f"{ledger_server.url}/readyz", timeout=10).status_code == 200
    assert "Traceback" not in ledger_server.log()


def test_a_killed_ledger_leaves_nothing_on_its_port(ledger_server: LedgerServer) -> None:
    port = ledger_server.port
    ledger_server.kill()
    ledger_server.start()
    assert ledger_server.port == port
    assert requests.get(f"{ledger_server.url}/readyz", timeout=10).status_code == 200


def started(place: LedgerPlace, **options: object) -> subprocess.CompletedProcess[str]:
    """A start that is expected to fail, in a process of its own."""
    program = "import json, sys; from pathlib import Path; from pos_app.ledger.commands import LedgerPlace;"
    program += "from pos_app.ledger.http.serving import serve_ledger; options = json.loads(sys.argv[3]);"
    program += "options |= {name: Path(options[name]) for name in options if name.startswith('tls_')};"
    program += "sys.exit(serve_ledger(LedgerPlace(sys.argv[1], None, Path(sys.argv[2])), **options))"
    arguments = [sys.executable, "-c", program, place.url, str(place.data_folder), json.dumps(options)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)


def test_two_ledgers_never_share_a_port(ledger_server: LedgerServer, tmp_path: Path) -> None:
    ended = started(a_place(tmp_path), port=ledger_server.port)
    assert ended.returncode == 2
    assert ended.stderr == f"Port {ledger_server.port} is taken by another program: choose another --port.\n"


def test_a_start_that_would_not_be_safe_ends_with_a_sentence(tmp_path: Path) -> None:
    ended = started(a_place(tmp_path), host="0.0.0.0", port=0)
    assert ended.returncode == 2
    assert ended.stderr.startswith("0.0.0.0 can be reached from other machines")


def test_a_certificate_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    missing = {"tls_cert": str(tmp_path / "cert.pem"), "tls_key": str(tmp_path / "key.pem")}
    ended = started(a_place(tmp_path), port=0, **missing)
    assert ended.returncode == 2
    assert ended.stderr == "The TLS certificate or its key cannot be read: check both files.\n"


def test_lines_that_stop_in_the_middle_of_a_body_do_not_stop_the_ledger(ledger_server: LedgerServer) -> None:
    half = b"POST /v1.1/points/redeem HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"
    lines = [socket.create_connection(("127.0.0.1", ledger_server.port), timeout=10) for _ in range(12)]
    try:
        for line in lines:
            line.sendall(half)
        url = f"{ledger_server.url}/v1.1/organization/configs"
        for _ in range(20):
            assert requests.get(url, headers={"Authorization": basic()}, timeout=5).status_code == 200
    finally:
        for line in lines:
            line.close()


def a_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ledger of a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def test_with_a_certificate_every_machine_may_be_served(tmp_path: Path) -> None:
    certificate, key = a_certificate(tmp_path)
    options = {"host": "0.0.0.0", "tls_cert": str(certificate), "tls_key": str(key)}
    with running_ledger(tmp_path, options=options) as server:
        assert server.scheme == "https"
        url = f"{server.url}/v1.1/organization/configs"
        answer = requests.get(url, headers={"Authorization": basic()}, verify=str(certificate), timeout=10)
        assert answer.status_code == 200


def test_a_ledger_served_without_the_extension_knows_no_sync(tmp_path: Path) -> None:
    with running_ledger(tmp_path, settings="extension = false\n") as server:
        answer = requests.get(f"{server.url}/sync/v1/capabilities", headers={"Authorization": basic()}, timeout=10)
        assert answer.status_code == 404
        assert answer.json()["response"]["status"]["code"] == 404
