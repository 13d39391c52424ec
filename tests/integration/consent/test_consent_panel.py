"""The consent panel of the 360 page: what it shows to whom, and what a member of staff records there."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.models import AccessLogEntry, AuditEvent, User
from consent import gate
from consent.forms import mark_of
from consent.models import Channel, ConsentEntry, Purpose
from consent.reasons import Reason
from ingestion.models import Source
from profiles.models import Profile, SourceRecord
from tests.customers import open_for_call
from tests.factories.consent import ask, marketing, on_day, say
from tests.factories.people import hold, make_person, merge, records_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(call_centre: Source) -> Profile:
    """Known to the call centre, whose department the agent is of."""
    profile = make_person(call_centre)
    hold(records_of(profile)[0], "email", "aree@shop.test")
    hold(records_of(profile)[0], "phone", "+66812345678")
    return profile


@pytest.fixture
def desk(login: Callable[[User], Client], agent: User) -> Client:
    client = login(agent)
    client.cookies["django_language"] = "en"
    return client


def panel_of(profile: Profile, purpose: str = "") -> str:
    return f"/customers/{profile.public_id}/consent/{f'?purpose={purpose}' if purpose else ''}"


def chips_of(profile: Profile) -> str:
    return f"/customers/{profile.public_id}/consent/chips/"


def cell_of(profile: Profile, channel: str = "email", purpose: str = "marketing") -> str:
    return f"/customers/{profile.public_id}/consent/{purpose}/{channel}/"


def tell(desk: Client, profile: Profile, answer: str, channel: str = "email", **fields: Any) -> Any:
    shown = desk.get(cell_of(profile, channel)).context["form"]
    overrules = shown.initial["overrules"] or ""
    data = {"answer": answer, "evidence": "call", "reference": "CALL-17", "overrules": overrules, **fields}
    return desk.post(f"{cell_of(profile, channel)}answer/", data, headers={"HX-Request": "true"})


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_addresses_are_shown_with_what_they_may_be_used_for(desk: Client, customer: Profile, agent: User) -> None:
    open_for_call(customer, to=agent)
    page = text_of(desk.get(panel_of(customer)))
    assert 'href="tel:+66812345678"' in page  # the service purpose needs no consent
    page = text_of(desk.get(panel_of(customer, "marketing")))
    assert "tel:" not in page
    assert "Never asked for consent" in page
    say(records_of(customer)[0], "granted", channel="phone")
    say(records_of(customer)[0], "refused", channel="email")
    page = text_of(desk.get(panel_of(customer, "marketing")))
    assert 'href="tel:+66812345678"' in page
    assert "mailto:" not in page
    assert "The customer refused" in page


@pytest.mark.parametrize("path", [panel_of, cell_of])
def test_addresses_of_a_customer_who_is_not_open_stand_nowhere_in_the_page(
    desk: Client, customer: Profile, path: Callable[[Profile], str]
) -> None:
    hold(records_of(customer)[0], "email", "work@shop.test")
    say(records_of(customer)[0], "granted", channel="email", address="aree@shop.test")
    page = text_of(desk.get(path(customer)))
    assert "a••••@shop.test" in page
    for hidden in ("aree@shop.test", "work@shop.test", "812345678", "tel:", "mailto:"):
        assert hidden not in page


def test_a_call_back_about_an_order_needs_no_consent_to_marketing(desk: Client, customer: Profile, agent: User) -> None:
    open_for_call(customer, to=agent)
    for channel in ("email", "phone", "sms"):
        say(records_of(customer)[0], "refused", channel=channel)
    about_an_order = text_of(desk.get(panel_of(customer, "service")))
    assert 'class="btn btn-sm btn-allowed" href="tel:+66812345678"' in about_an_order
    assert "btn-blocked" not in about_an_order
    assert "Needs no consent (contract)." in about_an_order
    with_an_offer = text_of(desk.get(panel_of(customer, "marketing")))
    assert "btn-allowed" not in with_an_offer
    assert with_an_offer.count("btn-blocked") == 3
    assert '<span class="blocked-why" aria-hidden="true">The customer refused</span>' in with_an_offer


def test_the_purposes_say_which_of_them_is_open(desk: Client, customer: Profile) -> None:
    page = text_of(desk.get(panel_of(customer)))
    chips = page.split('<ul class="cluster purposes">')[1].split("</ul>")[0].split("<li>")[1:]
    assert ["may be contacted" in chip for chip in chips] == [False, False, True]


def test_a_button_of_a_customer_who_is_not_open_asks_why_first(
    desk: Client, customer: Profile, login: Callable[[User], Client], steward: User
) -> None:
    page = text_of(desk.get(panel_of(customer)))
    assert page.count(f'href="/customers/{customer.public_id}/reveal/"') == 3  # e-mail, SMS and call
    assert "/reveal/" not in text_of(login(steward).get(panel_of(customer)))


def test_the_matrix_says_each_state_in_words(desk: Client, customer: Profile) -> None:
    record = records_of(customer)[0]
    say(record, "granted", channel="email")
    say(record, "withdrawn", channel="sms")
    page = text_of(desk.get(panel_of(customer)))
    assert "Marketing, e-mail: Granted, since" in page
    assert "Marketing, SMS: Withdrawn, since" in page
    assert "Marketing, LINE: Never asked" in page


def test_it_is_in_thai_by_default(login: Callable[[User], Client], agent: User, customer: Profile) -> None:
    assert "การตลาด" in text_of(login(agent).get(panel_of(customer)))


def test_an_outsider_and_another_department_get_404(
    login: Callable[[User], Client], outsider: User, marketer: User, customer: Profile
) -> None:
    paths = [panel_of(customer), cell_of(customer), f"/customers/{customer.public_id}/access-log/"]
    for user in (outsider, marketer):  # the call centre is not the marketer's
        assert {login(user).get(path).status_code for path in paths} == {404}
    assert login(marketer).post(f"{cell_of(customer)}answer/", {}).status_code == 404


def test_what_does_not_exist_is_404(desk: Client, customer: Profile) -> None:
    paths = [cell_of(customer, "fax"), cell_of(customer, purpose="nothing"), cell_of(customer, purpose="retired")]
    Purpose.objects.create(slug="retired", name="Retired", is_active=False)
    assert {desk.get(path).status_code for path in paths} == {404}


def test_a_role_without_identifiers_sees_masks(
    login: Callable[[User], Client], marketer: User, web_shop: Source
) -> None:
    profile = make_person(web_shop)
    hold(records_of(profile)[0], "email", "aree@shop.test")
    say(records_of(profile)[0], "granted", address="aree@shop.test")
    for path in (panel_of(profile, "marketing"), cell_of(profile)):
        page = text_of(login(marketer).get(path))
        assert "aree@shop.test" not in page
        assert "a••••@shop.test" in page
    assert "record_consent" not in page
    assert "answer/" not in page


def test_every_look_is_logged(desk: Client, customer: Profile) -> None:
    desk.get(panel_of(customer))
    desk.get(cell_of(customer))
    assert list(AccessLogEntry.objects.values_list("profile", "what")) == [(customer.public_id, "profile.consent")] * 2


def test_it_costs_few_queries(
    desk: Client, customer: Profile, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for channel in Channel:
        say(records_of(customer)[0], "granted", channel=channel)
    desk.get(panel_of(customer))
    # session, user, scope (3), profile, access log, entries, identifiers, postal address (2), request, purposes
    with django_assert_max_num_queries(13):
        desk.get(panel_of(customer))


def test_the_head_of_the_page_says_it_in_brief(
    desk: Client, customer: Profile, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Of the purpose that takes a consent, a chip a channel, which opens the cell."""
    say(records_of(customer)[0], "granted", channel="email", address="aree@shop.test")
    say(records_of(customer)[0], "withdrawn", channel="sms")
    desk.get(chips_of(customer))
    with django_assert_max_num_queries(13):
        shown = text_of(desk.get(chips_of(customer)))
    assert re.findall(r"chip-cell is-(\w+)", shown) == [
        "granted",
        "withdrawn",
        "never",
        "never",
    ]
    assert f'hx-get="{cell_of(customer)}"' in shown
    assert "aree@shop.test" not in shown


