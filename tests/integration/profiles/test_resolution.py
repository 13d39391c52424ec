"""Who is who, as it is stored: what arrives in whatever order ends in the same profiles."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion.models import Source
from profiles import rebuild
from profiles.models import (
    Identifier,
    IdentifierKey,
    LinkDecision,
    Membership,
    PendingResolution,
    Profile,
    SourceRecord,
    Touchpoint,
)
from profiles.resolution import pipeline
from tests.factories.arrivals import arrive, identify, on_day, row, track

pytestmark = pytest.mark.django_db

PHONE = "0863451972"
EMAIL = "suda@baansabai.co.th"


@pytest.fixture
def sources(web_shop: Source, pos: Source, call_centre: Source) -> dict[str, Source]:
    return {"web": web_shop, "pos": pos, "care": call_centre}


@pytest.fixture(autouse=True)
def nothing_to_mend() -> Iterator[None]:
    """After every story the stored state is what a rebuild would make of it."""
    yield
    assert rebuild.check() == []
    assert not PendingResolution.objects.exists()


def people() -> list[set[str]]:
    """Live profiles as sets of their records' external ids."""
    found: dict[int, set[str]] = {}
    for profile, external_id in Membership.objects.filter(valid_to=None).values_list("profile", "record__external_id"):
        found.setdefault(profile, set()).add(external_id)
    assert set(Profile.objects.live().values_list("pk", flat=True)) == set(found)
    return sorted(found.values(), key=sorted)


class TestJoining:
    def test_a_newcomer_joins_by_mail(self, sources: dict[str, Source]) -> None:
        arrive(sources["web"], identify("u1", email=EMAIL, firstName="Suda"))
        arrive(sources["pos"], row("p1", email=EMAIL, first_name="Suda", city="Trang"))
        assert people() == [{"u1", "p1"}]
        profile = Profile.objects.live().get()
        assert profile.golden["city"] == "Trang"
        assert profile.birth_record.external_id == "u1"
        gone = Profile.objects.get(state="redirected")
        assert (gone.redirect_to, gone.golden, gone.sort_name) == (profile, {}, "")
        assert set(Identifier.objects.values_list("profile", flat=True)) == {profile.pk}
        decision = LinkDecision.objects.get()
        assert (decision.action, decision.kind) == ("link", "deterministic")
        assert decision.evidence == {"rule": "email", "kind": "email", "namespace": "global", "names": "same"}

    def test_two_known_customers_merge_when_a_third_record_tells(self, sources: dict[str, Source]) -> None:
        arrive(sources["web"], identify("u1", email=EMAIL), track("Product Viewed", "u1"))
        arrive(sources["pos"], row("p1", phone=PHONE), track("Bought", "p-2"))
        assert len(people()) == 3
        arrive(sources["care"], row("c1", email=EMAIL, phone=PHONE))
        assert people() == [{"c1", "p1", "u1"}, {"p-2"}]
        owner = Profile.objects.live().get(birth_record__external_id="u1")
        assert Membership.objects.filter(record__external_id="p1", valid_to__isnull=False).count() == 1
        assert set(IdentifierKey.objects.filter(kind="phone").values_list("profile", flat=True)) == {owner.pk}

    def test_what_a_visitor_did_moves_with_the_device(self, sources: dict[str, Source]) -> None:
        arrive(sources["web"], track("Page Viewed", device="d1"))
        arrive(sources["web"], identify("u1", device="d1"))
        owner = Profile.objects.people().get()
        assert Touchpoint.objects.get().profile == owner
        assert owner.birth_record.external_id == "u1"

    def test_a_second_user_makes_the_device_nobodys(self, sources: dict[str, Source]) -> None:
        arrive(sources["web"], track("Page Viewed", device="d1"), identify("u1", device="d1"))
        assert people() == [{"d1", "u1"}]
        arrive(sources["web"], identify("u2", device="d1"))
        assert people() == [{"d1"}, {"u1"}, {"u2"}]
        assert Touchpoint.objects.get().profile.kind == "anonymous"
        assert IdentifierKey.objects.get(kind="device").shared
        withdrawn = LinkDecision.objects.get(action="withdraw")
        assert withdrawn.withdraws.evidence["rule"] == "device"

    def test_a_household_shares_a_phone_and_stays_apart(self, sources: dict[str, Source]) -> None:
        arrive(sources["web"], identify("u1", phone=PHONE, firstName="Suda", lastName="Rakdee"))
        arrive(sources["pos"], row("p1", phone=PHONE, first_name="Prasit", last_name="Rakdee"))
        assert people() == [{"p1"}, {"u1"}]
        assert IdentifierKey.objects.get(kind="phone").shared
        household = LinkDecision.objects.get(action="related")
        assert household.evidence["kind"] == "phone"
        arrive(sources["pos"], row("p1", day=1, first_name="Suda", last_name="Rakdee"))
        assert people() == [{"p1", "u1"}]
        assert household.withdrawn_by.count() == 1

    def test_a_recycled_phone_ends_with_its_next_holder(self, sources: dict[str, Source]) -> None:
        arrive(sources["web"], identify("u1", phone=PHONE, firstName="Suda", lastName="Rakdee", day=0))
        arrive(sources["web"], identify("u2", phone=PHONE, firstName="Prasit", lastName="Jaidee", day=9))
        earlier = Identifier.objects.get(kind="phone", record__external_id="u1")
        assert earlier.valid_to is not None
        assert earlier.valid_to.isoformat() == on_day(9)
        assert IdentifierKey.objects.get(kind="phone").profile.birth_record.external_id == "u2"

    def test_a_browser_key_joins_nobody(self, sources: dict[str, Source]) -> None:
        arrive(sources["pos"], row("p1", email=EMAIL))
        arrive(sources["web"], identify("attacker", email=EMAIL), is_public_key=True)
        assert people() == [{"attacker"}, {"p1"}]

    def test_a_mailbox_of_too_many_lets_all_go(self, sources: dict[str, Source]) -> None:
        names = ["Ann", "Boris", "Chaiwat", "Dolores", "Ekaterina"]
        for number, name in enumerate(names):
            arrive(sources["pos"], row(f"p{number}", email="office@baansabai.co.th", first_name=name, last_name="Lee"))
        arrive(sources["care"], row("c0", email="office@baansabai.co.th", first_name="Ann", last_name="Lee"))
        assert {"c0", "p0"} in people()
        arrive(sources["pos"], row("p9", email="office@baansabai.co.th", first_name="Yongyuth", last_name="Lee"))
        assert len(people()) == 7


