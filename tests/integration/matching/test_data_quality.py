"""The page of data quality: its numbers, whom they are about, and who may see them."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cdp_site.core import jobs
from cdp_site.core.access import ROLE_PERMISSIONS, Permission
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, User
from ingestion.models import Source
from profiles import merging
from profiles.matching import quality
from profiles.matching.quality import Figures, OfSource
from profiles.models import IdentifierKey, Membership, Profile, QualityFinding, QualityLook
from tests.factories.arrivals import arrive, identify, row
from tests.factories.matching import activate

pytestmark = pytest.mark.django_db

PAGE = reverse("profiles:data_quality")
EMPTY_PAGES = {"twice", "keyless", "names", "two_ids", "ambiguous", "proposed"}
FIRST_NAMES = ["Somchai", "Wichai", "Malee", "Anong", "Prasit"]


def profile_of(external_id: str) -> Profile:
    return Membership.objects.get(record__external_id=external_id, valid_to=None).profile


def look() -> Figures:
    quality.look_nightly()
    (_look, figures), *_before = quality.latest()
    return figures


def found(kind: str) -> list[tuple[int, int]]:
    """Profile and size of the cases of a kind."""
    return list(QualityFinding.objects.filter(kind=kind).order_by("pk").values_list("profile", "size"))


def cases(kind: str, **query: Any) -> str:
    return reverse("profiles:quality_cases", args=[kind]) + "?" + "&".join(f"{k}={v}" for k, v in query.items())


class TestNumbers:
    def test_a_source_that_holds_somebody_several_times(self, pos: Source, web_shop: Source) -> None:
        arrive(pos, *(row(f"p{n}", email="suda@baansabai.co.th") for n in range(3)), row("p9", phone="0819876543"))
        arrive(web_shop, identify("u1", email="suda@baansabai.co.th"))
        figures = look()
        assert figures.sources == [
            OfSource(pos.pk, records=4, people=2, twice=1, surplus=2),
            OfSource(web_shop.pk, records=1, people=1),
        ]
        assert found("twice") == [(profile_of("p0").pk, 3)]
        assert figures.totals() == {"twice": 1, "keyless": 0, "alarms": 0, "shared": 0}

    def test_records_that_nothing_can_match(self, pos: Source, web_shop: Source) -> None:
        arrive(pos, row("p1", first_name="Suda"), row("p2", phone="0863451972"), row("p3", email="noemail@gmail.com"))
        arrive(web_shop, identify("u1", first_name="Suda"))  # a user's number meets nobody in another source
        assert {one.source: one.keyless for one in look().sources} == {pos.pk: 2, web_shop.pk: 1}
        assert {profile for profile, _size in found("keyless")} == {profile_of(one).pk for one in ("p1", "p3", "u1")}

    def test_a_blocking_key_is_a_key_while_a_model_is_in_use(self, pos: Source) -> None:
        model = activate()
        arrive(pos, row("p1", first_name="Suda", last_name="Rakdee"), row("p2", first_name="Suda"))
        assert [one.keyless for one in look().sources] == [1]
        assert found("keyless") == [(profile_of("p2").pk, 1)]
        model.status = "retired"
        model.save()
        assert [one.keyless for one in look().sources] == [2]

    def test_a_customer_of_many_given_names(self, pos: Source, steward: User) -> None:
        arrive(pos, *(row(f"p{n}", first_name=name, last_name="Rakdee") for n, name in enumerate(FIRST_NAMES)))
        assert look().names == 0
        people = [profile_of(f"p{n}") for n in range(4)]
        merging.merge(profiles=people, by=steward, reason="")
        figures = look()
        assert (figures.names, figures.totals()["alarms"]) == (1, 1)
        assert found("names") == [(people[0].pk, 4)]
        assert found("largest") == [(people[0].pk, 4)]
        assert (figures.large, figures.largest) == (0, 4)

    def test_one_name_in_many_spellings_is_no_alarm(self, pos: Source) -> None:
        spellings = ["สมชาย", "Somchai", "SOMCHAI", "สมชาย ", "Somchay"]
        arrive(pos, *(row(f"p{n}", first_name=name, phone="0863451972") for n, name in enumerate(spellings)))
        assert look().names == 0

    def test_a_customer_of_two_national_ids(self, pos: Source, steward: User) -> None:
        ids = ("1101700230708", "3101200456785")
        identifiers = [({"kind": "citizen", "value": one},) for one in ids]
        arrive(pos, *(row(f"p{n}", identifiers=stated) for n, stated in enumerate(identifiers)))
        assert look().two_ids == 0
        merging.merge(profiles=[profile_of("p0"), profile_of("p1")], by=steward, reason="")
        assert look().two_ids == 1
        assert found("two_ids") == [(profile_of("p0").pk, 2)]

    def test_an_identifier_of_several_people_and_why_it_joins_nobody(self, pos: Source) -> None:
        """A household of two, whose landline a nameless record has, too: it may be either's."""
        names: list[dict[str, Any]] = [{"first_name": "Somchai"}, {"first_name": "Malee"}, {}]
        arrive(pos, *(row(f"p{n}", phone="024537896", day=1, **name) for n, name in enumerate(names)))
        figures = look()
        [phone] = figures.shared
        assert (phone.kind, phone.keys, phone.overloaded, phone.most) == ("phone", 1, 0, 3)
        assert figures.refused == {"names_differ": 1, "ambiguous": 2}
        assert figures.asked == 1
        assert {profile for profile, _size in found("ambiguous")} == {profile_of(f"p{n}").pk for n in range(3)}

    def test_an_identifier_of_too_many_people(self, pos: Source) -> None:
        names = ["Somchai", "Malee", "Anong", "Prasit", "Wichai", "Nok", "Udom"]
        arrive(pos, *(row(f"p{n}", email="info@company.co.th", first_name=name) for n, name in enumerate(names)))
        figures = look()
        [mail] = figures.shared
        assert (mail.kind, mail.overloaded, mail.most) == ("email", 1, len(names))
        assert figures.refused == {"fan_out": 1}

    def test_findings_are_of_the_last_look_and_numbers_of_the_last_thirty(self, pos: Source) -> None:
        arrive(pos, row("p1", first_name="Suda"))
        for _ in range(quality.LOOKS_KEPT + 2):
            look()
        assert QualityLook.objects.count() == quality.LOOKS_KEPT
        assert QualityFinding.objects.count() == 1

    def test_a_look_that_has_ended_is_left_alone(self, pos: Source) -> None:
        look()
        ended = QualityLook.objects.get()
        quality.run(ended.pk)
        assert QualityLook.objects.get().ended_at == ended.ended_at