def test_the_head_of_the_page_learns_of_an_answer(desk: Client, customer: Profile) -> None:
    assert "consent:changed from:body" in text_of(desk.get(chips_of(customer)))
    assert "consent:changed" in tell(desk, customer, "deny").headers["HX-Trigger"]
    assert "chip-cell is-refused" in text_of(desk.get(chips_of(customer)))


def test_the_head_of_an_earlier_day_has_no_links(desk: Client, customer: Profile) -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    shown = text_of(desk.get(f"{chips_of(customer)}?as_of={yesterday:%Y-%m-%d}"))
    assert "chip-cell" in shown
    assert "hx-get" not in shown


# --- answers --------------------------------------------------------------------------------------------------------


def test_a_grant_is_recorded_for_the_address_and_the_panel_comes_back(
    desk: Client, agent: User, customer: Profile
) -> None:
    answer = tell(desk, customer, "grant")
    assert answer.status_code == 200
    assert answer.headers["HX-Retarget"] == "#panel-consent-body"
    assert "dialog:close" in answer.headers["HX-Trigger"]
    assert "Consent recorded." in text_of(answer)
    entry = ConsentEntry.objects.get()
    assert (entry.state, entry.address, entry.origin) == ("granted", "aree@shop.test", "screen")
    assert (entry.actor, entry.evidence) == (f"user:{agent.pk}", {"how": "call", "reference": "CALL-17"})
    assert entry.record.kind == SourceRecord.Kind.AGENT
    assert gate.may_use(customer, marketing(), Channel.EMAIL).is_given
    assert AuditEvent.objects.filter(action="consent.granted").exists()


