"""Imports in any order, and reverts in any order: what is left is as if the reverted ones had never been."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from ingestion.models import Source
from profiles import rebuild
from profiles.models import Revert
from profiles.reverting import job
from tests.factories.arrivals import arrive, identify, track
from tests.factories.files import ORDERS, PEOPLE_WITH_CONSENT, VISITS, bring_in
from tests.factories.picture import picture

PEOPLE = st.sampled_from(["P1", "P2", "P3"])
MAILS = st.sampled_from(["", "ann@baansabai.co.th", "bea@baansabai.co.th"])
PHONES = st.sampled_from(["", "0863451972", "0819876543"])
NAMES = st.sampled_from(["", "สุดา รักดี", "ประสิทธิ์ ใจดี"])
DAYS = st.integers(1, 5)
HEADS = {
    "people": ("id,name,phone,email,city,news", PEOPLE_WITH_CONSENT),
    "visits": ("id,at,what,page", VISITS),
    "orders": ("id,at,order,sku,quantity,price", ORDERS),
}


@dataclass(frozen=True)
class File:
    kind: str
    rows: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join((HEADS[self.kind][0], *self.rows)) + "\n"


def _rows(kind: str) -> Any:
    if kind == "people":
        cells = st.tuples(PEOPLE, NAMES, PHONES, MAILS, st.sampled_from(["", "เชียงใหม่", "ลำพูน"]), st.sampled_from("YN"))
        return cells.map(",".join)
    if kind == "visits":
        return st.builds("{},2026-03-0{},Page Viewed,/{}".format, PEOPLE, DAYS, st.sampled_from("ab"))
    # One customer an order, and one day: what two files say of it differs in its lines alone.
    lines = st.tuples(PEOPLE, st.sampled_from(["S1", "S2"]), st.integers(1, 3))
    return lines.map(lambda one: f"{one[0]},2026-03-01,R{one[0]},{one[1]},{one[2]},100")


FILES = st.sampled_from(list(HEADS)).flatmap(
    lambda kind: st.lists(_rows(kind), min_size=1, max_size=4, unique_by=lambda row: row.split(",")[0]).map(
        lambda rows: File(kind, tuple(rows))
    )
)
EVENTS = st.tuples(st.sampled_from(["u1", "u2"]), MAILS, PHONES)


def play(source: Source, shop: Source, steps: Any) -> list[Any]:
    """Files are imported; anything else is what the shop's own customers do."""
    done = []
    for step in steps:
        if isinstance(step, File):
            done.append(bring_in(source, step.text, HEADS[step.kind][1]))
        else:
            user, email, phone = step
            arrive(shop, identify(user, **{k: v for k, v in (("email", email), ("phone", phone)) if v}))
            arrive(shop, track("Page Viewed", user))
            done.append(None)
    return done


def in_a_world_of_its_own(play_it: Any) -> Any:
    """The picture that is left, in a transaction that is rolled back."""
    block: Any = transaction.atomic()
    block._from_testcase = True  # as Django's own TestCase: durable blocks may stand within it
    with block:
        play_it()
        assert rebuild.check() == []
        found = picture(times=False)
        transaction.set_rollback(True)
    return found


def take_back(file_import: Any) -> None:
    revert = job.start(file_import.operation_id, lifts_denials=True, by="system:test")
    job.run(str(revert.pk))
    revert.refresh_from_db()
    assert revert.status == Revert.Status.DONE


@pytest.mark.django_db
def test_reverted_imports_have_never_been(pos: Source, web_shop: Source, tmp_path: Any, settings_: Any) -> None:
    settings_.CDP_DATA = tmp_path

    @settings(max_examples=25, deadline=None)
    @given(steps=st.lists(st.one_of(FILES, EVENTS), min_size=1, max_size=5), data=st.data())
    def check(steps: list[Any], data: st.DataObject) -> None:
        files = [place for place, step in enumerate(steps) if isinstance(step, File)]
        reverted = data.draw(st.lists(st.sampled_from(files), unique=True)) if files else []

        def with_reverts() -> None:
            imports = play(pos, web_shop, steps)
            for place in reverted:
                take_back(imports[place])

        without = [step for place, step in enumerate(steps) if place not in reverted]

        assert in_a_world_of_its_own(with_reverts) == in_a_world_of_its_own(lambda: play(pos, web_shop, without))

    check()


@pytest.mark.django_db
def test_whoever_came_in_first_does_not_decide_between_equals(
    pos: Source, web_shop: Source, tmp_path: Any, settings_: Any
) -> None:
    settings_.CDP_DATA = tmp_path
    visit = File("visits", ("P2,2026-03-01,Page Viewed,/a",))
    people = File("people", tuple(f"P{n},,,bea@baansabai.co.th,{city},Y" for n, city in ((1, "ลำพูน"), (2, "เชียงใหม่"))))

    def visited_first() -> None:
        take_back(play(pos, web_shop, [visit, people])[0])

    assert in_a_world_of_its_own(visited_first) == in_a_world_of_its_own(lambda: play(pos, web_shop, [people]))


@pytest.fixture
def settings_(settings: Settings) -> Any:
    """Django's settings; the name is taken by those of Hypothesis."""
    return settings
