"""Quarantine: who sees what of it, looking into a message, discarding; the account stays true."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.models import AuditEvent, User
from ingestion import accounts, landing, quarantine
from ingestion.accounts import Period
from ingestion.models import FileImport, InboundBatch, QuarantinedItem, Source
from tests.factories.held import hold

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}
LIST = reverse("ingestion:quarantine")
MESSAGE = '{"type": "identify", "userId": 7, "traits": {"email": "somchai@example.com", "สมชาย": ["0812345678"]}}'


def group_of(source: Source, reason: str = "malformed") -> str:
    return reverse("ingestion:quarantine_group", args=[source.pk, reason])


def holds(source: Source) -> bool:
    return accounts.of_source(source, Period.ALL).total.holds


class TestGroups:
    def test_a_department_sees_what_is_held_of_its_sources(
        self, web_shop: Source, call_centre: Source, login: Login, marketer: User
    ) -> None:
        hold(web_shop, "a", "b")
        hold(web_shop, "c", reason="unknown_purpose")
        (theirs,) = hold(call_centre, "d", reason="time")
        client = login(marketer)
        response = client.get(LIST)
        found = [(group.source_name, group.reason, group.n) for group in response.context["groups"]]
        assert found == [("Web shop", "malformed", 2), ("Web shop", "unknown_purpose", 1)]
        page = response.content.decode()
        assert "Not valid JSON" in page
        assert "Consent for a purpose that is not set up here" in page
        assert client.get(group_of(call_centre, "time")).status_code == 404
        assert client.post(reverse("ingestion:look_into", args=[theirs.pk])).status_code == 404
        assert not AuditEvent.objects.filter(action__startswith="quarantine").exists()

    def test_roles_without_the_permission_find_no_page(
        self, pos: Source, login: Login, outsider: User, agent: User
    ) -> None:
        (item,) = hold(pos, "a")
        looks = reverse("ingestion:look_into", args=[item.pk])
        for user in (outsider, agent):
            client = login(user)
            assert {client.get(path).status_code for path in (LIST, group_of(pos))} == {404}
            assert client.post(looks).status_code == 404

    def test_an_empty_quarantine_says_so(self, login: Login, marketer: User) -> None:
        assert "Quarantine is empty" in login(marketer).get(LIST).content.decode()

    def test_asks_as_many_queries_for_many_groups_as_for_one(
        self, pos: Source, login: Login, marketer: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for n in range(5):
            hold(pos, "a", reason=f"reason_{n}")
        client = login(marketer)
        client.get(LIST)
        with django_assert_max_num_queries(4):  # session, user, type of the grants, groups
            client.get(LIST)


class TestGroup:
    def test_pages_by_key_and_shows_each_once(
        self,
        pos: Source,
        login: Login,
        marketer: User,
        monkeypatch: pytest.MonkeyPatch,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        monkeypatch.setattr(quarantine, "PAGE", 3)
        items = hold(pos, *"abcdefgh")
        client, path, seen = login(marketer), group_of(pos), []
        client.get(LIST)
        while path:
            with django_assert_max_num_queries(6):  # session, user, grants, source, items, count
                response = client.get(path, headers=HTMX)
            seen += [item.pk for item, _place in response.context["rows"]]
            behind = response.context["next"]
            path = f"{group_of(pos)}?before={behind}" if behind else ""
        assert seen == [item.pk for item in reversed(items)]

    def test_says_where_and_what_was_expected(self, pos: Source, login: Login, steward: User, marketer: User) -> None:
        hold(pos, "a", "b", detail="Expected `str`, got `int`")
        file_import = FileImport.objects.create(
            source=pos, file_name="somchai.csv", size=1, sha256=b"", format="csv", encoding="utf-8"
        )
        hold(pos, "c", file_import=file_import)
        QuarantinedItem.objects.filter(file_import=file_import).update(position=1205)
        batch = InboundBatch.objects.order_by("pk").first()
        seen = {user: login(user).get(group_of(pos)).content.decode() for user in (steward, marketer)}
        assert f"Message 2 of batch {batch.pk}" in seen[steward]
        assert "Expected was text, whole number came" in seen[steward]
        assert "Line 1,205 of somchai.csv" in seen[steward]
        assert "Line 1,205 of a file" in seen[marketer]
        assert "somchai" not in seen[marketer]

    def test_an_emptied_group_leads_back_to_the_list(self, pos: Source, login: Login, marketer: User) -> None:
        assert login(marketer).get(group_of(pos)).url == LIST


class TestLookInto:
    def test_shows_a_steward_all_of_it_and_notes_it(self, pos: Source, login: Login, steward: User) -> None:
        (item,) = hold(pos, MESSAGE)
        client = login(steward)
        for number in (1, 2):
            page = client.post(reverse("ingestion:look_into", args=[item.pk]), headers=HTMX).content.decode()
            assert "somchai@example.com" in page
            events = AuditEvent.objects.filter(action="quarantine.open", target_id=str(item.pk))
            assert [event.actor for event in events] == [f"user:{steward.pk}"] * number
        assert client.get(reverse("ingestion:look_into", args=[item.pk])).status_code == 405

    def test_masks_every_value_for_other_roles(
        self, pos: Source, login: Login, marketer: User, compliance: User, admin: User
    ) -> None:
        (item,) = hold(pos, MESSAGE)
        for user in (marketer, compliance, admin):
            page = login(user).post(reverse("ingestion:look_into", args=[item.pk])).content.decode()
            for secret in ("somchai", "สมชาย", "0812345678"):
                assert secret not in page
            for field in ("identify", "userId", "traits", "email"):
                assert field in page
        assert AuditEvent.objects.filter(action="quarantine.open_masked").count() == 3
        assert not AuditEvent.objects.filter(action="quarantine.open").exists()

    @pytest.mark.parametrize("raw", [b"somchai", b'{"a": ', b"\xff\xfe", b"[" * 100_000, b'"somchai"', b""])
    def test_nothing_is_shown_of_what_has_no_form(self, raw: bytes) -> None:
        assert quarantine.form_of(raw).strip('"') == quarantine.MASK

    @pytest.mark.parametrize("name", ["somchai@example.com", "0812345678", "id_1234567", "สมชาย", "Somchai Jaidee", ""])
    def test_a_name_that_may_tell_of_somebody_is_masked(self, name: str) -> None:
        assert quarantine.form_of(f'{{"{name}": 1}}'.encode()) == quarantine.form_of(b'{"????": 1}')

    def test_a_type_of_no_api_is_masked(self) -> None:
        assert "somchai" not in quarantine.form_of(b'{"type": "somchai"}')

    def test_bytes_that_are_no_text_are_shown_as_far_as_they_go(self, pos: Source, steward: User) -> None:
        (item,) = hold(pos, "x")
        QuarantinedItem.objects.update(payload=landing.hashing.seal(b"\xffgood\0" + b"a" * 30_000))
        item.refresh_from_db()
        content = quarantine.look_into(item=item, by=steward)
        assert content.text.startswith("\ufffdgood␀")
        assert (len(content.text), content.is_cut) == (quarantine.SHOWN_CHARACTERS, True)


class TestDiscard:
    def test_takes_what_it_says_and_leaves_that_it_came(self, pos: Source, login: Login, steward: User) -> None:
        items = hold(pos, MESSAGE, MESSAGE, detail="at `$.userId`")
        client, path = login(steward), reverse("ingestion:discard", args=[items[0].pk])
        assert "Discard this message?" in client.get(path, headers=HTMX).content.decode()
        assert QuarantinedItem.objects.open().count() == 2
        assert client.post(path).url == group_of(pos)
        gone = QuarantinedItem.objects.get(pk=items[0].pk)
        assert (gone.status, gone.payload, gone.detail, gone.subject_keys) == ("discarded", None, "", [])
        assert AuditEvent.objects.get(action="quarantine.discard").target_id == str(gone.pk)
        assert holds(pos)
        assert accounts.of_source(pos, Period.ALL).total.quarantined == 2
        assert accounts.of_source(pos, Period.ALL).held == 1

    def test_twice_is_once(self, pos: Source, login: Login, steward: User) -> None:
        (item,) = hold(pos, "a")
        assert quarantine.discard(item=item, by=steward)
        assert not quarantine.discard(item=item, by=steward)
        client = login(steward)
        for path in ("discard", "look_into"):
            assert client.post(reverse(f"ingestion:{path}", args=[item.pk])).status_code == 404
        with pytest.raises(quarantine.NotFoundProblem):
            quarantine.look_into(item=QuarantinedItem.objects.get(), by=steward)
        assert AuditEvent.objects.filter(action__startswith="quarantine").count() == 1

    def test_a_group_goes_as_it_was_when_asked(
        self, web_shop: Source, pos: Source, login: Login, steward: User
    ) -> None:
        items = hold(web_shop, "a", "b", "c")
        hold(web_shop, "d", reason="time")
        hold(pos, "e")
        client, path = login(steward), reverse("ingestion:discard_group", args=[web_shop.pk, "malformed"])
        assert "Discard 3 messages?" in client.get(path).content.decode()
        (late,) = hold(web_shop, "late")
        response = client.post(path, {"up_to": items[-1].pk}, follow=True)
        assert "3 messages discarded." in response.content.decode()
        left = QuarantinedItem.objects.open().values_list("source__slug", "reason")
        assert sorted(left) == [("pos", "malformed"), ("web", "malformed"), ("web", "time")]
        late.refresh_from_db()
        assert late.status == "open"
        (event,) = AuditEvent.objects.filter(action="quarantine.discard_group")
        assert event.target_id == f"{web_shop.pk}:malformed:{items[-1].pk}"
        assert holds(web_shop)

    @pytest.mark.parametrize("up_to", ["", "x", "-1", "0"])
    def test_without_saying_which_nothing_goes(self, up_to: str, pos: Source, login: Login, steward: User) -> None:
        hold(pos, "a")
        login(steward).post(reverse("ingestion:discard_group", args=[pos.pk, "malformed"]), {"up_to": up_to})
        assert QuarantinedItem.objects.open().count() == 1
        assert not AuditEvent.objects.exists()

    def test_is_the_stewards_alone(
        self, pos: Source, login: Login, marketer: User, compliance: User, admin: User
    ) -> None:
        (item,) = hold(pos, "a")
        one = reverse("ingestion:discard", args=[item.pk])
        group = reverse("ingestion:discard_group", args=[pos.pk, "malformed"])
        for user in (marketer, compliance, admin):
            client = login(user)
            assert {client.post(one).status_code, client.post(group, {"up_to": item.pk}).status_code} == {404}
            page = client.get(group_of(pos)).content.decode()
            assert one not in page
            assert group not in page
        assert QuarantinedItem.objects.open().count() == 1
