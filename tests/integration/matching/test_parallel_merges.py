"""Two hundred merges, cuts and undos that overlap, at once, while messages arrive: nothing is lost, nothing is twisted,
and all of it can be taken back."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from django.db import connection, connections

from cdp_site.core.errors import MendableError
from cdp_site.core.models import Operation, User
from ingestion import landing
from ingestion.models import InboundBatch, Source
from profiles import digest, merging, rebuild
from profiles.models import LinkDecision, Membership, Order, PendingResolution, Profile, SourceRecord, Touchpoint
from profiles.state import hashes
from tests.factories.arrivals import identify, row, track

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE, WRITERS, OPERATIONS = 16, 8, 200


def at_once(*tasks: Callable[[], Any]) -> None:
    """Run the tasks together, each with a connection of its own; raises what any of them raised."""
    ready = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            ready.wait(timeout=20)
            task()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tasks)) as pool:
        for future in [pool.submit(run, task) for task in tasks]:
            future.result()


class Stewards:
    """Several people who change the same customers without knowing of each other."""

    def __init__(self, steward: User) -> None:
        self.steward = steward
        self.outcomes: Counter[str] = Counter()
        self.done: list[Operation] = []
        self.records = list(SourceRecord.objects.order_by("pk").values_list("pk", flat=True))

    def work(self, seed: int) -> None:
        random = Random(seed)
        for _ in range(OPERATIONS // WRITERS):
            change = random.choice([self.merge, self.merge, self.merge, self.part, self.undo])
            try:
                operation = change(random)
            except MendableError as problem:
                self.outcomes[problem.code] += 1
            else:
                self.outcomes["done"] += 1
                self.done.append(operation)

    def merge(self, random: Random) -> Operation:
        numbers = random.sample(self.records, random.randint(2, 4))
        profiles = Profile.objects.filter(memberships__record__in=numbers, memberships__valid_to=None).distinct()
        return merging.merge(profiles=list(profiles), by=self.steward, reason="").operation

    def part(self, random: Random) -> Operation:
        number = random.choice(self.records)
        profile = Profile.objects.get(memberships__record=number, memberships__valid_to=None)
        members = list(profile.memberships.filter(valid_to=None).values_list("record", flat=True))
        taken = random.sample(members, random.randint(1, len(members)))
        return merging.unmerge(profile=profile, records=taken, by=self.steward, reason="").operation

    def undo(self, random: Random) -> Operation:
        if not self.done:
            return self.merge(random)
        return merging.revert(operation=random.choice(self.done), by=self.steward, reason="").operation


def digest_batch_by_batch() -> None:
    while digest.step(limit_batches=1) is not None:
        pass


def land(source: Source, messages: list[dict[str, Any]]) -> None:
    landing.land(source=source, messages_raw=messages, door="file" if "cdp" in messages[0] else "api")


def visits(day: float) -> list[dict[str, Any]]:
    return [track("Page Viewed", f"u{n}", device=f"d{n % 5}", day=day) for n in range(PEOPLE)]


@pytest.fixture
def people(web_shop: Source, pos: Source) -> None:
    """Users, rows of the till that share addresses and numbers with some of them, and devices that several use."""
    contact: list[dict[str, Any]] = [
        {"email": f"u{n}@baansabai.co.th"} if n % 2 else {"phone": f"08111100{n:02}"} for n in range(PEOPLE)
    ]
    land(web_shop, [identify(f"u{n}", first_name=f"Name{n}", **contact[n]) for n in range(PEOPLE)])
    land(pos, [row(f"p{n}", **contact[n]) for n in range(0, PEOPLE, 3)])
    land(web_shop, [track("Order Completed", f"u{n}", order_id=f"o{n}", total=n, currency="THB") for n in range(4)])
    land(web_shop, visits(1))
    digest.drain()


def assert_whole() -> None:
    """No cycle, no orphan, one owner each, nothing lost, and nothing stored that does not follow from the log."""
    current = Membership.objects.filter(valid_to=None)
    owners = dict(current.values_list("record", "profile"))
    assert current.count() == len(owners) == SourceRecord.objects.count()
    assert set(owners.values()) == set(Profile.objects.live().values_list("pk", flat=True))
    redirected = Profile.objects.filter(state=Profile.State.REDIRECTED)
    assert set(redirected.values_list("redirect_to__state", flat=True)) <= {"live"}  # one step: so no cycle either
    assert all(owners[record] == owner for record, owner in Touchpoint.objects.values_list("record", "profile"))
    assert all(owners[record] == owner for record, owner in Order.objects.values_list("record", "profile"))
    assert rebuild.check() == []


def test_overlapping_merges_lose_nothing_and_can_be_taken_back(people: None, web_shop: Source, steward: User) -> None:
    around = list(Profile.objects.values_list("pk", flat=True))
    before = hashes(around)
    stewards = Stewards(steward)
    rounds = range(2, 12)
    for day in rounds:
        land(web_shop, visits(day))

    at_once(
        *[lambda seed=seed: stewards.work(seed) for seed in range(WRITERS)],
        digest_batch_by_batch,
        digest_batch_by_batch,
    )

    assert stewards.outcomes.total() == OPERATIONS
    assert stewards.outcomes.keys() <= {"done", "conflict", "invalid"}
    assert stewards.outcomes["done"] > OPERATIONS / 4
    assert not InboundBatch.objects.exclude(status="digested").exists()
    assert not PendingResolution.objects.exists()
    assert Touchpoint.objects.count() == PEOPLE * (1 + len(rounds)) + 4
    assert_whole()

    latest_first = LinkDecision.objects.filter(kind="steward").order_by("-pk").values_list("operation_id", flat=True)
    for operation_id in filter(None, dict.fromkeys(latest_first)):
        merging.revert(operation=Operation.objects.get(pk=operation_id), by=steward, reason="")
    assert_whole()
    after = hashes(around)
    assert {part for part in after if after[part] != before[part]} == {"touchpoints"}