def test_without_htmx_it_leads_back_to_the_customer(desk: Client, customer: Profile) -> None:
    answer = desk.post(f"{cell_of(customer)}answer/", {"answer": "deny", "evidence": "call"})
    assert answer.headers["Location"] == f"/customers/{customer.public_id}/"


def test_a_denial_is_a_withdrawal_when_there_was_a_grant(desk: Client, customer: Profile) -> None:
    tell(desk, customer, "deny")
    assert ConsentEntry.objects.get().state == "refused"
    tell(desk, customer, "grant")
    tell(desk, customer, "deny")
    assert list(ConsentEntry.objects.order_by("occurred_at").values_list("state", "address")) == [
        ("refused", ""),
        ("granted", "aree@shop.test"),
        ("withdrawn", ""),
    ]
    assert gate.may_use(customer, marketing(), Channel.EMAIL).reason is Reason.WITHDRAWN


def test_a_grant_names_and_overrules_the_refusal_of_another_record(
    desk: Client, customer: Profile, web_shop: Source
) -> None:
    other = make_person(web_shop)
    say(records_of(other)[0], "refused", day=3)
    merge(customer, other)
    page = text_of(desk.get(cell_of(customer)))
    assert "A consent overrules what was said before" in page
    assert "Web shop" not in page  # it counts, and its source is another department's
    assert "heard by another department" in page
    tell(desk, customer, "grant")
    assert ConsentEntry.objects.get(state="granted").supersedes_until == on_day(3)
    assert gate.may_use(customer, marketing(), Channel.EMAIL).is_given


def test_a_refusal_that_came_meanwhile_is_not_overruled(desk: Client, customer: Profile, web_shop: Source) -> None:
    other = make_person(web_shop)
    merge(customer, other)
    shown = desk.get(cell_of(customer)).context["form"].initial["overrules"]
    say(records_of(customer)[-1], "refused")
    data = {"answer": "grant", "evidence": "call", "overrules": shown or ""}
    answer = desk.post(f"{cell_of(customer)}answer/", data, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "Another answer has just been recorded" in text_of(answer)
    assert not ConsentEntry.objects.filter(state="granted").exists()


def test_of_two_addresses_one_may_be_allowed_and_one_withdrawn(desk: Client, customer: Profile) -> None:
    hold(records_of(customer)[0], "email", "work@shop.test")
    assert tell(desk, customer, "grant").status_code == 422  # which one?
    tell(desk, customer, "grant", addresses=[mark_of("aree@shop.test"), mark_of("work@shop.test")])
    tell(desk, customer, "deny", addresses=[mark_of("work@shop.test")])
    permission = gate.may_use(customer, marketing(), Channel.EMAIL)
    assert permission.addresses == ("aree@shop.test",)
    assert permission.blocked == (("work@shop.test", Reason.WITHDRAWN),)
    assert tell(desk, customer, "grant", addresses=["mine@evil.test"]).status_code == 422


def test_nothing_is_allowed_for_an_address_that_is_none(desk: Client, customer: Profile) -> None:
    answer = tell(desk, customer, "grant", channel="line")
    assert answer.status_code == 422
    assert "Choose the address" in text_of(answer)
    assert tell(desk, customer, "deny", channel="line").status_code == 200


def test_an_answer_without_how_it_was_told_is_refused(desk: Client, customer: Profile) -> None:
    answer = tell(desk, customer, "grant", evidence="")
    assert answer.status_code == 422
    assert not ConsentEntry.objects.exists()


def test_while_erasure_is_asked_for_the_panel_says_so(desk: Client, customer: Profile, compliance: User) -> None:
    ask(customer, compliance, received_at=timezone.now())
    page = text_of(desk.get(panel_of(customer)))
    assert "The customer asked for erasure" in page
    assert "tel:" not in page


# --- who looked -----------------------------------------------------------------------------------------------------


def test_compliance_sees_who_opened_the_customer_under_any_id(
    login: Callable[[User], Client], compliance: User, agent: User, customer: Profile, web_shop: Source
) -> None:
    other = make_person(web_shop)
    AccessLogEntry.objects.create(actor=f"user:{agent.pk}", profile=other.public_id, what="profile.view")
    merge(customer, other)
    page = text_of(login(compliance).get(f"/customers/{customer.public_id}/access-log/"))
    assert "agent" in page


def test_an_agent_does_not_see_who_looked(desk: Client, customer: Profile) -> None:
    assert desk.get(f"/customers/{customer.public_id}/access-log/").status_code == 404
    assert "access-log" not in text_of(desk.get(f"/customers/{customer.public_id}/"))
