"""The one way out over HTTP: a POST to an address that somebody typed into a form (relay, alert, destination).

Such an address must not lead this server to what only it can reach: itself, the company's network, a cloud's metadata.
The name is looked up once, every address found is judged, and the connection goes to the very address that was judged,
so that a name server which answers differently the second time gains nothing. No redirects, no proxies.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import MendableError, Text

MAX_ANSWER_BYTES: Final = 64 * 1024
MAX_URL_LENGTH: Final = 2_000
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# Metadata that a cloud's virtual machines reach under numbers which look public (Azure, Oracle).
_METADATA: Final = (ipaddress.ip_network("168.63.129.16/32"), ipaddress.ip_network("192.0.0.0/24"))
# Of no host on the internet, whatever this Python's list says: relays from 6to4 (RFC 7526), documentation (RFC 9637).
_NOBODYS: Final = (ipaddress.ip_network("192.88.99.0/24"), ipaddress.ip_network("3fff::/20"))
_KEPT: Final = "/%:@!$&'()*+,;=?~-._[]|"  # of a path and query; letters of other scripts are percent-encoded
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_ISATAP: Final = (0x00005EFE, 0x02005EFE)  # RFC 5214: bits 64 to 95 of an address that carries an IPv4 one

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Fault(StrEnum):
    """Why a call did not come about; short enough to be stored beside what was to be sent."""

    MALFORMED = "malformed"
    NOT_HTTPS = "not_https"
    NOT_PUBLIC = "not_public"
    UNKNOWN_NAME = "unknown_name"
    NO_CONNECTION = "no_connection"
    CERTIFICATE = "certificate"
    TIMEOUT = "timeout"
    BAD_ANSWER = "bad_answer"


FAULT_TEXTS: dict[str, Text] = {
    Fault.MALFORMED: _("That is no complete web address, such as https://example.com/path."),
    Fault.NOT_HTTPS: _("Only addresses that begin with https:// are called."),
    Fault.NOT_PUBLIC: _("The address leads into an internal network, which is not called."),
    Fault.UNKNOWN_NAME: _("The server's name is not known."),
    Fault.NO_CONNECTION: _("No connection could be made."),
    Fault.CERTIFICATE: _("The server's certificate is not valid."),
    Fault.TIMEOUT: _("No complete answer came in time."),
    Fault.BAD_ANSWER: _("The server's answer could not be read."),
}


class OutgoingProblem(MendableError):
    """The call did not come about; `fault` says why."""

    def __init__(self, fault: Fault, *, field: str | None = None) -> None:
        super().__init__(FAULT_TEXTS[fault], field=field, code=fault.value)
        self.fault = fault


class RefusedAddress(OutgoingProblem):
    """The address is one that is never called: trying again changes nothing."""


class Unreachable(OutgoingProblem):
    """No answer was had; a later attempt may get one. Whether the other side received the body is not known."""

    status = 502


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: any status, and the first MAX_ANSWER_BYTES of the body."""

    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def check(url: str) -> None:
    """For a form: raises RefusedAddress where the address can be refused by its text alone. Names are not looked up;
    `post` judges what they lead to."""
    _parts, host, _port = _read(url)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if f".{host.rstrip('.')}".endswith(".localhost"):
            _refuse_unless_allowed()
        return
    if not _is_public(address):
        _refuse_unless_allowed()


