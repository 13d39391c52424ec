"""A passport is known by its number and its country, however the files that hold it write the country."""

import pytest

from ingestion.models import Source
from profiles import rebuild
from profiles.models import Identifier
from tests.customers import profile_of
from tests.factories.arrivals import arrive, row

pytestmark = pytest.mark.django_db


def passport(country: str) -> tuple[dict[str, str], ...]:
    return ({"kind": "passport", "namespace": country, "value": "ab" * 32, "raw": "4567"},)


def test_two_ways_to_write_a_country_are_one_person(pos: Source, web_shop: Source) -> None:
    arrive(pos, row("P1", first_name="Ann", identifiers=passport("usa")))
    arrive(web_shop, row("u1", first_name="Ann", identifiers=passport("us")))
    assert profile_of(pos, "P1") == profile_of(web_shop, "u1")
    assert set(Identifier.objects.values_list("kind", "namespace")) == {("passport", "us")}
    assert rebuild.check() == []


def test_two_countries_are_two_people(pos: Source, web_shop: Source) -> None:
    arrive(pos, row("P1", first_name="Ann", identifiers=passport("gbr")))
    arrive(web_shop, row("u1", first_name="Ann", identifiers=passport("us")))
    assert profile_of(pos, "P1") != profile_of(web_shop, "u1")


def test_without_a_country_it_is_the_sources_own_even_if_that_is_called_like_one(web_shop: Source) -> None:
    Source.objects.filter(pk=web_shop.pk).update(slug="usa")
    web_shop.refresh_from_db()
    arrive(web_shop, row("u1", first_name="Ann", identifiers=passport("")))
    assert set(Identifier.objects.filter(kind="passport").values_list("namespace", flat=True)) == {"usa"}
