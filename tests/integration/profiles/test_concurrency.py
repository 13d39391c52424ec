"""Several digests at once, and merges and changes by staff among them: no twins, no deadlocks, no strays."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from cdp_site.core.models import User
from ingestion import landing
from ingestion.models import InboundBatch, Source
from profiles import digest, intake, merging, rebuild
from profiles.editing import changing, fields
from profiles.models import AgentEdit, Profile, SourceRecord, Touchpoint
from profiles.resolution import pipeline
from profiles.statements import StatedIdentifier
from tests.factories.arrivals import identify, row, track
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 8


def at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """Run the tasks together, each with a connection of its own; raises what any of them raised."""
    ready = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            ready.wait(timeout=20)
            return task()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(run, task) for task in tasks]]


def digest_one() -> None:
    """Digest batch by batch, so that the writers interleave."""
    while digest.step(limit_batches=1) is not None:
        pass


def land(source: Source, messages: Sequence[dict[str, Any]]) -> None:
    door = "file" if "cdp" in messages[0] else "api"
    landing.land(source=source, messages_raw=list(messages), door=door)


def nothing_failed() -> bool:
    waiting = InboundBatch.objects.exclude(status="digested")
    return not waiting.exists() and not InboundBatch.objects.filter(n_quarantined__gt=0).exists()


def test_the_same_newcomers_in_many_batches_have_no_twins(web_shop: Source, pos: Source, call_centre: Source) -> None:
    people = range(12)
    for part in range(WRITERS):
        land(web_shop, [identify(f"u{n}", email=f"u{n}@baansabai.co.th", day=part) for n in people])
        land(web_shop, [track("Page Viewed", f"u{n}", device=f"d{n}", day=part) for n in reversed(people)])
        land(pos, [row(f"p{part}-{n}", email=f"u{n}@baansabai.co.th", phone=f"081111{n:04}") for n in people])
        land(call_centre, [row(f"c{part}-{n}", phone=f"081111{n:04}") for n in reversed(people)])
    at_once(*[digest_one] * WRITERS)
    digest.drain()
    assert nothing_failed()
    assert not InboundBatch.objects.filter(attempts__gt=1).exists()
    assert Profile.objects.people().count() == len(people)
    assert SourceRecord.objects.filter(kind="identified").count() == len(people) * (1 + 2 * WRITERS)
    assert rebuild.check() == []


def test_digests_beside_merges_leave_no_strays(web_shop: Source, steward: User) -> None:
    land(web_shop, [identify(f"u{n}") for n in range(4)])
    digest.drain()
    profiles = {n: Profile.objects.get(birth_record__external_id=f"u{n}") for n in range(4)}
    for part in range(10):
        land(web_shop, [track("Page Viewed", f"u{n}", day=part) for n in range(4)])

    def merge_and_part() -> None:
        for _ in range(3):
            done = merging.merge(profiles=list(profiles.values()), by=steward, reason="try")
            merging.revert(operation=done.operation, by=steward, reason="undo")

    at_once(merge_and_part, digest_one, digest_one, digest_one)
    assert nothing_failed()
    assert Touchpoint.objects.count() == 40
    assert {profile.touchpoint_set.count() for profile in profiles.values()} == {10}
    assert rebuild.check() == []


def test_two_steps_do_not_join_together_what_each_alone_may(web_shop: Source, pos: Source) -> None:
    """A nameless record with an address and a phone may take in a user by either, but not two users."""
    land(pos, [row("p1", email="both@baansabai.co.th", phone="0863451972")])
    digest.drain()
    land(web_shop, [identify("u1", email="both@baansabai.co.th")])
    land(web_shop, [identify("u2", phone="0863451972")])
    at_once(digest_one, digest_one)
    pipeline.resolve_deferred(by="system:test")
    owners = {Profile.objects.get(birth_record__external_id=user).state for user in ("u1", "u2")}
    assert owners == {"live", "redirected"}
    assert rebuild.check() == []


def test_of_changes_of_one_value_at_once_one_is_made_and_the_others_are_told(pos: Source, steward: User) -> None:
    land(pos, [row("p1", first_name="Suda", last_name="Rakdee", email="suda@baansabai.co.th")])
    digest.drain()
    profile = Profile.objects.people().get()
    seen = fields.load(profile, "email", by=steward)
    assert seen is not None

    def change(number: int) -> Callable[[], bool]:
        def make() -> bool:
            said = {"email": f"suda{number}@baansabai.co.th"}
            try:
                changing.change(profile=profile, trait="email", said=said, version=seen.version, by=steward)
            except changing.Overtaken:
                return False
            return True

        return make

    assert sum(at_once(*[change(number) for number in range(WRITERS)])) == 1
    assert AgentEdit.objects.count() == 1
    assert SourceRecord.objects.filter(kind="agent").count() == 1
    assert rebuild.check() == []


def test_changes_by_staff_while_the_same_customer_is_digested(web_shop: Source, pos: Source, steward: User) -> None:
    land(pos, [row("p1", first_name="Suda", last_name="Rakdee", email="suda@baansabai.co.th")])
    digest.drain()
    profile = Profile.objects.people().get()
    for part in range(12):
        land(web_shop, [row(f"w{part}", email="suda@baansabai.co.th", phone=f"081111{part:04}", day=part)])

    def change() -> None:
        for part in range(12):
            editable = fields.load(profile, "phone", by=steward)
            assert editable is not None
            said = {"phone": f"081111{part:04}"}
            with suppress(changing.Overtaken):  # a source was faster
                changing.change(profile=profile, trait="phone", said=said, version=editable.version, by=steward)

    at_once(change, digest_one, digest_one)
    digest.drain()
    assert nothing_failed()
    assert Profile.objects.people().count() == 1
    assert rebuild.check() == []


def test_who_edits_holds_no_row_while_waiting_for_a_key_that_a_digest_holds(pos: Source, steward: User) -> None:
    land(pos, [row("p1", first_name="Suda", last_name="Rakdee", phone="0811111111")])
    digest.drain()
    profile = Profile.objects.people().get()
    editable = fields.load(profile, "phone", by=steward)
    assert editable is not None
    key = StatedIdentifier("phone", "global", "+66897651243", "0897651243", is_evidence=True, problem="")
    is_held = threading.Event()

    def change() -> None:
        is_held.wait(timeout=20)
        said = {"phone": "0897651243"}
        changing.change(profile=profile, trait="phone", said=said, version=editable.version, by=steward)

    def step() -> None:
        with transaction.atomic():
            intake.lock_identifiers([key])
            is_held.set()
            wait_for(somebody_waits_for_a_key)
            Profile.objects.filter(pk=profile.pk).update(changed_at=timezone.now())

    at_once(change, step)
    assert AgentEdit.objects.count() == 1


def somebody_waits_for_a_key() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON oid = database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted)"
        )
        return bool(cursor.fetchone()[0])