class TestPage:
    @pytest.fixture
    def client(self, login: Callable[[User], Client], steward: User) -> Client:
        return login(steward)

    @pytest.fixture
    def people(self, pos: Source, web_shop: Source, steward: User) -> None:
        arrive(pos, *(row(f"p{n}", first_name=name, phone="0863451972") for n, name in enumerate(FIRST_NAMES)))
        arrive(pos, row("p7", first_name="Nok"), row("p8", first_name="Somchai", phone="0863451972"))
        merging.merge(profiles=[profile_of(f"p{n}") for n in range(4)], by=steward, reason="")
        look()

    def test_before_the_first_look_it_says_how_to_look(self, client: Client) -> None:
        page = client.get(PAGE)
        assert page.status_code == 200
        assert reverse("profiles:quality_look") in page.text

    def test_without_customers_it_says_so(self, client: Client) -> None:
        look()
        client.cookies["django_language"] = "en"
        assert "No customers yet" in client.get(PAGE).text

    @pytest.mark.usefixtures("people")
    def test_every_number_leads_to_its_people(self, client: Client, pos: Source) -> None:
        page = client.get(PAGE).text
        for address, external_id in (
            (cases("twice", source=pos.pk), "p0"),
            (cases("keyless", source=pos.pk), "p7"),
            (reverse("profiles:quality_cases", args=["names"]), "p0"),
            (reverse("profiles:quality_cases", args=["largest"]), "p0"),
        ):
            assert address in page
            listed = client.get(address)
            assert listed.status_code == 200
            assert reverse("profiles:customer", args=[profile_of(external_id).public_id]) in listed.text

    def test_it_says_from_when_its_numbers_are(self, client: Client, pos: Source) -> None:
        arrive(pos, row("p1", email="suda@baansabai.co.th"), row("p2", email="suda@baansabai.co.th"))
        look()
        QualityLook.objects.update(ended_at=timezone.now() - timedelta(hours=3, minutes=1))
        arrive(pos, row("p3", first_name="Suda"))  # not looked at yet
        client.cookies["django_language"] = "en"
        for address in (PAGE, cases("twice"), cases("names")):
            assert re.search(r"Looked at <time [^>]*>3 hours ago</time>\.", client.get(address).text)

    @pytest.mark.usefixtures("people")
    def test_a_shared_identifier_leads_to_who_states_it(self, client: Client) -> None:
        address = cases("shared", of="phone")
        assert address in client.get(PAGE).text
        key = IdentifierKey.objects.get(kind="phone")
        listed = client.get(address).text
        assert reverse("profiles:quality_key", args=[key.pk]) in listed
        assert "086 345 1972" in listed
        holders = client.get(reverse("profiles:quality_key", args=[key.pk])).text
        for external_id in ("p0", "p4"):
            assert str(profile_of(external_id).public_id) in holders

    @pytest.mark.usefixtures("people")
    def test_what_changed_since_the_look_before_stands_beside_the_numbers(self, client: Client, pos: Source) -> None:
        arrive(pos, row("p9", first_name="Udom"))
        look()
        assert "+1" in client.get(PAGE).text

    @pytest.mark.usefixtures("people")
    def test_who_was_merged_away_since_is_not_listed(self, client: Client, pos: Source, steward: User) -> None:
        gone = profile_of("p7")
        merging.merge(profiles=[profile_of("p0"), gone], by=steward, reason="")
        assert str(gone.public_id) not in client.get(cases("keyless", source=pos.pk)).text

    def test_a_long_list_has_pages(self, client: Client, pos: Source, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("profiles.matching.cases.PAGE_SIZE", 2)
        arrive(pos, *(row(f"p{n}", first_name="Nok") for n in range(3)))
        look()
        first = client.get(cases("keyless", source=pos.pk))
        after = first.context["page"].next
        assert len(first.context["page"].cases) == 2
        second = client.get(cases("keyless", source=pos.pk, after=after))
        assert len(second.context["page"].cases) == 1
        assert second.context["page"].next is None

    @pytest.mark.parametrize("kind", sorted(EMPTY_PAGES))
    def test_an_empty_list_says_that_nobody_is_left(self, client: Client, kind: str) -> None:
        look()
        assert reverse("profiles:data_quality") in client.get(cases(kind)).text

    @pytest.mark.parametrize("address", [cases("nonsense"), cases("twice", source=99), cases("shared", of="%27")])
    def test_nonsense_finds_nothing(self, client: Client, address: str) -> None:
        look()
        assert client.get(address).status_code in (200, 404)
        assert client.get(reverse("profiles:quality_key", args=[99])).status_code == 404

    @pytest.mark.usefixtures("people")
    def test_it_takes_few_queries(self, client: Client, pos: Source, django_assert_max_num_queries: Any) -> None:
        client.get(PAGE)
        with django_assert_max_num_queries(12):
            client.get(PAGE)
        with django_assert_max_num_queries(16):
            client.get(cases("twice", source=pos.pk))


class TestLookingAgain:
    @pytest.fixture(autouse=True)
    def enqueued(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        queue: list[int] = []
        monkeypatch.setattr(jobs, "enqueue", lambda _job, look_id: queue.append(look_id))
        return queue

    def test_a_button_enqueues_a_look(
        self, login: Callable[[User], Client], steward: User, enqueued: list[int]
    ) -> None:
        client = login(steward)
        assert client.post(reverse("profiles:quality_look")).status_code == 302
        [number] = enqueued
        assert client.post(reverse("profiles:quality_look")).status_code == 302
        assert enqueued == [number]
        page = client.get(PAGE)
        assert 'hx-trigger="every 2s"' in page.text
        assert AuditEvent.objects.filter(action="quality.look").exists()
        quality.run(number)
        assert 'hx-trigger="every 2s"' not in client.get(PAGE).text

    def test_one_at_a_time_but_not_for_ever(self, steward: User, enqueued: list[int]) -> None:
        begun = quality.start(by=steward)
        with pytest.raises(ConflictProblem):
            quality.start(by=steward)
        QualityLook.objects.filter(pk=begun.pk).update(started_at=timezone.now() - quality.LEASE - timedelta(minutes=1))
        quality.start(by=steward)
        assert len(enqueued) == 2


ADDRESSES = [PAGE, reverse("profiles:quality_cases", args=["names"]), reverse("profiles:quality_key", args=[1])]


class TestAccess:
    @pytest.mark.parametrize("address", ADDRESSES)
    @pytest.mark.parametrize("role", ["outsider", "agent", "marketer", "analyst", "compliance", "admin"])
    def test_outsiders_see_nothing(
        self, request: pytest.FixtureRequest, login: Callable[[User], Client], role: str, address: str
    ) -> None:
        look()
        client = login(request.getfixturevalue(role))
        assert client.get(address).status_code == 404
        assert client.post(reverse("profiles:quality_look")).status_code == 404

    def test_who_merges_sees_all_departments(self) -> None:
        """The numbers count everybody: whoever sees them may see everybody."""
        for permissions in ROLE_PERMISSIONS.values():
            if Permission.MERGE_PROFILES in permissions:
                assert {Permission.SEE_ALL_DEPARTMENTS, Permission.VIEW_CUSTOMERS} <= permissions

    def test_identifiers_are_masked_for_who_may_not_see_them(
        self, login: Callable[[User], Client], steward: User, pos: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arrive(
            pos, row("p1", first_name="Somchai", phone="0863451972"), row("p2", first_name="Malee", phone="0863451972")
        )
        look()
        monkeypatch.setitem(
            ROLE_PERMISSIONS, steward.role, ROLE_PERMISSIONS[steward.role] - {Permission.SEE_IDENTIFIERS}
        )
        client = login(steward)
        key = IdentifierKey.objects.get(kind="phone")
        for address in (cases("shared", of="phone"), reverse("profiles:quality_key", args=[key.pk])):
            page = client.get(address)
            assert page.status_code == 200
            assert "3451" not in page.text.replace(" ", "").replace("-", "")


def test_a_customer_who_is_no_more_is_not_listed(pos: Source, login: Callable[[User], Client], steward: User) -> None:
    """Who removes customers in SQL need not know of the findings."""
    look()
    number = Profile.objects.create(kind=Profile.Kind.IDENTIFIED).pk
    of_last = QualityLook.objects.get()
    QualityFinding.objects.create(look=of_last, kind="names", profile_id=number, size=4)
    QualityFinding.objects.create(look=of_last, kind="names", profile_id=number + 1, size=4)
    page = login(steward).get(cases("names"))
    assert [case.row.profile.pk for case in page.context["page"].cases] == [number]
