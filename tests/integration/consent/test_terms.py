"""Consents that expire, and consents of minors: the gate, its set and the page say the same of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection

from consent import expiry, gate, ledger, notices
from consent.models import Channel, ConsentEntry, Purpose
from consent.reach_sql import reachable_sql
from consent.reasons import Reason
from consent.terms import is_minor, months_before
from ingestion.models import Source
from profiles.models import Profile, SourceRecord
from profiles.signals import ConsentStatement, people_touched
from tests.customers import Tell, identify, profile_of, track
from tests.factories.consent import DAY_ZERO, marketing, on_day, say
from tests.factories.people import hold, make_person, make_record, make_source, merge, records_of

pytestmark = pytest.mark.django_db
MAIL = Channel.EMAIL


@pytest.fixture
def person() -> Profile:
    profile = make_person()
    hold(records_of(profile)[0], "email", "a@shop.test")
    return profile


def born(record: SourceRecord, day: str) -> None:
    record.attributes = {**record.attributes, "birth_date": day}
    record.save()


def terms(**fields: Any) -> Purpose:
    Purpose.objects.filter(slug="marketing").update(**fields)
    return marketing()


def reason(person: Profile, purpose: Purpose | None = None) -> Reason | None:
    """Why not, by the gate for one, which must agree with the gate for many and with the set."""
    purpose = purpose or marketing()
    found = gate.may_use(person, purpose, MAIL).reason
    passage = gate.reach([person.pk], purpose=purpose, channel=MAIL)
    assert (passage.people == 1) == (found is None)
    assert list(passage.left_out) == ([] if found is None else [found])
    with connection.cursor() as cursor:
        cursor.execute(reachable_sql(purpose.pk, MAIL))
        assert ((person.pk,) in cursor.fetchall()) == (found is None)
    return found


class TestExpiry:
    def test_a_consent_holds_for_its_months_to_the_moment(self, person: Profile) -> None:
        say(records_of(person)[0], "granted")
        terms(months=12)
        over = DAY_ZERO.replace(year=DAY_ZERO.year + 1)
        with time_machine.travel(over, tick=False):
            assert reason(person) is None
        with time_machine.travel(over + timedelta(seconds=1), tick=False):
            assert reason(person) is Reason.EXPIRED
        terms(months=None)
        with time_machine.travel(over + timedelta(days=3000), tick=False):
            assert reason(person) is None

    @pytest.mark.parametrize(
        ("at", "months", "then"),
        [
            ((2026, 3, 31), 1, (2026, 2, 28)),
            ((2028, 3, 31), 1, (2028, 2, 29)),
            ((2026, 12, 31), 6, (2026, 6, 30)),
            ((2026, 1, 15), 13, (2024, 12, 15)),
        ],
    )
    def test_months_are_of_the_calendar(
        self, at: tuple[int, int, int], months: int, then: tuple[int, int, int]
    ) -> None:
        assert months_before(datetime(*at, tzinfo=UTC), months) == datetime(*then, tzinfo=UTC)

    def test_an_unchanged_cell_prolongs_nothing(self, person: Profile) -> None:
        [record] = records_of(person)
        said = {
            "record_id": record.pk, "source_id": record.source_id, "purpose": "marketing", "channel": "email",
            "address": "", "state": "granted", "origin": "cell",
        }  # fmt: skip
        for night in (0, 20, 40):
            ledger.append(
                [ConsentStatement(message_id=uuid4(), occurred_at=on_day(night), received_at=on_day(night), **said)]
            )
        terms(months=1)
        assert ConsentEntry.objects.count() == 1
        with time_machine.travel(on_day(41), tick=False):
            assert reason(person) is Reason.EXPIRED

    def test_an_expired_consent_still_overrules_the_refusal_before_it(self, person: Profile) -> None:
        """Else a later consent to another source would be vetoed by what the person took back long ago."""
        first, other = records_of(person)[0], make_record(make_source("pos"), profile=person)
        say(first, "refused", day=0)
        say(first, "granted", day=1)
        say(other, "granted", day=40, address="a@shop.test")
        terms(months=1)
        with time_machine.travel(on_day(50), tick=False):
            assert reason(person) is None
        with time_machine.travel(on_day(90), tick=False):
            assert reason(person) is Reason.EXPIRED

    def test_what_needs_no_consent_does_not_expire(self, person: Profile) -> None:
        purpose = terms(months=1, basis="contract")
        say(records_of(person)[0], "granted")
        with time_machine.travel(on_day(400), tick=False):
            assert reason(person, purpose) is None

    def test_whose_consent_expired_is_told_of(self, person: Profile) -> None:
        say(records_of(person)[0], "granted")
        terms(months=1)
        heard: list[int] = []

        def hear(sender: object, *, touches: Any, **kwargs: Any) -> None:
            heard.extend(pk for touch in touches for pk in touch.profile_ids)

        people_touched.connect(hear)
        for day, told in ((30, 0), (32, 1), (40, 0)):
            with time_machine.travel(on_day(day), tick=False):
                assert expiry.tell_expired() == told
        people_touched.disconnect(hear)
        assert heard == [person.pk]


class TestMinors:
    @pytest.mark.parametrize(
        ("day", "young", "expected"),
        [
            ("2017-03-02", "own", Reason.NEEDS_GUARDIAN),  # nine
            ("2016-03-01", "own", None),  # ten that day
            ("2016-03-01", "guardian", Reason.NEEDS_GUARDIAN),
            ("2006-03-02", "guardian", Reason.NEEDS_GUARDIAN),  # twenty tomorrow
            ("2006-03-01", "guardian", None),
            ("", "guardian", None),
        ],
    )
    def test_the_age_is_that_of_the_day_of_the_consent(
        self, person: Profile, day: str, young: str, expected: Reason | None
    ) -> None:
        [record] = records_of(person)
        if day:
            born(record, day)
        terms(young=young)
        say(record, "granted")
        assert reason(person) is expected

    def test_growing_up_makes_no_consent_of_a_childs(self, person: Profile) -> None:
        [record] = records_of(person)
        born(record, "2008-01-01")
        say(record, "granted")
        with time_machine.travel(on_day(4000), tick=False):
            assert reason(person) is Reason.NEEDS_GUARDIAN

    def test_a_guardian_consents(self, person: Profile) -> None:
        [record] = records_of(person)
        born(record, "2018-01-01")
        say(record, "granted", by_guardian=True)
        assert reason(person) is None

    def test_a_child_alone_takes_no_refusal_back(self, person: Profile) -> None:
        [record] = records_of(person)
        born(record, "2018-01-01")
        say(record, "refused", day=0)
        say(record, "granted", day=1)
        assert reason(person) is Reason.REFUSED

    def test_a_merge_makes_no_minor_of_age(self, person: Profile) -> None:
        [record] = records_of(person)
        born(record, "2018-01-01")
        say(record, "granted")
        other = make_person(make_source("pos"))
        born(records_of(other)[0], "1980-01-01")
        merge(person, other)
        assert reason(person) is Reason.NEEDS_GUARDIAN

    def test_staff_put_a_day_of_birth_right(self, person: Profile) -> None:
        [record] = records_of(person)
        born(record, "2018-01-01")
        say(record, "granted")
        born(make_record(make_source("cdp"), profile=person, kind="agent"), "1981-01-01")
        assert reason(person) is None

    def test_an_event_says_that_a_guardian_spoke(self, tell: Tell, pos: Source) -> None:
        said = {"purpose": "marketing", "channel": "email"}
        tell(
            pos,
            identify("P1", email="aree.jaidee@baansabai.co.th", birth_date="2018-01-01"),
            track("P1", "Consent Granted", hours=2, **said),
        )
        child = profile_of(pos, "P1")
        assert reason(child) is Reason.NEEDS_GUARDIAN
        tell(pos, track("P1", "Consent Granted", hours=1, given_by="guardian", **said))
        assert reason(child) is None

    def test_who_is_a_minor_today(self) -> None:
        at = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)  # 23 November in Bangkok
        assert [is_minor(day, at) for day in ("2006-11-23", "2006-11-24", "")] == [False, True, False]


def test_terms_are_changed_with_an_audit_row(compliance: Any) -> None:
    purpose = marketing()
    notices.set_terms(purpose=purpose, months=24, young="own", is_sharing=True, by=compliance)
    assert (marketing().months, marketing().young, marketing().is_sharing) == (24, "own", True)
