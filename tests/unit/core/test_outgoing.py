"""The way out: hostile addresses are refused, the judged address is the one that is called, nothing waits for ever."""

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from cdp_site.core import outgoing
from cdp_site.core.outgoing import Fault, RefusedAddress, Unreachable

INTERNAL = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127。0。0。1",
    "0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    # The same in other spellings.
    "127.0.0.1.",
    "127.0.1",
    "127.00.00.01",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "017700000001",
    "①②⑦.⓪.⓪.①",
    "0251.0376.0251.0376",
    "2852039166",
    "LOCALHOST",
    "localhost.",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[::ffff:0:0]",
    # IPv4 in IPv6 clothes.
    "[::ffff:10.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[64:ff9b::168.63.129.16]",
    "[2002:a9fe:a9fe::]",
    "[fe80::5efe:7f00:1]",
    "[2606:4700::5efe:7f00:1]",
    "[2606:4700::200:5efe:a00:1]",
    # Of no host on the internet.
    "0.1.2.3",
    "100.64.0.1",
    "169.254.170.2",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.5",
    "[100::1]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[ff05::1]",
]


def call(url: str, *, body: bytes = b"{}", timeout_seconds: float = 5) -> outgoing.Answer:
    return outgoing.post(url, body=body, headers={"Content-Type": "application/json"}, timeout_seconds=timeout_seconds)


@pytest.fixture
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_sock: socket.socket, _address: Any) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture
def inside_allowed(settings: Settings) -> None:
    settings.OUTGOING_ALLOW_HTTP = settings.OUTGOING_ALLOW_PRIVATE = True


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize("host", INTERNAL)
def test_no_spelling_of_an_internal_address_is_called(host: str) -> None:
    with pytest.raises((RefusedAddress, Unreachable)) as caught:
        call(f"https://{host}/")
    # A resolver may know no such spelling: then there is nothing to connect to.
    assert caught.value.fault in (Fault.NOT_PUBLIC, Fault.UNKNOWN_NAME)


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://example.com/", Fault.NOT_HTTPS),
        ("file:///etc/passwd", Fault.MALFORMED),
        ("gopher://example.com/", Fault.NOT_HTTPS),
        ("//example.com/", Fault.NOT_HTTPS),
        ("example.com", Fault.MALFORMED),
        ("", Fault.MALFORMED),
        ("https://", Fault.MALFORMED),
        ("https://user:secret@example.com/", Fault.MALFORMED),
        ("https://example.com@10.0.0.1/", Fault.MALFORMED),
        ("https://example.com\\@10.0.0.1/", Fault.MALFORMED),
        ("https://example.com:99999/", Fault.MALFORMED),
        ("https://example.com/\r\nHost: 10.0.0.1", Fault.MALFORMED),
        ("https://exa mple.com/", Fault.MALFORMED),
        ("https://[fe80::1%25lo]/", Fault.MALFORMED),
        ("https://[::1/", Fault.MALFORMED),
        ("https://" + "a" * 64 + ".com/", Fault.MALFORMED),
        ("https://example.com/" + "a" * 2_000, Fault.MALFORMED),
    ],
)
def test_what_is_no_plain_https_address_is_refused(url: str, fault: Fault) -> None:
    with pytest.raises(RefusedAddress) as caught:
        outgoing.check(url)
    assert caught.value.fault == fault
    with pytest.raises(RefusedAddress):
        call(url)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost.", "LocalHost", "a.localhost", "127.0.0.1", "[::1]", "169.254.169.254"]
)
def test_a_form_refuses_what_its_text_gives_away(host: str, settings: Settings) -> None:
    with pytest.raises(RefusedAddress) as caught:
        outgoing.check(f"https://{host}/hook")
    assert caught.value.fault == Fault.NOT_PUBLIC
    settings.OUTGOING_ALLOW_PRIVATE = True
    outgoing.check(f"https://{host}/hook")


def test_a_public_address_passes_the_form() -> None:
    outgoing.check("https://bot.example.com:8443/line?shop=ร้าน")
    outgoing.check("https://93.184.215.14/")
    outgoing.check("https://[2606:4700:4700::1111]/")
    outgoing.check("https://notlocalhost/")


