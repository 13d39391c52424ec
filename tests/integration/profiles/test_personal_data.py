"""The profiles app's holders: what they find, give out, and leave behind after an erasure."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from cdp_site.core import personal_data
from cdp_site.core.append_only import erasure_step
from cdp_site.core.models import User
from cdp_site.core.personal_data import Ground, Subject
from ingestion.models import Source
from profiles import digest, merging, notes, rebuild
from profiles.models import Membership, Order, Profile, SourceRecord, Touchpoint
from tests.factories.arrivals import arrive, identify, row, track

pytestmark = pytest.mark.django_db

PHONE = "0863451972"


@pytest.fixture
def suda(web_shop: Source, pos: Source, agent: User) -> Profile:
    arrive(
        web_shop,
        identify("u1", firstName="Suda", lastName="Rakdee", email="suda@baansabai.co.th", device="kiosk"),
        track("Page Viewed", device="kiosk"),
        track("Order Completed", "u1", order_id="o1", products=[{"sku": "A", "price": 10}]),
        track("Order Completed", "u1", order_id="old", total=5),
    )
    arrive(pos, row("p1", email="suda@baansabai.co.th", phone=PHONE))
    Order.objects.filter(external_id="old").update(placed_at=timezone.now() - timedelta(days=3000))
    profile = Profile.objects.people().get()
    notes.add(profile=profile, text="Likes tea", by=agent)
    return profile


def subject(profile: Profile) -> Subject:
    records = Membership.objects.filter(profile=profile, valid_to=None).values_list("record", flat=True)
    births = Profile.objects.filter(birth_record__in=records)
    return Subject(
        profile_ids=tuple(births.values_list("pk", flat=True)),
        record_ids=tuple(records),
        public_ids=tuple(births.values_list("public_id", flat=True)),
    )


def holders() -> list[personal_data.Holder]:
    return [holder for holder in personal_data.holders() if holder.name.startswith("profiles.")]


def erase(who: Subject) -> dict[str, personal_data.Outcome]:
    outcomes = {}
    for holder in holders():
        with transaction.atomic(), erasure_step(holder.name):
            outcomes[holder.name] = holder.erase(who)
    return outcomes


def test_what_is_exported_is_json_and_complete(suda: Profile) -> None:
    exported = {label: rows for holder in holders() for label, rows in holder.export(subject(suda)).items()}
    text = json.dumps(exported, ensure_ascii=False)
    for value in ("Suda", "suda@baansabai.co.th", "+66863451972", "Likes tea", "Page Viewed", "o1", "A"):
        assert value in text


def test_an_erasure_leaves_nothing_but_stubs_of_orders(suda: Profile, web_shop: Source) -> None:
    who = subject(suda)
    foreseen = {holder.name: holder.preview(who) for holder in holders()}
    done = erase(who)
    assert {name: outcome.kept for name, outcome in done.items()} == {
        name: outcome.kept for name, outcome in foreseen.items()
    }
    assert done["profiles.orders"].kept == {"profiles.Order": (1, Ground.ACCOUNTING)}
    assert done["profiles.touchpoints"].erased == foreseen["profiles.touchpoints"].erased
    for holder in holders():
        assert set(holder.locate(who).values()) <= {0}, holder.name
    assert not SourceRecord.objects.exists()
    stub = Order.objects.get()
    assert (stub.external_id, stub.record, stub.profile) == ("o1", None, None)
    assert stub.lines.count() == 1


def test_erased_messages_are_not_taken_again(suda: Profile, web_shop: Source) -> None:
    message = track("Page Viewed", "u7")
    arrive(web_shop, message)
    erase(subject(Profile.objects.get(birth_record__external_id="u7")))
    assert arrive(web_shop, message) == {"duplicate": 1}


def test_those_who_shared_a_device_are_looked_at_again(suda: Profile, web_shop: Source) -> None:
    arrive(web_shop, identify("u2", device="kiosk"))
    assert Touchpoint.objects.get(record__kind="anonymous").profile.kind == "anonymous"
    erase(subject(Profile.objects.get(birth_record__external_id="u2")))
    digest.drain()
    assert Touchpoint.objects.get(record__kind="anonymous").profile == suda
    assert rebuild.check() == []


def test_who_was_once_merged_with_the_person_keeps_no_trace(suda: Profile, web_shop: Source, steward: User) -> None:
    arrive(web_shop, identify("u2"))
    other = Profile.objects.get(birth_record__external_id="u2")
    done = merging.merge(profiles=[suda, other], by=steward, reason="one")
    merging.revert(operation=done.operation, by=steward, reason="two")
    who = subject(suda)
    erase(who)
    assert set(Membership.objects.values_list("profile", flat=True)) == {other.pk}
    assert rebuild.check() == []
