"""A list whose job is killed with `kill -9`, again and again: the same people as undisturbed, nobody twice."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from cdp_site.core.models import User
from consent.models import Channel, Purpose
from ingestion.models import Source
from profiles.models import Touchpoint
from segments.exports import drawing
from segments.models import ExportMember, Segment, SegmentExport
from tests.customers import Tell, identify, track
from tests.database import url_with
from tests.factories import exports
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., Segment]
ROOT = Path(__file__).parents[3]
PEOPLE, CHUNK = 240, 10
# Small chunks, so that there is something to be killed between.
CODE = """
import django
django.setup()
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


def job(export: SegmentExport) -> "subprocess.Popen[bytes]":
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "cdp_site.settings",
        "DATABASE_URL": url_with(connection.settings_dict["NAME"]),
        "CDP_DATA": str(django_settings.CDP_DATA),
    }
    code = CODE.format(chunk=CHUNK, export=export.pk)
    return subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=ROOT)


def reached(export: SegmentExport) -> int:
    """Members put to the gate and traces left."""
    export.refresh_from_db()
    return export.n_done + ExportMember.objects.of(export.pk).filter(is_traced=True).count()


def test_killed_four_times_it_ends_as_if_it_had_not_been(crowd: None, make_segment: Make, marketer: User) -> None:
    purpose = Purpose.objects.get(slug="marketing")
    export = exports.ask(make_segment(), purpose, Channel.EMAIL, marketer, holdout_percent=20)

    kills = 0
    for part in (0.1, 0.4, 1.1, 1.5):
        SegmentExport.objects.filter(pk=export.pk).update(lease_until=None)
        with job(export) as process:
            wait_for(lambda part=part: reached(export) > part * PEOPLE or process.poll() is not None, seconds=60)  # type: ignore[misc]
            process.kill()
        kills += process.returncode == -9
    assert kills >= 2

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
