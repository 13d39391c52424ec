"""A report is genuine under its own secret, body and moment, and under nothing else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.webhooks.signatures import LINE, SHOPIFY, Scheme, is_genuine, sign

SECRET = b"channel-secret-8f742231b10e8888"
BODY = '{"events": [], "ชื่อ": "สมชาย"}'.encode()
SCHEMES = [
    SHOPIFY,
    LINE,
    Scheme("X-Hub-Signature-256", encoding="hex", prefix="sha256="),
    Scheme("X-Signature", algorithm="sha1", encoding="hex"),
    Scheme("X-Signature", algorithm="sha512"),
    Scheme("X-Signature", encoding="hex", timestamp_header="X-Timestamp"),
]
NOW = 1_763_614_800


def genuine(scheme: Scheme, body: bytes, signature: str, *, timestamp: str = str(NOW)) -> bool:
    return is_genuine(SECRET, body, scheme, signature=signature, timestamp=timestamp, now=NOW)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_flipped_bit_of_body_and_signature_is_noticed(scheme: Scheme) -> None:
    signature = sign(SECRET, BODY, scheme, timestamp=str(NOW))
    assert genuine(scheme, BODY, signature)
    for place in range(len(BODY) * 8):
        assert not genuine(scheme, flipped(BODY, place), signature)
    written = signature.encode()
    for place in range(len(written) * 8):
        assert not genuine(scheme, BODY, flipped(written, place).decode("latin-1"))


@given(body=st.binary(max_size=300), place=st.integers(min_value=0), scheme=st.sampled_from(SCHEMES))
def test_any_bit_of_any_body(body: bytes, place: int, scheme: Scheme) -> None:
    signature = sign(SECRET, body, scheme, timestamp=str(NOW))
    assert genuine(scheme, body, signature)
    if body:
        assert not genuine(scheme, flipped(body, place % (len(body) * 8)), signature)
    assert not genuine(scheme, body + b"\0", signature)


def flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def test_the_example_of_the_documentation() -> None:
    """The secret's HMAC-SHA-256 in base64, as Shopify and LINE write it."""
    signature = sign(b"hush", b'{"id":1}', SHOPIFY)
    assert len(base64.b64decode(signature)) == 32
    assert is_genuine(b"hush", b'{"id":1}', SHOPIFY, signature=signature)


@pytest.mark.parametrize("signature", ["", "sha256=", "ไทย", "\udce0", "=" * 10_000])
def test_nonsense_is_no_signature(signature: str) -> None:
    assert not any(genuine(scheme, BODY, signature) for scheme in SCHEMES)


def test_another_spelling_of_the_same_bytes_is_refused() -> None:
    """Of the last letter of a base64 text some bits mean nothing; letters of hexadecimal have two cases."""
    signature = sign(SECRET, BODY, LINE)
    last = signature[-2]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = signature[:-2] + alphabet[alphabet.index(last) ^ 1] + "="
    assert base64.b64decode(twin) == base64.b64decode(signature)
    assert not genuine(LINE, BODY, twin)
    by_hex = Scheme("X-Signature", encoding="hex")
    assert not genuine(by_hex, BODY, sign(SECRET, BODY, by_hex).upper())


@pytest.mark.parametrize(
    ("timestamp", "is_recent"),
    [
        (str(NOW), True),
        (str(NOW - 300), True),
        (str(NOW + 300), True),
        (str(NOW - 301), False),
        (str(NOW + 301), False),
        ("", False),
        ("-1", False),
        ("١٢٣", False),
        ("9" * 400, False),
        ("1e9", False),
    ],
)
def test_a_report_is_good_for_some_minutes_only(timestamp: str, is_recent: bool) -> None:
    scheme = Scheme("X-Signature", timestamp_header="X-Timestamp")
    signature = sign(SECRET, BODY, scheme, timestamp=timestamp)
    assert genuine(scheme, BODY, signature, timestamp=timestamp) is is_recent
