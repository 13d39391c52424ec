"""The address of cdp.js: small, cacheable, for pages of any origin."""

import gzip

import pytest

pytestmark = pytest.mark.django_db

MOST_BYTES = 3 * 1024


def test_it_is_at_most_3_kb_packed(client):
    answer = client.get("/cdp.js", headers={"Accept-Encoding": "gzip, br"})

    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) <= MOST_BYTES
    assert gzip.decompress(answer.content) == client.get("/cdp.js").content


def test_any_page_may_load_it_and_keeps_it_for_a_while(client):
    answer = client.get("/cdp.js")

    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert (answer["Access-Control-Allow-Origin"], answer["Cross-Origin-Resource-Policy"]) == ("*", "cross-origin")
    assert "Accept-Encoding" in answer["Vary"]
    again = client.get("/cdp.js", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_it_takes_no_post(client):
    assert client.post("/cdp.js").status_code == 405
