"""A question that the database stopped says so, and what to do, wherever it is asked."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.models import AccessLogEntry, AuditEvent, User
from ingestion.models import Source
from segments import audience, authoring
from segments.models import Segment
from tests.customers import profile_of
from tests.factories.programs import program
from tests.integration.segments.conftest import Login, viewed_red, whole

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]
STOPPED = "Counting was stopped after 10 seconds: the definition reads too much."
MEND = "Shorten the time windows, or add a condition on an attribute that leaves fewer people."


@pytest.fixture
def as_marketer(login: Login, marketer: User) -> Client:
    return login(marketer)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on every statement that has a limit reaches it."""
    limit = audience.time_limit

    @contextmanager
    def stopped(*args: Any, **said: Any) -> Generator[None]:
        with limit(*args, **said), audience.connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout TO '5ms'; SELECT pg_sleep(1)")
            yield

    return lambda: monkeypatch.setattr(audience, "time_limit", stopped)


def asked(client: Client, path: str, **query: object) -> str:
    return str(client.get(path, query).content.decode())


def test_the_overlap_says_so(viewers: None, make_segment: Make, as_marketer: Client, slow: Callable[[], None]) -> None:
    red, other = make_segment(name="Red"), make_segment(viewed_red(2), name="Twice")
    path = reverse("segments:overlap", args=[red.pk])
    assert STOPPED not in asked(as_marketer, path, **{"with": other.pk})

    slow()

    page = asked(as_marketer, path, **{"with": other.pk})
    assert STOPPED in page
    assert MEND in page
    assert "overlap-bar" not in page


def test_the_effect_of_a_version_says_so(
    viewers: None, make_segment: Make, marketer: User, as_marketer: Client, slow: Callable[[], None]
) -> None:
    segment = make_segment()
    authoring.change(
        segment=segment, name="Red", description="", department=segment.department,
        definition=whole(viewed_red(2)), by=marketer,
    )  # fmt: skip
    path = reverse("segments:version_effect", args=[segment.pk])
    assert STOPPED not in asked(as_marketer, path)
    shown = AccessLogEntry.objects.filter(what="segment.version_effect").count()

    slow()

    page = asked(as_marketer, path)
    assert STOPPED in page
    assert MEND in page
    assert "Leave it" not in page.split("<main")[1]
    assert AccessLogEntry.objects.filter(what="segment.version_effect").count() == shown == 3


@pytest.mark.parametrize("name", ["explain", "explain_all"])
def test_the_explanation_says_so(
    name: str, viewers: None, make_segment: Make, as_marketer: Client, web_shop: Source, slow: Callable[[], None]
) -> None:
    profile = profile_of(web_shop, "v1")
    path = reverse(f"segments:{name}", args=[profile.public_id, make_segment().pk][: 2 if name == "explain" else 1])
    assert STOPPED not in asked(as_marketer, path)

    slow()

    page = asked(as_marketer, path)
    assert STOPPED in page
    assert MEND in page
    assert "in the segment" not in page


def test_who_is_found_from_a_segment_is_told_without_in_or_not(
    viewers: None, make_segment: Make, as_marketer: Client, slow: Callable[[], None]
) -> None:
    path = reverse("segments:explain_somebody", args=[make_segment().pk])
    slow()

    page = as_marketer.post(path, {"q": "มีนา1"}).content.decode()

    assert STOPPED in page
    assert MEND in page
    assert "มีนา1" in page
    assert "in it" not in page


def test_programs_that_ask_for_members_are_told(viewers: None, make_segment: Make, slow: Callable[[], None]) -> None:
    segment, asking = make_segment(), program(KeyScope.SEGMENTS_READ)
    path = f"/api/v1/segments/{segment.pk}/members"
    assert len(asking.get(path).json()["members"]) == 3

    slow()

    answer = asking.get(path)
    assert answer.status_code == 400
    assert answer.json().keys() == {"error"}
    problem = answer.json()["error"]
    assert (problem["code"], problem["message"], problem["hint"]) == ("too_slow", STOPPED, MEND)
    assert AuditEvent.objects.filter(action="segment.read_members").count() == 1
