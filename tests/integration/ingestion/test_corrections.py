"""Correction rules from quarantine to the profile: on arrival, by replay, undone; the account is exact throughout."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, User
from cdp_site.core.personal_data import Subject
from ingestion import equation, landing, messages, quarantine, rulebook
from ingestion.corrections import replaying, rulekeeping, trial, undoing
from ingestion.corrections.rules import InvalidRule
from ingestion.landing import Tally
from ingestion.models import CorrectionRule, InboundBatch, QuarantinedItem, Replay, Source
from ingestion.personal_data import QuarantineHolder
from ingestion.quarantine import Selection
from profiles import digest
from profiles.models import Order, SourceRecord, Touchpoint
from tests.factories.arrivals import arrive, identify, track

pytestmark = pytest.mark.django_db(transaction=True)


def bad_order(number: int, **more: Any) -> dict[str, Any]:
    """The shop writes its total as text with a unit."""
    said = {"order_id": f"o{number}", "total": "1,290.50 baht", "currency": "THB"} | more
    return track("Order Completed", "u1", day=number, **said)


REPLACE_TOTAL = [
    {"do": "map", "field": "properties.total", "values": {"1,290.50 baht": "1,290.50"}},
    {"do": "cast", "field": "properties.total", "to": "number"},
]


def rule(source: Source, steps: list[dict[str, Any]], *, reason: str = "wrong_type", event: str = "") -> CorrectionRule:
    definition = {"version": 1, "steps": steps}
    return rulekeeping.save(
        source=source, key=uuid4(), name="A rule", reason=reason, event=event, definition=definition, by="system:test"
    )


def account(source: Source) -> dict[str, int]:
    found = equation.of_source(source)
    assert found.holds
    return found.as_dict()


def replay(source: Source, reason: str = "wrong_type") -> Replay:
    started = replaying.start(selection=Selection(source, reason), by="system:test")
    replaying.carry_on(started.pk)
    assert account(source)["received"] == account(source)["received"]
    started.refresh_from_db()
    return started


class TestOnArrival:
    def test_a_rule_mends_what_would_be_refused(self, web_shop: Source) -> None:
        rule(web_shop, REPLACE_TOTAL)
        assert arrive(web_shop, bad_order(1)) == {"stored": 1}
        assert Order.objects.get(external_id="o1").total == pytest.approx(1290.5)

    def test_other_sources_reasons_and_events_are_left_alone(self, web_shop: Source, pos: Source) -> None:
        rule(pos, REPLACE_TOTAL)
        rule(web_shop, REPLACE_TOTAL, reason="missing")
        rule(web_shop, REPLACE_TOTAL, event="Order Refunded")
        assert arrive(web_shop, bad_order(1)) == {"quarantined": 1}

    def test_two_rules_of_two_reasons_follow_one_another(self, web_shop: Source) -> None:
        rule(web_shop, [{"do": "rename", "field": "kind", "to": "type"}], reason="missing")
        rule(web_shop, REPLACE_TOTAL)
        message = bad_order(1)
        message["kind"] = message.pop("type")
        assert arrive(web_shop, message) == {"stored": 1}

    def test_a_rule_for_every_message_changes_usable_ones(self, web_shop: Source) -> None:
        rule(web_shop, [{"do": "map", "field": "properties.color", "values": {"rad": "red"}}], reason="")
        assert arrive(web_shop, track("Product Viewed", "u1", color="rad")) == {"stored": 1}
        assert Touchpoint.objects.get(type__name="Product Viewed").properties == {"color": "red"}

    def test_what_stays_unusable_is_kept_as_it_came_with_its_new_reason(self, web_shop: Source, steward: User) -> None:
        rule(web_shop, [{"do": "drop", "field": "event"}])
        assert arrive(web_shop, bad_order(1)) == {"quarantined": 1}
        item = QuarantinedItem.objects.get()
        assert (item.reason, item.field) == ("missing", "event")
        assert "1,290.50 baht" in quarantine.look_into(item=item, by=steward).text

    def test_a_switched_off_rule_does_nothing(self, web_shop: Source) -> None:
        made = rule(web_shop, REPLACE_TOTAL)
        assert rulekeeping.switch(rule=made, on=False, by="system:test")
        assert not rulekeeping.switch(rule=made, on=False, by="system:test")
        assert arrive(web_shop, bad_order(1)) == {"quarantined": 1}

    def test_rules_are_read_once_for_many_steps(self, web_shop: Source, django_assert_num_queries: Any) -> None:
        rulebook.refresh()
        with django_assert_num_queries(1):
            rulebook.refresh()
        rule(web_shop, REPLACE_TOTAL)
        assert rulebook.refresh().after


class TestReplay:
    def test_brings_what_was_held_to_the_profile(self, web_shop: Source) -> None:
        arrive(web_shop, identify("u1", email="ann@example.com"), bad_order(1), bad_order(2))
        before = account(web_shop)
        rule(web_shop, REPLACE_TOTAL)
        done = replay(web_shop)
        assert (done.status, done.n_total, done.n_replayed, done.n_kept) == ("finished", 2, 2, 0)
        assert account(web_shop) == before | {"quarantined": 0, "waiting": 2}
        digest.drain()
        assert account(web_shop) == before | {"quarantined": 0, "stored": 3}
        assert set(Order.objects.values_list("external_id", flat=True)) == {"o1", "o2"}
        touchpoint = Touchpoint.objects.get(order__external_id="o1")
        batch = InboundBatch.objects.get(pk=QuarantinedItem.objects.first().batch_id)
        assert touchpoint.received_at == batch.received_at
        assert set(InboundBatch.objects.values_list("operation_id", flat=True)) == {None, done.pk}

    def test_what_no_rule_mends_stays_with_what_is_wrong_now(self, web_shop: Source) -> None:
        arrive(web_shop, bad_order(1), bad_order(2, total="dear"))
        rule(web_shop, REPLACE_TOTAL)
        done = replay(web_shop)
        assert (done.n_replayed, done.n_kept) == (1, 1)
        digest.drain()
        assert account(web_shop)["quarantined"] == 1
        rule(web_shop, [{"do": "drop", "field": "userId"}])
        assert replay(web_shop).n_kept == 1
        assert QuarantinedItem.objects.open().get().reason == "missing"

    def test_an_item_crossed_by_a_later_twin_has_one_effect(self, web_shop: Source) -> None:
        message = bad_order(1)
        arrive(web_shop, message)
        rule(web_shop, REPLACE_TOTAL)
        assert arrive(web_shop, message) == {"stored": 1}
        replay(web_shop)
        assert dict(+digest.drain().counts) == {"duplicate": 1}
        assert Touchpoint.objects.count() == 1
        assert account(web_shop) == {
            "received": 2, "stored": 1, "duplicate": 1, "quarantined": 0, "suppressed": 0, "waiting": 0
        }  # fmt: skip

    def test_a_message_without_an_id_is_known_by_its_place(self, web_shop: Source) -> None:
        message = bad_order(1, order_id=None) | {"messageId": None, "event": 7}
        arrive(web_shop, identify("u1"), message)
        rule(web_shop, [{"do": "cast", "field": "event", "to": "text"}])
        replay(web_shop)
        digest.drain()
        (item,) = QuarantinedItem.objects.all()
        assert Touchpoint.objects.get().pk == landing.message_uuid(web_shop.pk, replaying.message_id_of(item))
        assert len(replaying.message_id_of(item)) <= messages.MAX_MESSAGE_ID_LENGTH

    def test_a_killed_job_is_carried_on(self, web_shop: Source, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(replaying, "CHUNK", 2)
        arrive(web_shop, *(bad_order(number) for number in range(1, 6)))
        rule(web_shop, REPLACE_TOTAL)
        started = replaying.start(selection=Selection(web_shop, "wrong_type"), by="system:test")
        usable, calls = replaying._usable, []

        def dies(chunk: Any, book: Any) -> Any:
            calls.append(chunk)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return usable(chunk, book)

        monkeypatch.setattr(replaying, "_usable", dies)
        with pytest.raises(KeyboardInterrupt):
            replaying.carry_on(started.pk)
        assert account(web_shop)["waiting"] == 2
        digest.drain()
        replaying.carry_on(started.pk)  # its lease has not ended
        assert account(web_shop)["quarantined"] == 3
        Replay.objects.update(lease_until=None)
        replaying.carry_on(started.pk)
        digest.drain()
        assert account(web_shop)["stored"] == 5
        assert Order.objects.count() == 5

    def test_one_at_a_time_and_only_where_something_is(self, web_shop: Source) -> None:
        with pytest.raises(ConflictProblem):
            replaying.start(selection=Selection(web_shop, "wrong_type"), by="system:test")
        arrive(web_shop, bad_order(1))
        replaying.start(selection=Selection(web_shop, "wrong_type"), by="system:test")
        with pytest.raises(ConflictProblem):
            replaying.start(selection=Selection(web_shop, "wrong_type"), by="system:test")

    def test_hostile_messages_stay_where_they_are(self, web_shop: Source) -> None:
        landing.land(source=web_shop, messages_raw=b"[1]", n_items=1, door="api")
        (batch,) = landing.claim(1, 60)
        deep = b'{"type":"track","userId":"u","event":"x","properties":' + b'{"a":' * 900 + b"1" + b"}" * 901
        payloads = [b"[1, 2]", b'"text"', b"null", b"{", b"\xff", deep]
        with transaction.atomic():
            landing.quarantine(landing.Unusable(batch, n, "wrong_type", raw) for n, raw in enumerate(payloads))
            InboundBatch.objects.filter(pk=batch.id).update(n_items=len(payloads))
            landing.settle(batch.id, Tally(quarantined=len(payloads)))
        rule(web_shop, REPLACE_TOTAL)
        done = replay(web_shop)
        assert (done.n_replayed, done.n_kept) == (0, len(payloads))
        reasons = list(QuarantinedItem.objects.order_by("position").values_list("reason", flat=True))
        assert reasons == ["wrong_type", "wrong_type", "wrong_type", "malformed", "malformed", "unstorable"]
        assert quarantine.decoded_samples(Selection(web_shop, "wrong_type"))


class TestTrial:
    def test_says_how_many_would_pass_and_shows_before_and_after(self, web_shop: Source, steward: User) -> None:
        arrive(web_shop, bad_order(1), bad_order(2), bad_order(3, total="dear"))
        definition = {"version": 1, "steps": REPLACE_TOTAL}
        found = trial.run(
            selection=Selection(web_shop, "wrong_type"),
            definition=definition,
            reason="wrong_type",
            event="",
            key=uuid4(),
            by=steward,
        )
        assert (found.n_held, found.n_tried, found.n_before, found.n_passing) == (3, 3, 0, 2)
        assert [sample.problem is None for sample in found.samples] == [True, True, False]
        assert [sample.changed for sample in found.samples] == [True, True, False]
        assert '"1,290.50 baht"' in found.samples[0].before
        assert "1290.5" in found.samples[0].after
        assert QuarantinedItem.objects.open().count() == 3
        assert not CorrectionRule.objects.exists()
        assert AuditEvent.objects.filter(action="quarantine.try_rule", actor=f"user:{steward.pk}").count() == 1

    def test_masks_values_for_other_roles(self, web_shop: Source, admin: User) -> None:
        arrive(web_shop, bad_order(1))
        scope = {"reason": "wrong_type", "event": "", "key": uuid4()}
        definition = {"version": 1, "steps": REPLACE_TOTAL}
        found = trial.run(selection=Selection(web_shop, "wrong_type"), definition=definition, **scope, by=admin)
        assert found.is_masked
        assert "1,290" not in found.samples[0].before
        assert "1290" not in found.samples[0].after


class TestRulekeeping:
    def test_a_changed_rule_is_a_new_version_in_its_place(self, web_shop: Source) -> None:
        first, second = rule(web_shop, REPLACE_TOTAL), rule(web_shop, REPLACE_TOTAL)
        said = {"source": web_shop, "key": first.key, "name": "A rule", "reason": "wrong_type", "event": ""}
        definition = {"version": 1, "steps": REPLACE_TOTAL[:1]}
        again = rulekeeping.save(**said, definition=definition, by="system:test")
        same = rulekeeping.save(**said, definition=definition, by="system:test")
        assert (again.version, again.position, same.pk) == (2, first.position, again.pk)
        assert list(CorrectionRule.objects.active().in_order()) == [again, second]
        assert rulekeeping.move(rule=second, up=True, by="system:test")
        assert list(CorrectionRule.objects.active().in_order()) == [second, again]
        assert not rulekeeping.move(rule=second, up=True, by="system:test")

    def test_an_unreadable_rule_is_not_saved(self, web_shop: Source) -> None:
        with pytest.raises(InvalidRule):
            rule(web_shop, [{"do": "cast", "field": "messageId", "to": "text"}])
        assert not CorrectionRule.objects.exists()


class TestUndo:
    def test_returns_waiting_messages_to_quarantine(self, web_shop: Source) -> None:
        arrive(web_shop, bad_order(1), bad_order(2))
        before = account(web_shop)
        rule(web_shop, REPLACE_TOTAL)
        done = replay(web_shop)
        undoing.start(replay=done, by="system:test")
        undoing.carry_on(done.pk)
        assert account(web_shop) == before
        assert digest.drain().messages == 0
        assert QuarantinedItem.objects.open().count() == 2
        done.refresh_from_db()
        assert done.status == "undone"

    def test_takes_out_what_was_stored_and_lets_it_be_replayed_again(self, web_shop: Source) -> None:
        arrive(web_shop, identify("u1", email="ann@example.com"), bad_order(1))
        wrong = identify("u2", email="bob@example.com") | {"type": "person"}
        arrive(web_shop, wrong, bad_order(2))
        before = account(web_shop)
        rule(web_shop, [*REPLACE_TOTAL, {"do": "map", "field": "type", "values": {"person": "identify"}}])
        for _round in range(2):
            done = replay(web_shop)
            assert done.n_replayed == 3
            assert dict(+digest.drain().counts) == {"stored": 3}
            assert account(web_shop) == before | {"quarantined": 0, "stored": 4}
            assert Order.objects.count() == 2
            assert SourceRecord.objects.filter(external_id="u2").exists()
            undoing.start(replay=done, by="system:test")
            undoing.carry_on(done.pk)
            assert account(web_shop) == before
            assert QuarantinedItem.objects.open().count() == 3
            assert not Order.objects.exists()
            assert not Touchpoint.objects.exists()
            assert list(SourceRecord.objects.values_list("external_id", flat=True)) == ["u1"]
        with pytest.raises(ConflictProblem):
            undoing.start(replay=Replay.objects.first(), by="system:test")

    def test_a_twin_that_came_by_itself_stays(self, web_shop: Source) -> None:
        message = identify("u1", email="ann@example.com") | {"type": "person"}
        arrive(web_shop, message)
        rule(web_shop, [{"do": "map", "field": "type", "values": {"person": "identify"}}])
        assert arrive(web_shop, message) == {"stored": 1}
        done = replay(web_shop)
        assert dict(+digest.drain().counts) == {"duplicate": 1}
        undoing.start(replay=done, by="system:test")
        undoing.carry_on(done.pk)
        assert SourceRecord.objects.get().identifiers.get(kind="email").value == "ann@example.com"
        assert arrive(web_shop, message) == {"duplicate": 1}

    def test_what_an_erasure_removed_does_not_come_back(self, web_shop: Source) -> None:
        arrive(web_shop, bad_order(1), bad_order(2))
        rule(web_shop, REPLACE_TOTAL)
        done = replay(web_shop)
        digest.drain()
        keys = frozenset(bytes(key) for key in QuarantinedItem.objects.first().subject_keys)
        subject = Subject(profile_ids=(), record_ids=(), public_ids=(), identifier_keys=keys)
        assert QuarantineHolder().locate(subject) == {"ingestion.QuarantinedItem": 2}
        QuarantinedItem.objects.order_by("pk").first().delete()
        undoing.start(replay=done, by="system:test")
        undoing.carry_on(done.pk)
        assert account(web_shop)["quarantined"] == 2
        assert QuarantinedItem.objects.open().count() == 1

    def test_goes_on_where_a_killed_job_stopped(self, web_shop: Source, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in (1, 2, 3):
            arrive(web_shop, bad_order(number))
        before = account(web_shop)
        rule(web_shop, REPLACE_TOTAL)
        done = replay(web_shop)
        digest.drain()
        undoing.start(replay=done, by="system:test")
        monkeypatch.setattr(undoing, "CHUNK", 1)
        take_back, calls = undoing._take_back, []

        def dies(*arguments: Any) -> bool:
            calls.append(arguments)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return take_back(*arguments)

        monkeypatch.setattr(undoing, "_take_back", dies)
        with pytest.raises(KeyboardInterrupt):
            undoing.carry_on(done.pk)
        assert account(web_shop)["quarantined"] == 1
        Replay.objects.update(lease_until=None)
        undoing.carry_on(done.pk)
        assert account(web_shop) == before

    def test_messages_go_when_the_way_back_is_closed(self, web_shop: Source) -> None:
        arrive(web_shop, bad_order(1))
        rule(web_shop, REPLACE_TOTAL)
        done = replay(web_shop)
        digest.drain()
        assert undoing.close_old() == 0
        Replay.objects.update(created_at=timezone.now() - undoing.UNDOABLE - timedelta(days=1))
        assert undoing.close_old() == 1
        assert undoing.close_old() == 0
        item = QuarantinedItem.objects.get()
        assert (item.payload, item.subject_keys, item.status) == (None, [], "replayed")
        done.refresh_from_db()
        with pytest.raises(ConflictProblem):
            undoing.start(replay=done, by="system:test")
