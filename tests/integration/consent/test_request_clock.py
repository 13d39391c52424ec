"""Periods of the laws, extensions and alerts, with the clock held still; month ends included."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from pytest_django import DjangoCaptureOnCommitCallbacks

from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from consent import requests
from consent.models import DataSubjectRequest, RequestAlert
from consent.requests import clock, regimes
from profiles.models import Profile
from tests.factories.consent import ask

BANGKOK = ZoneInfo("Asia/Bangkok")
Kind = DataSubjectRequest.Kind


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BANGKOK)


@pytest.mark.parametrize(
    ("regime", "kind", "received", "due", "extended"),
    [
        ("pdpa", Kind.ACCESS, "2026-01-31 10:00", "2026-03-02 10:00", None),
        ("pdpa", Kind.ERASURE, "2026-11-30 23:59", "2027-02-28 23:59", None),
        ("pdpa", Kind.WITHDRAWAL, "2026-02-27 08:00", "2026-03-06 08:00", None),
        ("gdpr", Kind.ACCESS, "2026-01-15 10:00", "2026-02-15 10:00", "2026-04-15 10:00"),
        ("gdpr", Kind.ACCESS, "2026-01-31 10:00", "2026-02-28 10:00", "2026-04-30 10:00"),
        ("gdpr", Kind.ERASURE, "2028-01-31 10:00", "2028-02-29 10:00", "2028-04-30 10:00"),
        ("gdpr", Kind.ERASURE, "2026-02-28 10:00", "2026-03-28 10:00", "2026-05-28 10:00"),
        ("gdpr", Kind.ERASURE, "2026-11-30 10:00", "2026-12-30 10:00", "2027-02-28 10:00"),
        ("gdpr", Kind.ERASURE, "2026-12-31 00:30", "2027-01-31 00:30", "2027-03-31 00:30"),
        ("ccpa", Kind.ERASURE, "2026-01-31 10:00", "2026-03-17 10:00", "2026-05-01 10:00"),
    ],
)
def test_periods(regime: str, kind: str, received: str, due: str, extended: str | None) -> None:
    assert regimes.due_at(regime, kind, at(received)) == at(due)
    if extended is None:
        assert regimes.right(regime, kind).extension is None
    else:
        assert regimes.due_at(regime, kind, at(received), is_extended=True) == at(extended)


def test_the_day_is_the_companys_whatever_zone_the_moment_was_written_in() -> None:
    received = datetime(2026, 1, 30, 18, 0, tzinfo=UTC)  # the 31st in Bangkok, 01:00
    assert regimes.due_at("gdpr", Kind.ACCESS, received) == at("2026-02-28 01:00")


def test_every_regime_says_every_kind_and_its_section() -> None:
    for regime in regimes.regimes().values():
        assert set(regime.kinds) == set(Kind.values)
        assert all(right.section for right in regime.kinds.values())
        assert regime.name.keys() == regime.authority.keys() == {"en", "th"}


def test_a_file_of_ones_own_replaces_them_and_must_say_all(settings: object, tmp_path: object) -> None:
    path = tmp_path / "laws.json"  # type: ignore[operator]
    path.write_text('{"pdpa": {"name": {"en": "x"}, "authority": {"en": "y"}, "refusal": "z", "kinds": {}}}')
    settings.REQUEST_REGIMES = str(path)  # type: ignore[attr-defined]
    with pytest.raises(ImproperlyConfigured, match="no period for erasure"):
        regimes.regimes()


@pytest.mark.django_db
class TestExtension:
    def test_counts_from_the_receipt_and_needs_a_reason(self, person: Profile, compliance: User) -> None:
        with time_machine.travel(at("2026-02-10 09:00"), tick=False):
            asked = ask(person, compliance, kind=Kind.ACCESS, regime="gdpr", received_at=at("2026-01-31 10:00"))
            with pytest.raises(MendableError):
                requests.extend(request_id=asked.pk, reason=" ", by=compliance)
            longer = requests.extend(request_id=asked.pk, reason="Seven archives", by=compliance)
            assert longer.due_at == at("2026-04-30 10:00")
            with pytest.raises(ConflictProblem):
                requests.extend(request_id=asked.pk, reason="again", by=compliance)

    def test_comes_too_late_after_the_end_and_not_where_the_law_knows_none(
        self, person: Profile, bystander: Profile, compliance: User
    ) -> None:
        thai = ask(person, compliance, kind=Kind.ACCESS)
        with pytest.raises(MendableError):
            requests.extend(request_id=thai.pk, reason="because", by=compliance)
        asked = ask(bystander, compliance, kind=Kind.ACCESS, regime="ccpa")
        with time_machine.travel(asked.due_at + timedelta(seconds=1), tick=False), pytest.raises(ConflictProblem):
            requests.extend(request_id=asked.pk, reason="because", by=compliance)


@pytest.mark.django_db
def test_alerts_come_at_fourteen_seven_and_one_day_and_when_it_is_over_each_once(
    person: Profile,
    compliance: User,
    colleague: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    asked = ask(person, compliance, kind=Kind.ACCESS, regime="gdpr", received_at=at("2026-01-31 10:00"))
    assert asked.due_at == at("2026-02-28 10:00")
    told: list[tuple[str, int]] = []
    moment = at("2026-02-13 09:30")
    while moment < at("2026-03-03 00:00"):
        with time_machine.travel(moment, tick=False):
            if clock.alert():
                told.append((moment.strftime("%m-%d %H:%M"), RequestAlert.objects.latest("pk").days))
        moment += timedelta(hours=1)
    assert told == [("02-14 10:30", 14), ("02-21 10:30", 7), ("02-27 10:30", 1), ("02-28 10:30", 0)]


@pytest.mark.django_db
def test_after_days_without_a_clock_the_nearest_is_told_alone_and_nothing_of_what_has_ended(
    person: Profile, bystander: Profile, compliance: User
) -> None:
    asked = ask(person, compliance, kind=Kind.ACCESS)
    done = ask(bystander, compliance, kind=Kind.ACCESS)
    requests.refuse(request_id=done.pk, reason="unfounded", by=compliance)
    with time_machine.travel(asked.due_at - timedelta(hours=20), tick=False):
        assert clock.alert() == 1
        assert clock.alert() == 0
    assert RequestAlert.objects.get().days == 1


@pytest.mark.django_db
def test_an_extension_begins_the_alerts_anew(person: Profile, compliance: User) -> None:
    asked = ask(person, compliance, kind=Kind.ACCESS, regime="ccpa")
    with time_machine.travel(asked.due_at - timedelta(days=3), tick=False):
        assert clock.alert() == 1
        requests.extend(request_id=asked.pk, reason="because", by=compliance)
        assert clock.alert() == 0
    asked.refresh_from_db()
    with time_machine.travel(asked.due_at - timedelta(days=3), tick=False):
        assert clock.alert() == 1


@pytest.mark.django_db
def test_compliance_and_delegates_are_mailed_without_a_customers_data(
    person: Profile, compliance: User, marketer: User, agent: User, settings: object
) -> None:
    settings.PUBLIC_URL = "https://cdp.example.com"  # type: ignore[attr-defined]
    asked = ask(person, compliance)
    today = asked.received_at.astimezone(BANGKOK).date()
    for user, address in ((compliance, "dpo@example.com"), (marketer, "cover@example.com"), (agent, "a@example.com")):
        user.email, user.language = address, "en"
        user.save()
    User.objects.filter(pk=marketer.pk).update(decides_from=today, decides_until=today + timedelta(days=99))
    with time_machine.travel(asked.due_at - timedelta(days=7), tick=False):
        clock.alert()
        clock.mail(RequestAlert.objects.get().pk)
    assert sorted(one.to[0] for one in mail.outbox) == ["cover@example.com", "dpo@example.com"]
    assert f"Request {asked.reference}: 7 days left" in mail.outbox[0].subject
    assert f"https://cdp.example.com/requests/{asked.pk}/" in mail.outbox[0].body
    assert "อารีย์" not in mail.outbox[0].body + mail.outbox[0].subject
