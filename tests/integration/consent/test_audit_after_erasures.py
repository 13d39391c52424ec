"""The audit stays whole while people are erased, and tells of every manipulation afterwards."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from cdp_site.core import audit
from cdp_site.core.models import AuditEvent, AuditSeal, User
from consent import erasure, requests
from profiles.models import Profile
from tests.factories.consent import ask, say
from tests.factories.people import hold, make_person, records_of

pytestmark = pytest.mark.django_db
PEOPLE = 100


@pytest.fixture
def erased(compliance: User, make_user: Callable[..., User], settings: Settings, tmp_path: Path) -> None:
    """A hundred people erased, the chain anchored after each tenth."""
    settings.AUDIT_ANCHORS = str(tmp_path / "anchors.jsonl")
    second = make_user("compliance", name="second")
    for number in range(PEOPLE):
        person = make_person(name=f"คนที่ {number}")
        record = records_of(person)[0]
        hold(record, "phone", f"+66812{number:06}")
        say(record, "granted")
        erasure.run(requests.approve(request_id=ask(person, compliance).pk, by=second).pk)
        if number % 10 == 9:
            audit.write_anchor()


def tamper(statement: str, *parameters: object) -> None:
    """What the database's own administrator can do: the triggers switched off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, parameters)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_green_after_a_hundred_erasures_and_red_after_any_manipulation(erased: None) -> None:
    assert not Profile.objects.exists()
    verdict = audit.check_chain()
    assert (verdict.ok, verdict.tail, verdict.anchored) == (True, 0, 10)
    assert verdict.sealed == AuditEvent.objects.count()
    assert AuditEvent.objects.filter(action="request.complete").count() == PEOPLE

    middle, other = AuditEvent.objects.order_by("pk").values_list("pk", flat=True)[50:52]
    seals = list(
        AuditSeal.objects.filter(event_id__in=[middle, other]).order_by("sequence").values_list("pk", flat=True)
    )
    manipulations = {
        "edited": [("UPDATE core_auditevent SET actor = 'user:9' WHERE id = %s", (middle,))],
        "deleted": [("DELETE FROM core_auditevent WHERE id = %s", (middle,))],
        "deleted with its seal": [
            ("DELETE FROM core_auditevent WHERE id = %s", (middle,)),
            ("DELETE FROM core_auditseal WHERE event_id = %s", (middle,)),
        ],
        "reordered": [
            ("UPDATE core_auditseal SET sequence = -1 WHERE sequence = %s", (seals[0],)),
            ("UPDATE core_auditseal SET sequence = %s WHERE sequence = %s", (seals[0], seals[1])),
            ("UPDATE core_auditseal SET sequence = %s WHERE sequence = -1", (seals[1],)),
        ],
        "cut off at its end": [
            ("DELETE FROM core_auditseal WHERE sequence > %s", (seals[0],)),
            ("DELETE FROM core_auditevent WHERE id > %s", (middle,)),
        ],
    }
    for what, statements in manipulations.items():
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT before")
        for statement, parameters in statements:
            tamper(statement, *parameters)
        assert not audit.verify().ok, what
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT before")
    assert audit.verify().ok
