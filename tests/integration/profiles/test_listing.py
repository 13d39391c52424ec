"""A list shows of a customer what the customer's page shows of the same traits."""

import pytest

from cdp_site.core.access import scope_of
from cdp_site.core.models import User
from ingestion.models import Source
from profiles import directory, listing, overview
from profiles.models import Pin, Profile, SourceRecord, Trait, TraitGroup
from tests.factories.arrivals import arrive, identify

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(web_shop: Source, pos: Source) -> None:
    arrive(
        web_shop,
        identify("u-1", firstName="สมชาย", lastName="ใจดี", email="somchai@baansabai.co.th", city="Bangkok", day=1),
        identify("u-2", firstName="Somying", phone="0863451972", shoe_size=38),
    )
    arrive(
        pos,
        identify(
            "P1", firstName="Somchai", lastName="Jaidee", email="somchai@baansabai.co.th", phone="0812345678", day=2
        ),
    )


def agree(by: User) -> None:
    scope, profiles = scope_of(by), list(Profile.objects.people())
    records = overview.records_of(profiles, scope)
    values = overview.values_of(records, scope)
    listed = listing.read(profiles, scope)
    assert listed.keys() == values.keys()
    for number, known in values.items():
        assert listed[number].values == {trait: value for trait, value in known.items() if trait in listing.TRAITS}
        assert listed[number].sources == overview.sources_of(records[number])


def test_of_all_sources_and_of_a_part(people: None, steward: User, agent: User, marketer: User) -> None:
    for viewer in (steward, agent, marketer):
        agree(viewer)


def test_with_a_pin(people: None, steward: User) -> None:
    Pin.objects.create(record=SourceRecord.objects.get(external_id="P1"), trait="first_name", actor="user:1")
    somchai = Profile.objects.people().filter(memberships__record__external_id="P1")
    (shown,) = directory.rows(list(somchai), by=steward)
    assert shown.name == "Somchai Jaidee"
    assert [str(source) for source in shown.sources] == ["Web shop", "Point of sale"]
    agree(steward)


def test_without_what_is_hidden(people: None, marketer: User, care: object) -> None:
    TraitGroup.objects.filter(slug="contact").update(department=care)
    shown = directory.rows(list(Profile.objects.people()), by=marketer)
    assert all(not row.phone and not row.email for row in shown)
    agree(marketer)


def test_of_a_trait_that_nobody_has_classified(people: None, steward: User) -> None:
    Trait.objects.filter(name="first_name").delete()
    agree(steward)


def test_of_nobody(steward: User) -> None:
    assert directory.rows([], by=steward) == []
