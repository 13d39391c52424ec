"""The certificate of an erasure."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cdp_site.core import audit
from consent import certificate, erasure
from consent.models import DataSubjectRequest

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(approved: DataSubjectRequest) -> dict[str, Any]:
    audit.seal_pending()
    erasure.run(approved.pk)
    approved.refresh_from_db()
    assert approved.certificate is not None
    return json.loads(json.dumps(approved.certificate))


def test_the_certificate_says_what_was_done_and_names_nobody(document: dict[str, Any], approved: Any) -> None:
    text = json.dumps(document, ensure_ascii=False)
    for value in ("อารีย์", "aree0@shop.test", "+66812345678", "called twice", "compliance", "colleague"):
        assert value not in text
    stores = {store["store"]: store for store in document["stores"]}
    assert stores["consent.ledger"]["erased"] == {"consent.ConsentEntry": 2}
    kept = [line["ground"] for store in document["stores"] for line in store["kept"]]
    assert "suppression" in kept
    assert document["request"]["approved_by_a_second_person"]
    assert document["erasure"]["in_time"]
    assert len(document["audit"]["chain_hash"]) == 64


def test_the_certificate_verifies_with_and_without_the_keys(document: dict[str, Any]) -> None:
    assert certificate.verify(document)
    assert certificate.verify(document, public_key=document["signature"]["public_key"])


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one["request"].update(received_at="2026-01-01T00:00:00+00:00"),
        lambda one: one["stores"].pop(),
        lambda one: one["stores"][1]["erased"].update(x=1),
        lambda one: one.update(issuer="Somebody else"),
        lambda one: one["signature"].update(key_id="k9"),
        lambda one: one["signature"].update(value="AAAA"),
        lambda one: one["signature"].update(value=None),
        lambda one: one["signature"].update(public_key="AAAA"),
        lambda one: one.pop("signature"),
    ],
)
def test_one_change_and_it_does_not_verify(
    document: dict[str, Any], change: Callable[[dict[str, Any]], object]
) -> None:
    change(document)
    assert not certificate.verify(document)
