"""A list whose job is killed with `kill -9`, again and again: the same people as undisturbed, nobody twice."""

from collections.abc import Callable

import pytest

from cdp_site.core.models import User
from consent.models import Channel, Purpose
from ingestion.models import Source
from profiles.models import Touchpoint
from segments.exports import drawing
from segments.models import ExportMember, Segment, SegmentExport
from tests.customers import Tell, identify, track
from tests.factories import exports
from tests.processes import run_until_killed

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., Segment]
PEOPLE, CHUNK = 240, 10
# Small chunks, so that there is something to be killed between.
JOB = """
from segments.exports import job
job.CHUNK = {chunk}
job.run("{export}")
"""


@pytest.fixture
def crowd(tell: Tell, pos: Source) -> None:
    for start in range(0, PEOPLE, 60):
        messages = []
        for number in range(start, start + 60):
            user = f"u{number}"
            messages += [
                identify(user, firstName="มานี", lastName=user, email=f"{user}@baansabai.co.th"),
                track(user, "Product Viewed", color="red"),
                track(user, "Consent Granted", purpose="marketing", channel="email"),
            ]
        tell(pos, *messages)


def reached(export: SegmentExport) -> int:
    """Members put to the gate and traces left."""
    export.refresh_from_db()
    return export.n_done + ExportMember.objects.of(export.pk).filter(is_traced=True).count()


def test_killed_four_times_it_ends_as_if_it_had_not_been(crowd: None, make_segment: Make, marketer: User) -> None:
    purpose = Purpose.objects.get(slug="marketing")
    export = exports.ask(make_segment(), purpose, Channel.EMAIL, marketer, holdout_percent=20)

    for statements in (60, 150, 130, 150):
        before = reached(export)
        SegmentExport.objects.filter(pk=export.pk).update(lease_until=None)
        assert run_until_killed(JOB.format(chunk=CHUNK, export=export.pk), statements=statements)
        assert before < reached(export)

    SegmentExport.objects.filter(pk=export.pk, status="running").update(lease_until=None)
    exports.make(export)

    assert export.status == SegmentExport.Status.READY
    assert (export.n_members, export.n_done) == (PEOPLE, PEOPLE)
    members = list(ExportMember.objects.of(export.pk).select_related("record__birth_profile"))
    held_out = [one for one in members if one.is_held_out]
    assert len(members) == PEOPLE
    assert len(held_out) == export.n_held_out
    assert all(
        one.is_held_out == drawing.is_held_out(export.pk, one.record.birth_profile.public_id, 20) for one in members
    )
    lines = exports.content(export, marketer).decode().splitlines()[1:]
    assert len(lines) == len(set(lines)) == export.n_exported == PEOPLE - export.n_held_out
    for event, number in (("Segment Exported", export.n_exported), ("Segment Held Out", export.n_held_out)):
        traces = Touchpoint.objects.filter(type__name=event)
        assert traces.count() == traces.values("record").distinct().count() == number
