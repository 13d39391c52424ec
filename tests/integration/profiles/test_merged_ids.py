"""An id that was merged away goes on leading to its customer, on every page that bears one."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from cdp_site.core.models import AccessLogEntry, User
from consent import urls as consent_urls
from ingestion.models import Source
from profiles import merging
from profiles import urls as profiles_urls
from profiles.models import Note, Profile
from tests.customers import Tell, identify, profile_of

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
# What the other parts of an address are; a page with parts that are not here has to be added.
PARTS = {"purpose": "marketing", "channel": "email"}


def pages() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every address with a customer's id: its name, and its parts."""
    for app in (profiles_urls, consent_urls):
        for route in app.urlpatterns:
            if isinstance(route, URLPattern):
                parts = tuple(route.pattern.converters)
                if "public_id" in parts and set(parts) <= {"public_id", *PARTS}:
                    yield f"{app.app_name}:{route.name}", parts


@pytest.fixture
def twin(somchai: Profile, tell: Tell, web_shop: Source, steward: User) -> Profile:
    """Merged into somchai by hand."""
    tell(web_shop, identify("u2", firstName="สมชาย", lastName="ใจดี", email="other@baansabai.co.th"))
    twin = profile_of(web_shop, "u2")
    merging.merge(profiles=[somchai, twin], by=steward, reason="same")
    return twin


@pytest.mark.parametrize(("name", "parts"), list(pages()))
def test_every_page_of_a_merged_id_leads_to_the_same_page_of_the_customer(
    name: str, parts: tuple[str, ...], somchai: Profile, twin: Profile, as_steward: Client
) -> None:
    def address(profile: Profile) -> str:
        return reverse(name, kwargs={part: PARTS.get(part, profile.public_id) for part in parts})

    answer = as_steward.get(f"{address(twin)}?kind=order")
    allowed_to_read = answer.status_code != 405
    if allowed_to_read and as_steward.get(address(somchai)).status_code != 404:
        assert (answer.status_code, answer["Location"]) == (302, f"{address(somchai)}?kind=order")


def test_the_ids_of_a_chain_of_merges_lead_to_the_last(
    somchai: Profile, twin: Profile, manee: Profile, as_steward: Client, steward: User
) -> None:
    (last,) = merging.merge(profiles=[somchai, manee], by=steward, reason="same").profiles
    for one in {somchai, twin, manee} - {last}:
        answer = as_steward.get(reverse("profiles:customer", args=[one.public_id]))
        assert answer["Location"] == reverse("profiles:customer", args=[last.public_id])


def test_both_ids_of_a_comparison_are_followed(
    somchai: Profile, twin: Profile, manee: Profile, as_steward: Client
) -> None:
    for stale, now in ([(twin, manee), (somchai, manee)], [(manee, twin), (manee, somchai)]):
        answer = as_steward.get(reverse("profiles:merge", args=[one.public_id for one in stale]))
        assert answer["Location"] == reverse("profiles:merge", args=[one.public_id for one in now])


def test_what_was_decided_before_a_merged_id_is_not_written_to_another(
    somchai: Profile, twin: Profile, as_steward: Client
) -> None:
    answer = as_steward.post(reverse("profiles:add_note", args=[twin.public_id]), {"text": "calls back"})
    assert answer.status_code == 409
    assert not Note.objects.exists()


def test_a_merged_id_leads_nobody_to_a_customer_who_is_not_theirs(
    manee: Profile, tell: Tell, web_shop: Source, login: Login, steward: User, agent: User, outsider: User
) -> None:
    tell(web_shop, identify("u8", firstName="มานี", lastName="มีนา"))
    twin = profile_of(web_shop, "u8")
    merging.merge(profiles=[manee, twin], by=steward, reason="same")
    gone = max(manee, twin, key=lambda profile: profile.pk)
    for user in (agent, outsider):
        assert login(user).get(reverse("profiles:customer", args=[gone.public_id])).status_code == 404
    assert not AccessLogEntry.objects.exists()
