"""Requests under the law that Shopify passes on: once each, matched by the customer's id, never silent."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core import personal_data
from cdp_site.core.models import AuditEvent, User
from consent import forwarded, subjects
from consent.models import DataSubjectRequest, ForwardedRequest
from ingestion.models import Source
from profiles import digest
from profiles.models import Profile
from tests.factories import reports
from tests.factories.webhooks import Sender, sender

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]


@pytest.fixture
def shop(web_shop: Source) -> Sender:
    return sender(web_shop, "shopify", purpose="marketing")


@pytest.fixture
def customer(shop: Sender) -> Profile:
    shop.topic("customers/create")
    digest.drain()
    return Profile.objects.get(birth_record__external_id=str(reports.CUSTOMER_ID))


def test_a_redaction_opens_the_erasure_of_the_customer(shop: Sender, customer: Profile) -> None:
    assert shop.topic("customers/redact").status_code == 200
    request = DataSubjectRequest.objects.get()
    assert (request.subject, request.status) == (customer.public_id, "received")
    assert (request.identity_checked, request.requested_by) == ("system", None)
    assert (request.due_at - request.received_at).days == 90
    row = ForwardedRequest.objects.get()
    assert (row.request, row.record, row.subject) == (request, "", None)
    assert row.closed_at is not None
    assert AuditEvent.objects.filter(action="request.receive", actor="system:webhook").count() == 1


def test_the_same_redaction_again_and_another_open_one_stay_one(shop: Sender, customer: Profile) -> None:
    for delivery_id in ("d-1", "d-1", "d-2"):
        assert shop.topic("customers/redact", delivery_id=delivery_id).status_code == 200
    assert DataSubjectRequest.objects.count() == 1
    assert ForwardedRequest.objects.count() == 2
    assert {row.request_id for row in ForwardedRequest.objects.all()} == {DataSubjectRequest.objects.get().pk}


def test_whether_a_customer_is_known_shows_in_no_answer(shop: Sender, customer: Profile) -> None:
    known = shop.topic("customers/redact")
    unknown = shop.topic("customers/redact", reports.CUSTOMER_REDACT | {"customer": {"id": 1, "email": "a@b.co.th"}})
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    [row] = ForwardedRequest.objects.waiting()
    assert (row.kind, row.record, row.request) == ("erasure", "1", None)


def test_the_address_alone_finds_nobody(shop: Sender, customer: Profile) -> None:
    told = reports.CUSTOMER_REDACT["customer"] | {"id": 1}
    shop.topic("customers/redact", reports.CUSTOMER_REDACT | {"customer": told})
    assert not DataSubjectRequest.objects.exists(), "a mailbox may be shared"


def test_a_request_that_was_faster_than_the_customer_is_matched_later(shop: Sender) -> None:
    shop.topic("customers/redact")
    shop.topic("customers/create")
    assert not DataSubjectRequest.objects.exists()
    digest.drain()
    forwarded.match_waiting()
    assert DataSubjectRequest.objects.count() == 1


def test_what_somebody_must_answer_waits_on_the_page(
    shop: Sender, customer: Profile, login: Login, compliance: User
) -> None:
    shop.topic("customers/data_request")
    shop.topic("shop/redact")
    assert not DataSubjectRequest.objects.exists(), "nothing is erased by itself"
    browser = login(compliance)
    page = browser.get(reverse("consent:requests")).content.decode()
    assert "Copy of the data" in page
    assert "Erasure of everybody whom the source brought" in page
    assert reverse("profiles:customer", args=[customer.public_id]) in page
    for row in ForwardedRequest.objects.waiting():
        assert browser.post(reverse("consent:close_forwarded", args=[row.pk])).status_code == 302
    assert not ForwardedRequest.objects.waiting().exists()
    assert all((row.record, row.subject, row.evidence) == ("", None, {}) for row in ForwardedRequest.objects.all())
    assert AuditEvent.objects.filter(action="request.forwarded_done").count() == 2
    again = ForwardedRequest.objects.all()[0]
    assert browser.post(reverse("consent:close_forwarded", args=[again.pk])).status_code == 409


def test_a_forwarded_erasure_is_shown_and_approved(
    shop: Sender, customer: Profile, login: Login, compliance: User
) -> None:
    shop.topic("customers/redact")
    request = DataSubjectRequest.objects.get()
    browser = login(compliance)
    assert "a system of the company" in browser.get(reverse("consent:requests")).content.decode()
    page = browser.get(reverse("consent:request", args=[request.pk])).content.decode()
    assert "Asked through a system" in page
    assert browser.post(reverse("consent:approve", args=[request.pk])).status_code == 302
    request.refresh_from_db()
    assert request.approved_by == compliance


@pytest.mark.parametrize("who", ["outsider", "agent", "marketer", "steward", "admin"])
def test_outsiders_find_nothing(shop: Sender, login: Login, request: pytest.FixtureRequest, who: str) -> None:
    shop.topic("shop/redact")
    row = ForwardedRequest.objects.get()
    browser = login(request.getfixturevalue(who))
    assert browser.post(reverse("consent:close_forwarded", args=[row.pk])).status_code == 404
    assert ForwardedRequest.objects.waiting().exists()


def test_an_erasure_finds_what_waits(shop: Sender, customer: Profile) -> None:
    shop.topic("customers/data_request")
    subject = subjects.find(customer.public_id)
    assert subject is not None
    holder = next(holder for holder in personal_data.holders() if holder.name == "consent.forwarded")
    assert holder.locate(subject) == {"consent.ForwardedRequest": 1}
    assert holder.export(subject)["consent.ForwardedRequest"][0]["kind"] == "access"
    assert holder.preview(subject).anonymised == {"consent.ForwardedRequest": 1}
    holder.erase(subject)
    assert holder.locate(subject) == {"consent.ForwardedRequest": 0}
    row = ForwardedRequest.objects.get()
    assert (row.subject, row.record) == (None, "")