def answering(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let the resolver give these answers, one list a question; returns the list of names it was asked."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_options: Any) -> list[Any]:
        asked.append(host)
        addresses = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.usefixtures("no_connections")
@pytest.mark.parametrize("addresses", [["10.0.0.7"], ["93.184.215.14", "10.0.0.7"]])
def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    answering(monkeypatch, addresses)
    with pytest.raises(RefusedAddress):
        call("https://rebound.example.com/")


def test_the_address_that_was_judged_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    called: list[Any] = []

    def connect(_sock: socket.socket, address: Any) -> None:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(Unreachable) as caught:
        call("https://rebinding.example.com:8443/")
    assert caught.value.fault == Fault.NO_CONNECTION
    assert called == [("93.184.215.14", 8443)]
    assert asked == ["rebinding.example.com"]


# --- against a real server -----------------------------------------------------------------------------------------


class Received:
    """What the server saw."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []


Server = Callable[..., str]


@pytest.fixture
def received() -> Received:
    return Received()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A certificate for the name bot.test that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bot.test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("bot.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    outgoing._tls.cache_clear()
    yield path
    outgoing._tls.cache_clear()


@pytest.fixture
def serve(received: Received) -> Iterator[Server]:
    """Start a server on this machine; returns `http://127.0.0.1:<port>`."""
    running: list[ThreadingHTTPServer] = []
    stop = threading.Event()

    def start(
        *,
        status: int = 200,
        body: bytes = b"ok",
        headers: dict[str, str] | None = None,
        drip: float = 0,
        certificate: Path | None = None,
    ) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers["Content-Length"]))
                received.requests.append((self.path, dict(self.headers), sent))
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                for start in range(0, len(body), 1 if drip else len(body) or 1):
                    if drip and stop.wait(drip):
                        return
                    try:
                        self.wfile.write(body[start : start + (1 if drip else len(body))])
                    except OSError:
                        return

            def log_message(self, *_args: Any) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = False
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        running.append(server)
        return f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"

    yield start
    stop.set()
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.mark.usefixtures("inside_allowed")
def test_the_body_goes_out_unchanged_and_the_answer_comes_back(serve: Server, received: Received) -> None:
    body = '{\n  "ชื่อ": "สมชาย"}'.encode()
    answer = outgoing.post(
        serve(status=202, body=b"taken") + "/ร้าน/line?x=1",
        body=body,
        headers={"Content-Type": "application/json", "X-Line-Signature": "abc="},
        timeout_seconds=5,
    )
    assert (answer.status, answer.body, answer.is_success) == (202, b"taken", True)
    [(path, headers, sent)] = received.requests
    assert (path, sent) == ("/%E0%B8%A3%E0%B9%89%E0%B8%B2%E0%B8%99/line?x=1", body)
    assert headers["X-Line-Signature"] == "abc="
    assert headers["Host"].startswith("127.0.0.1:")


@pytest.mark.usefixtures("inside_allowed")
def test_a_redirect_is_an_answer_and_is_not_followed(serve: Server, received: Received) -> None:
    answer = call(serve(status=307, headers={"Location": "https://169.254.169.254/latest"}))
    assert (answer.status, answer.is_success) == (307, False)
    assert len(received.requests) == 1


@pytest.mark.usefixtures("inside_allowed")
def test_a_large_answer_is_cut(serve: Server) -> None:
    assert len(call(serve(body=b"x" * 1_000_000)).body) == outgoing.MAX_ANSWER_BYTES


@pytest.mark.usefixtures("inside_allowed")
def test_a_dripping_answer_ends_at_the_time_limit(serve: Server) -> None:
    with pytest.raises(Unreachable) as caught:
        call(serve(body=b"x" * 1_000, drip=0.05), timeout_seconds=0.4)
    assert caught.value.fault == Fault.TIMEOUT


@pytest.mark.usefixtures("inside_allowed")
def test_a_slow_name_server_counts_against_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: answered.wait(10) and [])
    with pytest.raises(Unreachable) as caught:
        call("https://slow.example.com/", timeout_seconds=0.2)
    answered.set()
    assert caught.value.fault == Fault.TIMEOUT


@pytest.mark.usefixtures("inside_allowed")
def test_nobody_at_home_is_unreachable() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, not listening
        with pytest.raises(Unreachable) as caught:
            call(f"http://127.0.0.1:{held.getsockname()[1]}/")
    assert caught.value.fault == Fault.NO_CONNECTION


def test_an_unknown_name_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_args: Any, **_options: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(Unreachable) as caught:
        call("https://nowhere.example.com/")
    assert caught.value.fault == Fault.UNKNOWN_NAME


@pytest.mark.usefixtures("inside_allowed")
def test_an_answer_that_is_no_http_is_unreadable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(4_096)
                connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        with pytest.raises(Unreachable) as caught:
            call(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()
    assert caught.value.fault == Fault.BAD_ANSWER


def test_plain_http_inside_stays_refused_without_both_permissions(serve: Server, settings: Settings) -> None:
    url = serve()
    settings.OUTGOING_ALLOW_HTTP = True
    with pytest.raises(RefusedAddress) as caught:
        call(url)
    assert caught.value.fault == Fault.NOT_PUBLIC


@pytest.mark.usefixtures("inside_allowed")
def test_tls_is_spoken_under_the_name_to_the_looked_up_address(
    serve: Server, received: Received, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = serve(certificate=certificate).rpartition(":")[2]
    asked = answering(monkeypatch, ["127.0.0.1"])
    assert call(f"https://bot.test:{port}/hook").status == 200
    assert asked == ["bot.test"]
    [(path, headers, _body)] = received.requests
    assert (path, headers["Host"]) == ("/hook", f"bot.test:{port}")


@pytest.mark.usefixtures("inside_allowed")
def test_a_certificate_of_another_name_is_not_accepted(
    serve: Server, received: Received, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = serve(certificate=certificate).rpartition(":")[2]
    answering(monkeypatch, ["127.0.0.1"])
    with pytest.raises(Unreachable) as caught:
        call(f"https://other.test:{port}/hook")
    assert caught.value.fault == Fault.CERTIFICATE
    assert received.requests == []