def post(url: str, *, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
    """POST the body and return the answer, whatever its status; redirects are answers like others.

    `timeout_seconds` is for everything together: looking the name up, connecting, sending, reading. Raises
    RefusedAddress or Unreachable.
    """
    parts, host, port = _read(url)
    deadline = time.monotonic() + timeout_seconds
    addresses = _look_up(host, port, deadline)
    if not settings.OUTGOING_ALLOW_PRIVATE and not all(_is_public(ipaddress.ip_address(a)) for a in addresses):
        raise RefusedAddress(Fault.NOT_PUBLIC)
    clock = _Clock(deadline)
    try:
        with _connect(addresses, port, deadline) as plain, _secure(plain, parts.scheme, host) as sock, clock.of(sock):
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            answer = _exchange(sock, parts, host, port, body=body, headers=headers)
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(Fault.CERTIFICATE) from error
    except (OSError, http.client.HTTPException) as error:
        if clock.is_over or isinstance(error, TimeoutError):
            raise Unreachable(Fault.TIMEOUT) from error
        fault = Fault.BAD_ANSWER if isinstance(error, http.client.HTTPException) else Fault.NO_CONNECTION
        raise Unreachable(fault) from error
    if clock.is_over:  # what had come until then may look like a whole answer
        raise Unreachable(Fault.TIMEOUT)
    return answer


def _read(url: str) -> tuple[SplitResult, str, int]:
    """The parts of the address, its host in ASCII, its port. Raises RefusedAddress."""
    # A backslash or a space is read as part of the host by some and as its end by others.
    if len(url) > MAX_URL_LENGTH or any(c <= " " or c in "\\\x7f" for c in url):
        raise RefusedAddress(Fault.MALFORMED)
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError as error:  # also UnicodeError
        raise RefusedAddress(Fault.MALFORMED) from error
    if not host or "%" in host or parts.username is not None or parts.password is not None:
        raise RefusedAddress(Fault.MALFORMED)
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.OUTGOING_ALLOW_HTTP):
        raise RefusedAddress(Fault.NOT_HTTPS)
    return parts, host, port


def _refuse_unless_allowed() -> None:
    if not settings.OUTGOING_ALLOW_PRIVATE:
        raise RefusedAddress(Fault.NOT_PUBLIC)


def _is_public(address: _Address) -> bool:
    """Whether the address belongs to the internet at large; one in IPv6 clothes is judged by what it carries."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour
        if carried is None and (address in _NAT64 or int(address) >> 32 & 0xFFFFFFFF in _ISATAP):
            carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None:
            return _is_public(carried)
        if address.teredo is not None or address.is_site_local:
            return False
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved or address.is_link_local or address.is_loopback)
        and not any(address in network for network in (*_METADATA, *_NOBODYS))
    )


def _look_up(host: str, port: int, deadline: float) -> list[str]:
    """The host's addresses, each once. The system's resolver knows no time limit, so it is asked on the side."""
    found: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            found.put(error)
        else:
            found.put(list(dict.fromkeys(str(row[4][0]).partition("%")[0] for row in rows)))

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        answer = found.get(timeout=_left(deadline))
    except Empty as error:
        raise Unreachable(Fault.TIMEOUT) from error
    if isinstance(answer, Exception):
        raise Unreachable(Fault.UNKNOWN_NAME) from answer
    return answer


def _connect(addresses: list[str], port: int, deadline: float) -> socket.socket:
    """To the first of the addresses that takes the connection."""
    fault = Fault.NO_CONNECTION
    for address in addresses:
        try:
            return _dial(address, port, _left(deadline))
        except TimeoutError:
            fault = Fault.TIMEOUT
        except OSError:
            fault = Fault.NO_CONNECTION
    raise Unreachable(fault)


def _dial(address: str, port: int, seconds: float) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def _secure(plain: socket.socket, scheme: str, host: str) -> socket.socket:
    if scheme != "https":
        return plain
    return _tls().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)


def _exchange(
    sock: socket.socket, parts: SplitResult, host: str, port: int, *, body: bytes, headers: Mapping[str, str]
) -> Answer:
    connection = (http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection)(host, port)
    connection.sock = sock  # already connected, to the address that was judged
    target = quote(parts.path or "/", safe=_KEPT) + (f"?{quote(parts.query, safe=_KEPT)}" if parts.query else "")
    connection.request("POST", target, body=body, headers={**headers, "Connection": "close"})
    with connection.getresponse() as response:
        return Answer(response.status, response.read(MAX_ANSWER_BYTES))


class _Clock:
    """Cuts the connection at the deadline. A socket's own time limit begins anew with every byte: a server that drips
    its answer would hold a worker for hours."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self.is_over = False

    @contextmanager
    def of(self, sock: socket.socket) -> Iterator[None]:
        timer = threading.Timer(_left(self._deadline), self._cut, [sock])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self, sock: socket.socket) -> None:
        self.is_over = True
        with suppress(OSError):  # closed meanwhile
            # The plain socket's method: SSLSocket's own would drop its state under the reading thread.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _left(deadline: float) -> float:
    """Seconds until the deadline; never zero, which would mean "do not wait" to a socket."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise Unreachable(Fault.TIMEOUT)
    return left


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
