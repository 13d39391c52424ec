"""Opening a customer: audit first, counted unless in a verified call, over after a while."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core import audit
from cdp_site.core.errors import MendableError, NotFoundProblem
from cdp_site.core.models import AccessLogEntry, AuditEvent, User
from ingestion.models import Source
from profiles import merging, openings
from profiles.models import CustomerOpening, OpeningReason, Profile
from tests.customers import Tell, identify, profile_of

CALL = 7
NOON = "2026-11-22T05:00:00+00:00"  # 12:00 in Bangkok


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def customers(tell: Tell, pos: Source) -> list[Profile]:
    tell(pos, *(identify(f"P{place}", email=f"p{place}@example.com") for place in range(5)))
    return [profile_of(pos, f"P{place}") for place in range(5)]


def test_nothing_is_open_by_itself(somchai: Profile, agent: User) -> None:
    assert not openings.is_open(agent, somchai.pk)
    assert openings.open_until(agent, somchai.pk) is None


def test_a_reason_opens_for_that_user_and_customer_alone(
    somchai: Profile, manee: Profile, agent: User, make_user: Callable[..., User]
) -> None:
    openings.open_for_reason(somchai, reason=OpeningReason.ORDER, by=agent)
    assert openings.is_open(agent, somchai.pk)
    assert not openings.is_open(agent, manee.pk)
    assert not openings.is_open(make_user("agent", agent.department, "other"), somchai.pk)


def test_it_is_over_after_a_while(somchai: Profile, agent: User, clock: time_machine.Traveller) -> None:
    openings.open_for_reason(somchai, reason=OpeningReason.ORDER, by=agent)
    clock.shift(openings.REASON_OPENS_FOR - timedelta(seconds=1))
    assert openings.is_open(agent, somchai.pk)
    clock.shift(2)
    assert not openings.is_open(agent, somchai.pk), "also for who remembers the opening"
    assert not openings.is_open(User.objects.get(pk=agent.pk), somchai.pk)


def test_audit_and_access_log_say_so_without_a_value(somchai: Profile, agent: User) -> None:
    openings.open_for_reason(somchai, reason=OpeningReason.COMPLAINT, by=agent)
    event = AuditEvent.objects.get(action="customer.reveal")
    assert (event.target_id, event.actor, event.fields) == (str(somchai.pk), f"user:{agent.pk}", ["complaint"])
    entry = AccessLogEntry.objects.get(what="reveal")
    assert (entry.profile, entry.reason) == (somchai.public_id, "complaint")


def test_what_cannot_be_noted_is_not_opened(somchai: Profile, agent: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_said: Any) -> None:
        raise RuntimeError("the audit cannot be written")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError):
        openings.open_for_reason(somchai, reason=OpeningReason.ORDER, by=agent)
    with pytest.raises(RuntimeError):
        openings.open_for_call(somchai, call_id=CALL, by=agent)
    assert not CustomerOpening.objects.exists()
    assert not openings.is_open(User.objects.get(pk=agent.pk), somchai.pk)


def test_nor_what_the_access_log_cannot_hold(somchai: Profile, agent: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_said: Any) -> None:
        raise RuntimeError("the access log cannot be written")

    monkeypatch.setattr(AccessLogEntry.objects, "create", fail)
    with pytest.raises(RuntimeError):
        openings.open_for_reason(somchai, reason=OpeningReason.ORDER, by=agent)
    assert not CustomerOpening.objects.exists()
    assert not AuditEvent.objects.filter(action="customer.reveal").exists()


@pytest.mark.parametrize("reason", ["", "because", "verified_call"])
def test_only_reasons_of_the_list(somchai: Profile, agent: User, reason: str) -> None:
    with pytest.raises(MendableError):
        openings.open_for_reason(somchai, reason=reason, by=agent)
    assert not openings.is_open(agent, somchai.pk)


@pytest.mark.parametrize("role", ["marketer", "analyst", "admin", ""])
def test_who_may_not_reveal_opens_nothing(somchai: Profile, make_user: Callable[..., User], role: str) -> None:
    with pytest.raises(NotFoundProblem):
        openings.open_for_reason(somchai, reason=OpeningReason.ORDER, by=make_user(role, name="somebody"))


class TestTheCap:
    @pytest.fixture(autouse=True)
    def _low(self, settings: Settings) -> None:
        settings.REVEALS_PER_DAY, settings.REVEALS_BEFORE_ALARM = 3, 2

    def test_ends_the_day(self, customers: list[Profile], agent: User, clock: time_machine.Traveller) -> None:
        for customer in customers[:3]:
            openings.open_for_reason(customer, reason=OpeningReason.ORDER, by=agent)
        with pytest.raises(openings.CapProblem) as caught:
            openings.open_for_reason(customers[3], reason=OpeningReason.ORDER, by=agent)
        assert caught.value.status == 429
        assert not openings.is_open(agent, customers[3].pk)
        clock.shift(timedelta(hours=12, minutes=1))  # after midnight in Bangkok
        openings.open_for_reason(customers[3], reason=OpeningReason.ORDER, by=agent)

    def test_counts_a_customer_once(self, customers: list[Profile], agent: User) -> None:
        for _again in range(4):
            openings.open_for_reason(customers[0], reason=OpeningReason.ORDER, by=agent)
        assert openings.revealed_today(agent) == 1

    def test_lets_an_open_customer_be_opened_again(self, customers: list[Profile], agent: User) -> None:
        for customer in customers[:3]:
            openings.open_for_reason(customer, reason=OpeningReason.ORDER, by=agent)
        openings.open_for_reason(customers[0], reason=OpeningReason.COMPLAINT, by=agent)

    def test_does_not_count_verified_calls(self, customers: list[Profile], agent: User) -> None:
        for place, customer in enumerate(customers):
            openings.open_for_call(customer, call_id=CALL + place, by=agent)
        assert openings.revealed_today(agent) == 0
        assert not openings.alarms()
        openings.open_for_reason(customers[0], reason=OpeningReason.ORDER, by=agent)

    def test_raises_the_alarm_before_it(self, customers: list[Profile], agent: User, compliance: User) -> None:
        openings.open_for_reason(customers[0], reason=OpeningReason.ORDER, by=agent)
        assert not openings.alarms()
        openings.open_for_reason(customers[1], reason=OpeningReason.ORDER, by=agent)
        openings.open_for_reason(customers[2], reason=OpeningReason.ORDER, by=agent)
        assert [(alarm.user, alarm.customers, alarm.is_capped) for alarm in openings.alarms()] == [(agent, 3, True)]
        assert AuditEvent.objects.filter(action=openings.ALARM, target_id=str(agent.pk)).count() == 1


class TestACall:
    def test_opens_until_it_ends(self, somchai: Profile, agent: User) -> None:
        openings.open_for_call(somchai, call_id=CALL, by=agent)
        assert openings.is_open(agent, somchai.pk)
        openings.close_call(CALL, by=agent)
        assert not openings.is_open(agent, somchai.pk)

    def test_is_noted_as_a_call(self, somchai: Profile, agent: User) -> None:
        openings.open_for_call(somchai, call_id=CALL, by=agent)
        assert AuditEvent.objects.filter(action="customer.reveal.call", target_id=str(somchai.pk)).exists()
        assert AccessLogEntry.objects.filter(what="reveal.call", profile=somchai.public_id).exists()


def test_a_customer_merged_meanwhile_is_open_as_whom_they_became(
    somchai: Profile, manee: Profile, agent: User, steward: User
) -> None:
    openings.open_for_reason(manee, reason=OpeningReason.ORDER, by=agent)
    merging.merge(profiles=[somchai, manee], by=steward, reason="one person")
    live = Profile.objects.live().get(pk__in=[somchai.pk, manee.pk])
    assert openings.is_open(User.objects.get(pk=agent.pk), live.pk)


def test_what_is_old_goes(somchai: Profile, agent: User) -> None:
    opening = openings.open_for_reason(somchai, reason=OpeningReason.ORDER, by=agent)
    assert openings.forget_old() == 0
    CustomerOpening.objects.filter(pk=opening.pk).update(opened_at=timezone.now() - openings.KEPT - timedelta(hours=1))
    assert openings.forget_old() == 1
