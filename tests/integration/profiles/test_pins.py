"""A person decides which record's value wins."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, User
from ingestion.models import Source
from profiles import pins, rebuild
from profiles.models import Pin, Profile, SourceRecord
from tests.factories.arrivals import arrive, identify, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def suda(web_shop: Source, pos: Source) -> Profile:
    """The point of sale is trusted more than the shop."""
    said = {"email": "suda@baansabai.co.th"}
    arrive(web_shop, identify("u1", first_name="Suda", last_name="Rakdee", city="Trang", **said))
    arrive(pos, row("p1", first_name="Sudarat", last_name="Rakdee", city="Phuket", **said))
    return Profile.objects.people().get()


def record(external_id: str) -> SourceRecord:
    return SourceRecord.objects.get(external_id=external_id)


def test_the_pinned_value_wins_until_the_pin_goes(suda: Profile, steward: User) -> None:
    pins.add(profile=suda, record=record("u1"), trait="city", by=steward)
    suda.refresh_from_db()
    assert (suda.golden["city"], suda.golden["first_name"]) == ("Trang", "Sudarat")
    pins.remove(profile=suda, trait="city", by=steward)
    suda.refresh_from_db()
    assert suda.golden["city"] == "Phuket"
    assert list(AuditEvent.objects.values_list("action", "fields").order_by("pk")) == [
        ("profile.pin", ["city"]),
        ("profile.unpin", ["city"]),
    ]
    assert rebuild.check() == []


def test_a_new_pin_replaces_those_of_the_same_name(suda: Profile, steward: User) -> None:
    pins.add(profile=suda, record=record("u1"), trait="first_name", by=steward)
    pins.add(profile=suda, record=record("p1"), trait="last_name", by=steward)
    assert Pin.objects.in_force().get().record == record("p1")
    suda.refresh_from_db()
    assert suda.golden["first_name"] == "Sudarat"


def test_a_pin_ends_when_its_days_are_over(suda: Profile, steward: User) -> None:
    pins.add(profile=suda, record=record("u1"), trait="city", by=steward, days=7)
    pins.add(profile=suda, record=record("u1"), trait="first_name", by=steward)
    with time_machine.travel(timezone.now() + timedelta(days=6)):
        assert pins.end_expired() == 0
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        assert pins.end_expired() == 1
        assert pins.end_expired() == 0
    suda.refresh_from_db()
    assert (suda.golden["city"], suda.golden["first_name"]) == ("Phuket", "Suda")
    assert AuditEvent.objects.filter(action="profile.unpin", actor="system:pins").get().fields == ["city"]
    assert rebuild.check() == []


def test_what_is_not_said_cannot_be_pinned(suda: Profile, steward: User, web_shop: Source) -> None:
    with pytest.raises(ConflictProblem):
        pins.add(profile=suda, record=record("u1"), trait="gender", by=steward)
    arrive(web_shop, identify("u2", city="Trang"))
    with pytest.raises(ConflictProblem):
        pins.add(profile=suda, record=record("u2"), trait="city", by=steward)
