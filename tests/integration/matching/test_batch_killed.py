"""A run whose process is killed ends as if nothing had happened."""

import os
import signal
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from ingestion.models import Source
from profiles import rebuild
from profiles.matching import online, runs
from profiles.models import MatchRun, Membership, SourceRecord, UnmatchedChange
from tests.database import url_with
from tests.factories.arrivals import arrive, row
from tests.factories.matching import activate

pytestmark = pytest.mark.django_db(transaction=True)

# Another process, with small portions; it says so after each and waits to be told to go on, or to be killed.
_PROCESS = """
import sys
from uuid import UUID

import django

django.setup()
from profiles.matching import batch, runs
from profiles.models import MatchModel
from tests.factories import matching

matching._fakes[bytes(MatchModel.objects.get().file_mac)] = matching.FakeMatcher()
for name in ("KEYS_AT_ONCE", "PAIRS_AT_ONCE", "RECORDS_AT_ONCE", "PROFILES_AT_ONCE", "DOUBTS_AT_ONCE"):
    setattr(batch, name, 2)
runs.CHANGES_AT_ONCE = 2


def listen(run):
    print(run.phase, flush=True)
    sys.stdin.readline()


runs.carry_on(UUID(sys.argv[1]), listen=listen)
"""


def people() -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    current = Membership.objects.filter(valid_to=None)
    for profile, external_id in current.values_list("profile_id", "record__external_id"):
        found.setdefault(profile, set()).add(external_id)
    return {frozenset(of_profile) for of_profile in found.values()}


def portions_until_killed(run: MatchRun, *, after: int) -> list[str]:
    """Let another process do that many portions (fewer when it ends before), then kill it as a machine would."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROCESS, str(run.pk)],
        env=os.environ | {"DATABASE_URL": url_with(connection.settings_dict["NAME"])},
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    phases = []
    for line in process.stdout:
        phases.append(line.strip())
        if len(phases) > after:
            process.send_signal(signal.SIGKILL)
            break
        process.stdin.write("\n")
        process.stdin.flush()
    process.communicate()
    return phases


def test_killed_again_and_again_it_ends_the_same(pos: Source) -> None:
    people_of: dict[str, Any] = {
        f"p{person}{copy}": {"first_name": "Suda", "last_name": "Rak" + "dee" * person, "birth_date": f"1990-04-0{day}"}
        for person in range(1, 6)
        for copy, day in enumerate((1, 1, 2))
    } | {f"p{person}3": {"first_name": "Suda", "last_name": "Rak" + "dee" * person} for person in range(1, 6)}
    arrive(pos, *(row(name, **traits) for name, traits in people_of.items()))
    activate()
    begun = runs.start(by="system:test")
    told: Counter[str] = Counter()
    while not begun.ended_at:
        # Each process gets a little further than the one before: every phase is begun, and gone on with.
        told.update(portions_until_killed(begun, after=5))
        begun.refresh_from_db()
    assert begun.status == "done"
    assert set(told) == {"keys", "scoring", "deciding", "asking"}
    assert people() == {
        frozenset(group) for n in range(1, 6) for group in ({f"p{n}0", f"p{n}1"}, {f"p{n}2"}, {f"p{n}3"})
    }
    # Nothing was counted twice, nothing left out.
    assert {name: begun.report[name] for name in ("records", "keys", "pairs", "links", "reviews", "without_key")} == {
        "records": 20,
        "keys": 20,
        "pairs": 30,
        "links": 5,
        "reviews": 10,
        "without_key": 0,
    }
    assert begun.changes.count() == 15
    assert rebuild.check() == []


def test_killed_while_it_collects_what_changed_it_loses_none(pos: Source) -> None:
    named = {f"p{number}": {"first_name": "Suda", "last_name": "Rak" + "dee" * (number // 2)} for number in range(10)}
    arrive(pos, *(row(name, **traits) for name, traits in named.items()))
    activate()
    runs.run(str(runs.start(by="system:test").pk))
    for name, traits in named.items():
        SourceRecord.objects.filter(external_id=name).update(attributes={**traits, "birth_date": "1990-04-01"})
    online.note(SourceRecord.objects.values_list("pk", flat=True))
    begun = runs.start(by="system:test")
    told: Counter[str] = Counter()
    while not begun.ended_at:
        told.update(portions_until_killed(begun, after=1))
        begun.refresh_from_db()
    assert begun.status == "done"
    assert told["collecting"] >= 5
    assert (begun.report["records"], begun.report["links"]) == (10, 5)
    assert people() == {frozenset({f"p{2 * n}", f"p{2 * n + 1}"}) for n in range(5)}
    assert not UnmatchedChange.objects.exists()
    assert rebuild.check() == []