STORY = [
    ("web", identify("u1", email=EMAIL, firstName="Suda", lastName="Rakdee", day=1, device="d1")),
    ("web", track("Page Viewed", device="d1", day=0)),
    ("web", track("Page Viewed", device="kiosk", day=0)),
    ("web", identify("u2", phone="0811111234", device="kiosk", day=2)),
    ("web", identify("u3", phone=PHONE, firstName="Prasit", lastName="Jaidee", device="kiosk", day=8)),
    ("pos", row("p1", phone=PHONE, first_name="Suda", last_name="Rakdee", day=3)),
    ("pos", row("p2", phone=PHONE, day=5)),
    ("pos", row("p3", phone=PHONE, day=9)),
    ("pos", row("p4", email="prasit@baansabai.co.th", phone=PHONE, first_name="Prasit", day=4)),
    ("care", row("c1", email=EMAIL, phone="0811111234", day=6)),
    ("care", row("c2", email=EMAIL, first_name="Suda", day=7)),
]


@pytest.mark.parametrize("seed", range(6))
def test_order_of_arrival_plays_no_part(sources: dict[str, Source], seed: int) -> None:
    story = random.Random(seed).sample(STORY, len(STORY))
    size = 1 + seed % 3
    for start in range(0, len(story), size):
        for name, source_of in sources.items():
            said = [message for source, message in story[start : start + size] if source == name]
            if said:
                arrive(source_of, *({**message, "messageId": f"{seed}-{message['messageId']}"} for message in said))
    assert people() == [{"c1", "c2", "d1", "u1"}, {"kiosk"}, {"p1"}, {"p2", "p3", "p4", "u3"}, {"u2"}]
    goldens = {profile.golden.get("first_name") for profile in Profile.objects.people()}
    assert goldens == {"Suda", "Prasit", None}


def test_a_step_of_many_people_costs_a_fixed_number_of_statements(sources: dict[str, Source]) -> None:
    def statements(start: int, size: int) -> int:
        rows: list[Any] = [
            row(f"p{number}", phone=f"08{10000000 + number}", email=f"p{number}@baansabai.co.th")
            for number in range(start, start + size)
        ]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            arrive(sources["pos"], *rows)
        return len(queries)

    statements(0, 5)
    assert statements(100, 5) == statements(1000, 200)


def test_records_of_a_person_being_erased_take_no_part(sources: dict[str, Source]) -> None:
    arrive(sources["web"], identify("u1", email=EMAIL))
    Profile.objects.update(state="erasing")
    arrive(sources["pos"], row("p1", email=EMAIL))
    assert Membership.objects.get(record__external_id="p1").profile.state == "live"
    Profile.objects.filter(state="erasing").update(state="live")
    pipeline.resolve_exclusively(list(SourceRecord.objects.values_list("pk", flat=True)), by="system:test")


class TestRebuild:
    def test_it_mends_what_was_damaged(self, sources: dict[str, Source]) -> None:
        arrive(sources["web"], identify("u1", email=EMAIL, firstName="Suda"), track("Page Viewed", "u1"))
        arrive(sources["pos"], row("p1", email=EMAIL), row("p2", phone=PHONE))
        stray = Profile.objects.get(birth_record__external_id="p2")
        Touchpoint.objects.update(profile=stray)
        Profile.objects.filter(pk=stray.pk).update(golden={"city": "Nowhere"})
        Membership.objects.filter(record__external_id="p1").update(profile=stray)
        IdentifierKey.objects.filter(kind="phone").delete()
        found = {difference.what for difference in rebuild.check()}
        assert found >= {"membership", "touchpoint.profile", "profile.golden", "identifier_key"}
        rebuild.rebuild(by="system:test")
        assert people() == [{"p1", "u1"}, {"p2"}]
        assert Touchpoint.objects.get().profile.birth_record.external_id == "u1"


class TestCommand:
    def test_says_that_all_is_well(self, sources: dict[str, Source], capsys: pytest.CaptureFixture[str]) -> None:
        arrive(sources["web"], identify("u1", email=EMAIL))
        call_command("rebuild_profiles", "--check")
        assert "Everything is as it follows" in capsys.readouterr().out

    def test_names_rows_and_never_values(self, sources: dict[str, Source], capsys: pytest.CaptureFixture[str]) -> None:
        arrive(sources["web"], identify("u1", email=EMAIL, city="Trang"))
        profile = Profile.objects.get()
        Profile.objects.update(golden={"city": "Nowhere"}, state="redirected", redirect_to=profile)
        with pytest.raises(CommandError, match="mends it"):
            call_command("rebuild_profiles", "--check")
        said = capsys.readouterr().out
        assert f"profile.golden: 1 ({profile.pk})" in said
        assert f"profile.state: 1 ({profile.pk})" in said
        assert "Trang" not in said
        call_command("rebuild_profiles")
        assert "Mended." in capsys.readouterr().out
