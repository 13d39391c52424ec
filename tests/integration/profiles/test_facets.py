"""Facets: golden values in columns of their own, and who is told by them alone."""

import datetime as dt
from contextlib import suppress
from itertools import product
from typing import Any

import pytest

from profiles.models import Profile

pytestmark = pytest.mark.django_db


def person(**golden: Any) -> Profile:
    made = Profile.objects.create(kind=Profile.Kind.IDENTIFIED, golden=golden)
    return Profile.objects.get(pk=made.pk)


def test_a_facet_of_days_holds_all_days_that_there_are_and_no_others() -> None:
    years = (999, 1000, 1600, 1900, 1996, 1999, 2000, 2023, 2024, 2100, 2999, 3000)
    written = [f"{year:04d}-{month:02d}-{day:02d}" for year, month, day in product(years, range(14), range(33))]
    days = []
    for text in written:
        with suppress(ValueError):
            day = dt.date.fromisoformat(text)
            days += [text] if 1000 <= day.year < 3000 else []
    golden = [{"birth_date": text} for text in written]
    Profile.objects.bulk_create(Profile(kind=Profile.Kind.IDENTIFIED, golden=one) for one in golden)
    held = Profile.objects.exclude(facet_birth_date=None)
    assert sorted(held.values_list("facet_birth_date", flat=True)) == sorted(days)
    assert set(held.values_list("facets_tell", flat=True)) == {True}
    assert Profile.objects.filter(facet_birth_date=None, facets_tell=False).count() == len(written) - len(days)


@pytest.mark.parametrize("value", ["2000-01-01T00:00:00Z", " 2000-01-01", "2000-01-01\n", "", ["2000-01-01"], 2000, {}])
def test_of_whoever_has_no_plain_day_the_facets_do_not_tell(value: object) -> None:
    somebody = person(birth_date=value)
    assert (somebody.facet_birth_date, somebody.facets_tell) == (None, False)


@pytest.mark.parametrize("value", [["Trang"], 9, True, {"a": 1}, "x" * 101])
def test_of_whoever_has_no_short_text_the_facets_do_not_tell(value: object) -> None:
    somebody = person(city=value)
    assert (somebody.facet_city, somebody.facets_tell) == (None, False)


@pytest.mark.parametrize("golden", [{}, {"city": None, "birth_date": None}, {"first_name": ["Nid"]}])
def test_of_whoever_has_no_value_they_tell_that(golden: dict[str, Any]) -> None:
    somebody = person(**golden)
    assert (somebody.facet_city, somebody.facet_birth_date, somebody.facets_tell) == (None, None, True)


def test_a_short_text_is_held_as_it_stands() -> None:
    somebody = person(city=" ตรัง ", birth_date="2000-02-29")
    assert (somebody.facet_city, somebody.facet_birth_date, somebody.facets_tell) == (" ตรัง ", "2000-02-29", True)
