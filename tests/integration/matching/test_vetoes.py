"""What a person has parted no model joins again: neither the same two records nor others of the two customers."""

from typing import Any

import pytest

from cdp_site.core.models import User
from ingestion.models import Source
from profiles import rebuild
from profiles.matching import by_hand, runs
from profiles.models import Membership, Profile, SourceRecord
from tests.factories.arrivals import arrive, identify, row
from tests.factories.matching import activate

pytestmark = pytest.mark.django_db

SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee"}
BORN: dict[str, Any] = {"birth_date": "1990-04-01"}


def profile_of(external_id: str) -> Profile:
    return Membership.objects.get(record__external_id=external_id, valid_to=None).profile


def record(external_id: str) -> int:
    return SourceRecord.objects.get(external_id=external_id).pk


def together(*external_ids: str) -> bool:
    return len({profile_of(external_id) for external_id in external_ids}) == 1


@pytest.fixture
def parted(web_shop: Source, pos: Source, call_centre: Source, steward: User) -> None:
    """u1 and p1 have one phone; the model had joined c1 with u1, which a steward has parted."""
    activate()
    arrive(web_shop, identify("u1", **SUDA, **BORN, phone="0863451972"))
    arrive(call_centre, row("c1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, phone="0863451972"))
    assert together("u1", "p1", "c1")
    by_hand.unmerge(profile=profile_of("u1"), records=[record("c1")], by=steward, reason="")
    assert not together("u1", "c1")


@pytest.mark.usefixtures("parted")
def test_an_edit_of_another_record_joins_nothing_again(pos: Source) -> None:
    arrive(pos, row("p1", **BORN, day=1))
    assert together("u1", "p1")
    assert not together("u1", "c1")
    assert rebuild.check() == []


@pytest.mark.usefixtures("parted")
def test_nor_does_a_newcomer_of_one_side(web_shop: Source, pos: Source) -> None:
    arrive(pos, row("p2", **SUDA, **BORN, phone="0863451972", day=1))
    assert together("u1", "p1", "p2")
    assert not together("u1", "c1")


@pytest.mark.usefixtures("parted")
def test_nor_does_a_run_at_night(pos: Source, steward: User) -> None:
    arrive(pos, row("p1", city="เชียงใหม่", day=1))
    run = runs.start(by=steward, everything=True)
    runs.run(str(run.pk))
    assert not together("u1", "c1")


@pytest.mark.usefixtures("parted")
def test_nor_does_another_model(pos: Source, steward: User) -> None:
    activate()
    run = runs.start(by=steward, everything=True)
    runs.run(str(run.pk))
    arrive(pos, row("p1", **BORN, day=1))
    assert not together("u1", "c1")


def test_nor_after_a_merge_that_was_parted(web_shop: Source, pos: Source, call_centre: Source, steward: User) -> None:
    """Nobody but a steward had joined them; the model finds a reason later."""
    activate()
    arrive(web_shop, identify("u1", **SUDA, phone="0863451972"))
    arrive(call_centre, row("c1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, phone="0863451972"))
    assert not together("u1", "c1")
    by_hand.merge(profiles=[profile_of("u1"), profile_of("c1")], by=steward, reason="")
    by_hand.unmerge(profile=profile_of("u1"), records=[record("c1")], by=steward, reason="")
    arrive(pos, row("p1", **BORN, day=1))
    assert together("u1", "p1")
    assert not together("u1", "c1")
