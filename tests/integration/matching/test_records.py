"""Records as matching compares them, out of the database."""

from typing import Any

import pytest
from django.utils import timezone

from ingestion.models import Source
from profiles.matching import records
from profiles.models import Identifier, Profile, SourceRecord
from tests.factories.arrivals import arrive, identify, row
from tests.factories.people import hold, make_record

pytestmark = pytest.mark.django_db


def test_what_a_record_says_is_compared(web_shop: Source, django_assert_num_queries: Any) -> None:
    arrive(
        web_shop,
        identify("u1", first_name="Suda", last_name="Rakdee", phone="086 345 1972", email="suda@baansabai.co.th"),
        identify("u2", birth_date="1990-04-01"),
    )
    ids = {record.external_id: record.pk for record in SourceRecord.objects.all()}
    with django_assert_num_queries(1):
        found = records.read(ids.values())
    assert found[ids["u1"]]["people"] == (("suda", "rakdee"),)
    assert found[ids["u1"]]["phones"] == ("+66863451972",)
    assert found[ids["u1"]]["emails"] == ("suda@baansabai.co.th",)
    assert found[ids["u2"]]["birth_dates"] == ("1990-04-01",)
    assert found[ids["u2"]]["phones"] is None


def test_what_is_no_evidence_is_not_compared() -> None:
    record = make_record()
    hold(record, "phone", "+66863451972")
    hold(record, "phone", "+66999999999", problem="junk")
    assert records.read([record.pk])[record.pk]["phones"] == ("+66863451972",)
    # Somebody else has the number now.
    Identifier.objects.filter(value="+66863451972").update(valid_to=timezone.now())
    assert records.read([record.pk])[record.pk]["phones"] is None


def test_nothing_is_asked_about_nobody(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert records.read([]) == {}


def test_all_records_come_in_portions_by_their_ids(pos: Source, web_shop: Source) -> None:
    arrive(pos, *(row(f"p{number}", first_name="Suda") for number in range(7)))
    arrive(web_shop, identify(device="d1", first_name="Suda"))
    ids = sorted(SourceRecord.objects.filter(kind="identified").values_list("pk", flat=True))
    Profile.objects.filter(birth_record=ids[2]).update(state="erasing")
    kept = ids[:2] + ids[3:]
    portions = [list(portion) for portion in records.stream(at_once=3)]
    assert portions == [kept[:2], kept[2:5], kept[5:]]
    assert [list(portion) for portion in records.stream(after=ids[4])] == [ids[5:]]
    assert list(records.stream(after=ids[-1])) == []
