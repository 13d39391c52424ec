"""Pages of correction rules and replays: who may, what a form says, what a button does."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import User
from ingestion.corrections import replaying, rulekeeping
from ingestion.models import CorrectionRule, QuarantinedItem, Replay, Source
from ingestion.quarantine import Selection
from tests.factories.held import hold

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
LIST, RULES = reverse("ingestion:quarantine"), reverse("ingestion:rules")
MESSAGE = '{"type": "track", "userId": "u1", "event": 7, "properties": {"secret": "somchai@example.com"}}'


def new_rule(source: Source, reason: str = "wrong_type") -> str:
    return reverse("ingestion:new_rule", args=[source.pk, reason])


def form(**changes: str) -> dict[str, str]:
    said = {"steps": "1", "do-0": "cast", "field-0": "event", "kind-0": "text", "name": "Events are texts"}
    return said | {"is_always": "0", "for_event": "", "key": str(uuid4())} | changes


def saved(source: Source) -> CorrectionRule:
    definition = {"version": 1, "steps": [{"do": "drop", "field": "properties.junk"}]}
    return rulekeeping.save(
        source=source, key=uuid4(), name="Drop junk", reason="plan", event="", definition=definition, by="system:test"
    )


class TestWhoMay:
    def test_others_than_stewards_and_administrators_find_nothing_to_write_with(
        self, pos: Source, login: Login, marketer: User, compliance: User, agent: User, outsider: User
    ) -> None:
        hold(pos, MESSAGE, reason="wrong_type")
        rule = saved(pos)
        replay = replaying.start(selection=Selection(pos, "wrong_type"), by="system:test")
        for user in (marketer, compliance, agent, outsider):
            client = login(user)
            assert client.get(new_rule(pos)).status_code == 404
            assert client.get(reverse("ingestion:rule", args=[rule.key])).status_code == 404
            for name, argument in (
                ("replay", [pos.pk, "wrong_type"]),
                ("undo_replay", [replay.pk]),
                ("switch_rule", [rule.key]),
                ("move_rule", [rule.key]),
            ):
                assert client.post(reverse(f"ingestion:{name}", args=argument)).status_code == 404
        for user in (agent, outsider):
            assert {login(user).get(path).status_code for path in (RULES, reverse("ingestion:replays"))} == {404}

    def test_a_department_sees_rules_and_replays_of_its_sources(
        self, web_shop: Source, call_centre: Source, login: Login, marketer: User
    ) -> None:
        saved(web_shop)
        saved(call_centre)
        for source in (web_shop, call_centre):
            hold(source, MESSAGE, reason="wrong_type")
            replaying.start(selection=Selection(source, "wrong_type"), by="system:test")
        client = login(marketer)
        assert [line.rule.source for line in client.get(RULES).context["rules"]] == [web_shop]
        assert [line.replay.source for line in client.get(LIST).context["replays"].lines] == [web_shop]


class TestRule:
    def test_suggests_fields_by_name_and_shows_no_value(self, pos: Source, login: Login, admin: User) -> None:
        hold(pos, MESSAGE, "{", reason="wrong_type")
        page = login(admin).get(new_rule(pos)).content.decode()
        assert "properties.secret" in page
        assert "somchai" not in page

    def test_is_tried_saved_and_replayed(self, pos: Source, login: Login, steward: User) -> None:
        hold(pos, MESSAGE, reason="wrong_type")
        client = login(steward)
        tried = client.post(new_rule(pos), form(do="try")).content.decode()
        assert "1 of 1 messages would pass" in tried
        assert not CorrectionRule.objects.exists()
        assert client.post(new_rule(pos), form(do="save")).url == RULES
        key = CorrectionRule.objects.get().key
        assert client.post(reverse("ingestion:rule", args=[key]), form(do="save", name="Renamed")).url == RULES
        assert list(CorrectionRule.objects.values_list("version", "name", "is_active").order_by("version")) == [
            (1, "Events are texts", False),
            (2, "Renamed", True),
        ]
        assert client.post(new_rule(pos), form(do="replay", name="Again")).url == LIST
        assert Replay.objects.get().n_total == 1

    def test_says_what_is_missing(self, pos: Source, login: Login, steward: User) -> None:
        hold(pos, MESSAGE, reason="wrong_type")
        client = login(steward)
        for changes, text in (
            ({"name": ""}, "Give the rule a name."),
            ({"field-0": ""}, "Name the field"),
            ({"field-0": "messageId"}, "tells one message from another"),
            ({"steps": "0"}, "at least one thing"),
            ({"do-0": "map", "values-0": "red"}, "one replacement on each line"),
            ({"do-0": "default", "kind-0": "number", "value-0": "much"}, "value to fill in"),
        ):
            response = client.post(new_rule(pos), form(do="save", **changes))
            assert response.status_code == 422
            assert text in response.content.decode()
        assert not CorrectionRule.objects.exists()

    def test_steps_come_and_go(self, pos: Source, login: Login, steward: User) -> None:
        hold(pos, MESSAGE, reason="wrong_type")
        client = login(steward)
        assert len(client.post(new_rule(pos), form(do="add")).context["form"].steps) == 2
        assert client.post(new_rule(pos), form(do="remove:0")).context["form"].steps == ()
        assert len(client.post(new_rule(pos), form(steps="9999999")).context["form"].steps) <= 21

    def test_is_switched_and_moved(self, pos: Source, login: Login, steward: User) -> None:
        first, second = saved(pos), saved(pos)
        client = login(steward)
        client.post(reverse("ingestion:switch_rule", args=[first.key]), {"on": "0"})
        assert list(CorrectionRule.objects.active()) == [second]
        client.post(reverse("ingestion:move_rule", args=[second.key]), {"up": "1"})
        assert list(CorrectionRule.objects.in_order()) == [second, first]


class TestGroup:
    def test_is_narrowed_to_an_event_and_a_field(self, pos: Source, login: Login, steward: User) -> None:
        items = hold(pos, *"abcd", reason="plan")
        for item, event, field in zip(items, "xxyy", "pqpq", strict=True):
            QuarantinedItem.objects.filter(pk=item.pk).update(event=event, field=field)
        client = login(steward)
        assert len(client.get(LIST).context["groups"]) == 4
        address = reverse("ingestion:quarantine_group", args=[pos.pk, "plan"])
        for query, n in (("", 4), ("?event=x", 2), ("?event=x&field=q", 1), ("?event=x&field=", 0)):
            response = client.get(address + query)
            assert (response.context["n"] if n else 0) == n
        discard = reverse("ingestion:discard_group", args=[pos.pk, "plan"])
        client.post(f"{discard}?event=x", {"up_to": str(items[-1].pk)})
        assert QuarantinedItem.objects.open().count() == 2

    def test_an_unfinished_replay_cannot_be_undone_and_says_so(self, pos: Source, login: Login, steward: User) -> None:
        hold(pos, MESSAGE, reason="wrong_type")
        client = login(steward)
        client.post(reverse("ingestion:replay", args=[pos.pk, "wrong_type"]))
        replay = Replay.objects.get()
        page = client.post(reverse("ingestion:undo_replay", args=[replay.pk]), follow=True).content.decode()
        assert "Only a finished replay can be undone." in page
        again = client.post(reverse("ingestion:replay", args=[pos.pk, "wrong_type"]), follow=True).content.decode()
        assert "being replayed already" in again
        polled = client.get(reverse("ingestion:replays"), headers={"HX-Request": "true"}).content.decode()
        assert "every 2s" in polled
        assert "<html" not in polled
