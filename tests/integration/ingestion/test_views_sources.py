"""Sources: who sees which, the account that adds up, keys, editing."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.models import AuditEvent, Department, User
from ingestion import accounts, keys, landing, signals
from ingestion.accounts import Period
from ingestion.landing import Tally
from ingestion.models import InboundBatch, QuarantinedItem, Source, WriteKey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}
LIST, NEW = reverse("ingestion:sources"), reverse("ingestion:new_source")


def page_of(source: Source) -> str:
    return reverse("ingestion:source", args=[source.pk])


def send(
    source: Source,
    n: int,
    *,
    door: str = "api",
    at: datetime | None = None,
    took: float = 1,
    tally: Tally | None = None,
) -> InboundBatch:
    """A batch of n messages; digested into the tally, when there is one, `took` seconds after it came."""
    batch = landing.land(source=source, messages_raw=[{"n": i} for i in range(n)], door=door, received_at=at)
    if tally is not None:
        landing.settle(batch.pk, tally)
        batches = InboundBatch.objects.filter(pk=batch.pk)
        batches.update(processed_at=batch.received_at + timedelta(seconds=took))
    return batch


class TestList:
    @pytest.mark.usefixtures("web_shop", "pos", "call_centre")
    def test_each_department_sees_its_sources_and_the_common_ones(
        self, login: Login, marketer: User, steward: User
    ) -> None:
        seen = {user: login(user).get(LIST).content.decode() for user in (marketer, steward)}
        names = ("Web shop", "Point of sale", "Call centre")
        assert [name in seen[marketer] for name in names] == [True, True, False]
        assert all(name in seen[steward] for name in names)

    def test_the_equation_is_exact_and_adds_up(
        self, web_shop: Source, pos: Source, call_centre: Source, login: Login, marketer: User
    ) -> None:
        send(web_shop, 10, tally=Tally(stored=5, duplicate=2, quarantined=2, suppressed=1))
        send(web_shop, 7)
        send(pos, 3, door="file", tally=Tally(stored=3))
        send(call_centre, 99)
        response = login(marketer).get(LIST)
        found = {row.source: row.equation for row in response.context["rows"]}
        assert (found[web_shop].received, found[web_shop].waiting) == (17, 7)
        assert (found[web_shop].stored, found[web_shop].duplicate) == (5, 2)
        assert (found[web_shop].quarantined, found[web_shop].suppressed) == (2, 1)
        assert response.context["total"].received == 20
        assert all(equation.holds for equation in [*found.values(), response.context["total"]])

    def test_asks_as_many_queries_for_many_sources_as_for_one(
        self, pos: Source, login: Login, marketer: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = login(marketer)
        for n in range(8):
            send(Source.objects.create(slug=f"s{n}", name=f"S{n}", department=marketer.department), 2)
        client.get(LIST)
        with django_assert_max_num_queries(7):  # session, user, content types; sources, sums, lines, alerts
            client.get(LIST)

    def test_without_a_source_it_says_what_to_do_next(self, login: Login, steward: User, analyst: User) -> None:
        Source.objects.all().delete()
        assert NEW in login(steward).get(LIST).content.decode()
        page = login(analyst).get(LIST).content.decode()
        assert "No sources yet" in page
        assert NEW not in page

    def test_roles_without_the_permission_find_no_page(
        self, pos: Source, login: Login, outsider: User, agent: User
    ) -> None:
        for user in (outsider, agent):
            for path in (LIST, NEW, page_of(pos), reverse("ingestion:keys", args=[pos.pk])):
                assert login(user).get(path).status_code == 404


class TestPage:
    def test_what_belongs_to_another_department_is_not_found(
        self, web_shop: Source, call_centre: Source, login: Login, marketer: User
    ) -> None:
        client = login(marketer)
        assert client.get(page_of(web_shop)).status_code == 200
        assert client.get(page_of(call_centre)).status_code == 404

    def test_a_role_that_does_not_manage_finds_no_forms(self, web_shop: Source, login: Login, marketer: User) -> None:
        key, _secret = keys.make(source=web_shop, by="system:test")
        client = login(marketer)
        for name, arguments in (
            ("edit_source", [web_shop.pk]),
            ("keys", [web_shop.pk]),
            ("revoke_key", [web_shop.pk, key.pk]),
        ):
            assert client.post(reverse(f"ingestion:{name}", args=arguments), {"access": "secret"}).status_code == 404
        assert [row.revoked_at for row in WriteKey.objects.all()] == [None]

    def test_counts_a_period_by_our_clock_and_by_door(self, web_shop: Source) -> None:
        now = timezone.localtime()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        send(web_shop, 1, at=midnight)
        send(web_shop, 2, at=midnight - timedelta(seconds=1), tally=Tally(stored=2))
        send(web_shop, 4, door="file", at=midnight - timedelta(days=6))
        send(web_shop, 8, at=midnight - timedelta(days=6, seconds=1))
        received = {period: accounts.of_source(web_shop, period).total.received for period in Period}
        assert received == {Period.TODAY: 1, Period.WEEK: 7, Period.ALL: 15}
        by_door = {str(door.name): door.equation for door in accounts.of_source(web_shop, Period.WEEK).doors}
        assert {name: equation.received for name, equation in by_door.items()} == {"event API": 3, "file import": 4}
        assert all(equation.holds for equation in by_door.values())

    def test_a_period_is_kept_in_the_address_and_comes_as_a_fragment(
        self, web_shop: Source, login: Login, marketer: User
    ) -> None:
        client = login(marketer)
        whole = client.get(page_of(web_shop), {"period": "week"})
        assert whole.context["account"].period == Period.WEEK
        part = client.get(page_of(web_shop), {"period": "today"}, headers=HTMX)
        assert "<html" not in part.content.decode()
        assert part.headers["Vary"].find("HX-Request") >= 0
        assert client.get(page_of(web_shop), {"period": "x"}).context["account"].period == Period.ALL

    def test_shows_keys_to_those_alone_who_manage_them(
        self, web_shop: Source, login: Login, marketer: User, steward: User
    ) -> None:
        key, _secret = keys.make(source=web_shop, by="system:test")
        assert key.prefix in login(steward).get(page_of(web_shop)).content.decode()
        assert key.prefix not in login(marketer).get(page_of(web_shop)).content.decode()

    def test_this_platforms_own_source_has_no_keys_and_no_form(self, login: Login, steward: User) -> None:
        own = Source.objects.get(kind=Source.Kind.INTERNAL)
        client = login(steward)
        assert "write-keys" not in client.get(page_of(own)).content.decode()
        assert client.get(reverse("ingestion:edit_source", args=[own.pk])).status_code == 404
        assert client.post(reverse("ingestion:keys", args=[own.pk]), {"access": "secret"}).status_code == 404

    def test_stays_within_its_queries(
        self, web_shop: Source, login: Login, steward: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(12):
            send(web_shop, 2, tally=Tally(stored=2))
            keys.make(source=web_shop, by="system:test")
        client = login(steward)
        client.get(LIST)  # the first request of a session writes it
        with django_assert_max_num_queries(18):  # session, user, source; sums, held, removed, rates, lag, troubles, …
            client.get(page_of(web_shop))


class TestForms:
    def test_makes_a_source(self, login: Login, steward: User, marketing: Department) -> None:
        response = login(steward).post(NEW, {"name": "หน้าร้าน", "kind": "pos", "department": marketing.pk, "slug": ""})
        source = Source.objects.get(name="หน้าร้าน")
        assert response.url == page_of(source)
        assert (source.slug, source.kind, source.department) == ("pos", "pos", marketing)
        assert AuditEvent.objects.get(action="source.create").actor == f"user:{steward.pk}"

    @pytest.mark.parametrize(
        "wrong", [{"name": ""}, {"kind": "internal"}, {"kind": "x"}, {"slug": "pos"}, {"slug": "POS"}, {"slug": "ก ข"}]
    )
    def test_what_cannot_be_made_comes_back_as_a_form(
        self, wrong: dict[str, str], pos: Source, login: Login, steward: User
    ) -> None:
        before = Source.objects.count()
        response = login(steward).post(NEW, {"name": "X", "kind": "pos", "slug": "x"} | wrong)
        assert response.status_code == 422
        assert 'aria-invalid="true"' in response.content.decode()
        assert Source.objects.count() == before

    def test_the_audit_names_what_changed_and_only_that(self, web_shop: Source, login: Login, steward: User) -> None:
        heard: list[int] = []

        def hear(source_id: int, **_more: object) -> None:
            heard.append(source_id)

        signals.trust_changed.connect(hear)
        path = reverse("ingestion:edit_source", args=[web_shop.pk])
        form = {"name": web_shop.name, "department": web_shop.department_id, "trust_rank": 30, "is_active": "on"}
        client = login(steward)
        client.post(path, form)
        assert not AuditEvent.objects.filter(action="source.change").exists()
        client.post(path, form | {"name": "Online shop"})
        assert heard == []
        client.post(path, {**form, "name": "Online shop", "trust_rank": 5, "is_active": ""})
        events = AuditEvent.objects.filter(action="source.change").order_by("pk")
        assert [event.fields for event in events] == [["name"], ["is_active", "trust_rank"]]
        assert heard == [web_shop.pk]
        web_shop.refresh_from_db()
        assert (web_shop.name, web_shop.trust_rank, web_shop.is_active) == ("Online shop", 5, False)

    @pytest.mark.parametrize("rank", ["0", "101", "x", ""])
    def test_a_rank_out_of_range_comes_back(self, rank: str, web_shop: Source, login: Login, steward: User) -> None:
        form = {"name": "Web", "trust_rank": rank, "is_active": "on"}
        assert login(steward).post(reverse("ingestion:edit_source", args=[web_shop.pk]), form).status_code == 422


class TestKeys:
    @pytest.mark.parametrize(("access", "start"), [("secret", "sec_"), ("public", "pub_")])
    def test_a_key_is_shown_once(self, access: str, start: str, web_shop: Source, login: Login, steward: User) -> None:
        client = login(steward)
        path = reverse("ingestion:keys", args=[web_shop.pk])
        response = client.post(path, {"access": access}, headers=HTMX)
        key = response.context["new_key"]
        assert key.startswith(start)
        assert key in response.content.decode()
        assert keys.verify(key) == keys.Grant(web_shop.pk, access == "public")
        assert "no-store" in response.headers["Cache-Control"]
        for later in (path, page_of(web_shop)):
            page = client.get(later).content.decode()
            assert key not in page
            assert key[:12] in page
        event = AuditEvent.objects.get(action="write_key.make")
        assert event.actor == f"user:{steward.pk}"
        assert key[12:] not in str(event.fields)

    def test_an_answer_that_is_no_answer_makes_no_key(self, web_shop: Source, login: Login, steward: User) -> None:
        response = login(steward).post(reverse("ingestion:keys", args=[web_shop.pk]), {"access": "x"}, headers=HTMX)
        assert response.status_code == 422
        assert not WriteKey.objects.exists()

    def test_a_revoked_key_stays_in_the_list_and_is_refused(
        self, web_shop: Source, pos: Source, login: Login, steward: User
    ) -> None:
        key, secret = keys.make(source=web_shop, by="system:test")
        client = login(steward)
        assert client.post(reverse("ingestion:revoke_key", args=[pos.pk, key.pk])).status_code == 404
        assert client.get(reverse("ingestion:revoke_key", args=[web_shop.pk, key.pk])).status_code == 405
        response = client.post(reverse("ingestion:revoke_key", args=[web_shop.pk, key.pk]), follow=True)
        assert "Revoked" in response.content.decode()
        with pytest.raises(keys.AuthenticationProblem):
            keys.verify(secret)
        assert AuditEvent.objects.get(action="write_key.revoke").target_id == str(key.pk)


def test_the_admin_changes_sources_and_never_their_names_in_data(web_shop: Source, login: Login, admin: User) -> None:
    client = login(admin)
    assert "This platform" not in client.get("/admin/ingestion/source/").content.decode()
    path = f"/admin/ingestion/source/{web_shop.pk}/change/"
    form = {"name": "Shop", "slug": "other", "kind": "shop", "trust_rank": 7, "phone_region": "US"}
    assert client.post(path, form).status_code == 302
    web_shop.refresh_from_db()
    assert (web_shop.name, web_shop.slug, web_shop.trust_rank, web_shop.phone_region) == ("Shop", "web", 7, "TH")
    assert "trust_rank" in AuditEvent.objects.get(action="source.change").fields
    assert client.post(f"/admin/ingestion/source/{web_shop.pk}/delete/", {"post": "yes"}).status_code == 403


def test_held_messages_are_linked_from_the_page(web_shop: Source, login: Login, marketer: User) -> None:
    QuarantinedItem.objects.create(
        at=timezone.now(), source=web_shop, batch_id=1, position=0, reason="malformed", payload=b"x"
    )
    assert (
        f"{reverse('ingestion:quarantine')}#held-{web_shop.pk}"
        in login(marketer).get(page_of(web_shop)).content.decode()
    )
