"""A value is seen in whatever dress it is, and told by its number alone."""

import base64
import gzip
import io
import json
import pickle
import zipfile
import zlib
from urllib.parse import quote

import pytest
from django.core import signing

from cdp_site.core import hashing
from consent.erasure.traces import Canaries

NAME, PHONE, MAIL = "สมหญิง แก้วกนก", "+66 86 345 1972", "Somying.K@baansabai.co.th"
canaries = Canaries([NAME, PHONE, MAIL])


def _zip(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", data)
    return file.getvalue()


DRESSES = {
    "plain": lambda text: text.encode(),
    "upper case": lambda text: text.upper().encode(),
    "JSON": lambda text: json.dumps({"name": text}).encode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"name": text})).encode(),
    "percent": lambda text: quote(text).encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "TIS-620": lambda text: text.encode("cp874"),
    "base64": lambda text: b'{"payload": "' + base64.b64encode(text.encode()) + b'"}',
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).rstrip(b"="),
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "zlib": lambda text: zlib.compress(text.encode()),
    "gzip": lambda text: gzip.compress(text.encode()),
    "pickle": lambda text: pickle.dumps((text,)),
    "first pickle": lambda text: pickle.dumps((text,), protocol=0),
    "job": lambda text: signing.dumps(text, compress=True).encode(),
    "pickled, packed, in base64": lambda text: base64.b64encode(zlib.compress(pickle.dumps([text] * 50))),
    "sealed": lambda text: hashing.seal(text.encode()),
    "sealed in JSON": lambda text: json.dumps({"work": hashing.seal(text.encode()).decode()}).encode(),
    "workbook": lambda text: _zip(text.encode()),
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_value_is_found_in_every_dress(dress: str, number: int) -> None:
    found = canaries.within(b"before \xff " + b"" + DRESSES[dress](canaries.values[number - 1]))
    if dress in {"gzip", "workbook"}:  # known by how a file begins
        found = canaries.within(DRESSES[dress](canaries.values[number - 1]))
    assert number in {one.value for one in found}


@pytest.mark.parametrize("written", ["0863451972", "+66863451972", "086-345-1972", "66 86 345 1972", "(086) 345-1972"])
def test_a_telephone_number_however_it_is_written(written: str) -> None:
    assert {one.value for one in canaries.within(written.encode())} == {2}


def test_what_is_not_there_is_not_found() -> None:
    others = "มานี มีตา, 0812345678, manee@baansabai.co.th, " + base64.b64encode(bytes(range(256))).decode()
    assert canaries.within(others.encode() + zlib.compress(others.encode())) == set()


def test_what_proves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="value 2 is shorter"):
        Canaries(["long enough", "ab"])
    with pytest.raises(ValueError, match="no value"):
        Canaries(["", "  "])
