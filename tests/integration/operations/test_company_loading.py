"""The sample company in the database: everything that was sent is found, each record with its person, each once."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from pytest_django.fixtures import Settings
from rich.console import Console

from cdp_site.core.access import EVERYTHING, scope_of
from cdp_site.core.models import Role, User
from cdp_site.operations import demo_company
from cdp_site.operations.company import examples, feeds
from cdp_site.operations.company.examples import SEGMENTS, add
from cdp_site.operations.company.generation import Company
from cdp_site.operations.company.loading import load
from cdp_site.operations.company.story import NUMBER as STORY
from cdp_site.operations.progress import Progress
from consent.models import ConsentEntry, DataSubjectRequest
from ingestion.models import FileImport, InboundBatch, QuarantinedItem, Source
from profiles.models import EventType, Membership, Order, Profile, SourceRecord, Touchpoint, Trait
from segments import audience
from segments.models import ComputedTrait, Segment

pytestmark = pytest.mark.django_db

PEOPLE, TOUCHPOINTS = 250, 4_000


@pytest.fixture
def progress() -> Progress:
    return Progress(Console(quiet=True))


@pytest.fixture
def loaded(progress: Progress, settings: Settings, tmp_path: Path) -> Company:
    """A small company in the database, and the same one beside it to compare with."""
    settings.CDP_DATA = tmp_path
    load(people=PEOPLE, seed=1, touchpoints=TOUCHPOINTS, progress=progress, helpers=0)
    end: datetime = Source.objects.get(slug=feeds.WEB).created_at
    return Company(people=PEOPLE, seed=1, touchpoints=TOUCHPOINTS, end=end)


def truth_of(company: Company) -> dict[tuple[str, str], int]:
    return {(source, external_id): person for block in company.blocks() for source, external_id, person in block.truth}


def test_everything_sent_is_found_once(loaded: Company, progress: Progress) -> None:
    truth = truth_of(loaded)
    totals = InboundBatch.objects.aggregate(
        items=Sum("n_items"), duplicate=Sum("n_duplicate"), quarantined=Sum("n_quarantined"), stored=Sum("n_stored")
    )
    assert Touchpoint.objects.count() == loaded.counts.touchpoints.total()
    assert totals["items"] == totals["stored"] + totals["duplicate"] + totals["quarantined"]
    assert totals["duplicate"] == loaded.counts.resent
    broken_rows = FileImport.objects.aggregate(n=Sum("rows_broken"))["n"]
    assert totals["quarantined"] + broken_rows == loaded.counts.broken
    assert set(QuarantinedItem.objects.values_list("reason", flat=True)) <= {"missing"}
    records = set(
        SourceRecord.objects.exclude(external_id__startswith="kiosk").values_list("source__slug", "external_id")
    )
    assert records == set(truth)

    load(people=PEOPLE, seed=1, touchpoints=TOUCHPOINTS, progress=progress, helpers=0)
    assert Touchpoint.objects.count() == loaded.counts.touchpoints.total(), "a second load brings nothing new"
    assert SourceRecord.objects.exclude(external_id__startswith="kiosk").count() == len(truth)


def test_profiles_are_people(loaded: Company) -> None:
    """The evidence rules join records of one person and hardly ever those of two."""
    truth = truth_of(loaded)
    people: dict[int, set[int]] = defaultdict(set)
    rows = Membership.objects.filter(valid_to__isnull=True)
    for source, external_id, profile in rows.values_list("record__source__slug", "record__external_id", "profile_id"):
        if (source, external_id) in truth:
            people[profile].add(truth[source, external_id])
    mixed = [profile for profile, persons in people.items() if len(persons) > 1]
    assert len(mixed) <= 0.02 * len(people)
    assert len(people) < 0.95 * len(truth)


def test_the_story_is_on_one_profile(loaded: Company) -> None:
    truth = truth_of(loaded)
    mine = [record for record, person in truth.items() if person == STORY]
    profiles = {
        Profile.objects.get(
            memberships__record__source__slug=source,
            memberships__record__external_id=external_id,
            memberships__valid_to__isnull=True,
        )
        for source, external_id in mine
    }
    assert len(mine) == 7
    (profile,) = profiles
    assert profile.golden["first_name"] == "พิมพ์ชนก"
    assert profile.golden["city"] == "จตุจักร", "the new home, not the one on the card"
    assert profile.golden["home_type"] == "condo"
    order = Order.objects.get(profile=profile, source__slug=feeds.WEB)
    assert (order.total, order.lines.count()) == (Decimal("5865.00"), 2)
    assert Touchpoint.objects.filter(profile=profile, type__name="Call Ended").count() == 2
    states = set(ConsentEntry.objects.filter(record__memberships__profile=profile).values_list("channel", "state"))
    assert {("email", "granted"), ("sms", "refused"), ("line", "granted")} <= states


def test_departments_see_their_own(loaded: Company) -> None:
    demo_company.create_users()
    seen = {
        role: set(Source.objects.visible_to(User.objects.get(username=role)).values_list("slug", flat=True))
        for role in (Role.AGENT, Role.MARKETER)
    }
    assert {feeds.CALLS, feeds.POS} <= seen[Role.AGENT]
    assert {feeds.WEB, feeds.APP, feeds.LINE, feeds.POS} <= seen[Role.MARKETER]
    assert feeds.CALLS not in seen[Role.MARKETER]
    assert feeds.APP not in seen[Role.AGENT]
    assert not scope_of(User.objects.get(username=Role.AGENT)).sees_trait_group("lifestyle")
    assert not Trait.objects.filter(group__slug="other").exists(), "every attribute of the company has its group"
    assert not EventType.objects.filter(name_th="").exists(), "every event type of the company has its Thai name"


def test_examples_are_there_once(loaded: Company) -> None:
    demo_company.create_users()
    for _ in range(2):
        add(marketer=User.objects.get(username=Role.MARKETER))
    assert Segment.objects.count() == len(SEGMENTS)
    assert ComputedTrait.objects.count() == len(examples.TRAITS)
    counted = {
        segment.name: audience.count(audience.Question.of_segment(segment, EVERYTHING))
        for segment in Segment.objects.all()
    }
    assert all(counted.values()), counted
    assert max(counted.values()) < PEOPLE
    request = DataSubjectRequest.objects.get()
    assert request.status == DataSubjectRequest.Status.RECEIVED
    assert request.requested_by.username == examples.COLLEAGUE
    assert not request.requested_by.has_usable_password()


def test_the_command_writes_files_and_says_what(tmp_path: Path) -> None:
    out = StringIO()
    call_command(
        "generate_company", "--people", "20", "--until", "2026-01-15", "--out", str(tmp_path / "a"), stdout=out
    )
    assert "20 people" in out.getvalue()
    assert "until 2026-01-15" in out.getvalue()
    assert (tmp_path / "a" / "truth.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Say where to"),
        (["--out", "x", "--people", "0"], "at least 1"),
        (["--out", "x", "--until", "2999-01-01"], "future"),
        (["--out", "x", "--people", "90000000"], "At most"),
        (["--out", "x", "--until", "22/11/2026"], "is no date"),
    ],
)
def test_the_command_refuses(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("generate_company", *arguments)
