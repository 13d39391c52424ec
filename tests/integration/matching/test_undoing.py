"""What a model has joined is taken back, whatever happened in between: rollbacks, undos, reverted imports."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from cdp_site.core.models import User
from ingestion.models import FileImport, Source
from profiles import merging, rebuild
from profiles.matching import rollback, verified
from profiles.models import (
    BlockKey,
    LinkDecision,
    MatchLabel,
    MatchModel,
    MatchRun,
    Membership,
    Profile,
    Revert,
    ReviewPair,
    SourceRecord,
    UnmatchedChange,
)
from profiles.reverting import job
from tests.factories.arrivals import arrive, identify, row
from tests.factories.files import PEOPLE, bring_in
from tests.factories.matching import activate

pytestmark = pytest.mark.django_db

SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee", "birth_date": "1990-04-01"}


def profile_of(external_id: str) -> Profile:
    return Membership.objects.get(record__external_id=external_id, valid_to=None).profile


def record(external_id: str) -> int:
    return SourceRecord.objects.get(external_id=external_id).pk


def together(*external_ids: str) -> bool:
    return len({profile_of(external_id) for external_id in external_ids}) == 1


def roll_back(model: MatchModel, by: User) -> None:
    run = rollback.start(model=model, by=by)
    rollback.run(str(run.pk))
    assert MatchRun.objects.get(pk=run.pk).status == MatchRun.Status.DONE


@pytest.fixture
def model(web_shop: Source, pos: Source) -> MatchModel:
    """It has joined u1 and p1."""
    model = activate()
    arrive(web_shop, identify("u1", **SUDA))
    arrive(pos, row("p1", **SUDA))
    assert together("u1", "p1")
    return model


def test_a_link_that_was_parted_and_joined_again_goes_with_its_model(model: MatchModel, steward: User) -> None:
    done = merging.unmerge(profile=profile_of("u1"), records=[record("p1")], by=steward, reason="")
    assert not together("u1", "p1")
    merging.revert(operation=done.operation, by=steward, reason="")
    assert together("u1", "p1")
    assert rollback.foresee(model).links == 1
    roll_back(model, steward)
    assert not together("u1", "p1")
    assert rebuild.check() == []


def test_a_link_that_a_person_took_back_stays_gone(model: MatchModel, steward: User) -> None:
    merging.unmerge(profile=profile_of("u1"), records=[record("p1")], by=steward, reason="")
    assert rollback.foresee(model).links == 0
    roll_back(model, steward)
    assert not together("u1", "p1")


@pytest.mark.parametrize("depth", range(4))
def test_a_decision_stands_as_often_as_it_was_undone_twice(model: MatchModel, depth: int) -> None:
    last = LinkDecision.objects.get(kind="model")
    link = last.pk
    for _ in range(depth):
        last = LinkDecision.objects.create(
            action="withdraw", kind="model", record_a_id=last.record_a_id, record_b_id=last.record_b_id, withdraws=last
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT profiles_decision_stands(%s)", [link])
        assert cursor.fetchone() == (depth % 2 == 0,)


class TestConfirmed:
    """What a person confirmed stays as long as the person stays with it."""

    def test_a_rolled_back_model_is_not_left_behind_a_merge(self, model: MatchModel, steward: User) -> None:
        again = LinkDecision.objects.create(
            action="link", kind="steward", record_a_id=record("u1"), record_b_id=record("p1")
        )
        roll_back(model, steward)
        assert together("u1", "p1")
        LinkDecision.objects.create(
            action="withdraw", kind="steward", record_a_id=record("u1"), record_b_id=record("p1"), withdraws=again
        )
        rebuild.rebuild(by="system:test")
        assert not together("u1", "p1")

    def test_nor_behind_a_mark(self, model: MatchModel, steward: User) -> None:
        verified.verify(profile=profile_of("u1"), by=steward)
        roll_back(model, steward)
        assert together("u1", "p1")
        verified.take_back(profile=profile_of("u1"), by=steward)
        assert not together("u1", "p1")
        assert rebuild.check() == []


class TestReverted:
    """A reverted import takes with it all that matching knew of its records."""

    @pytest.fixture(autouse=True)
    def own_store(self, tmp_path: Path, settings: Settings) -> None:
        settings.CDP_DATA = tmp_path

    @staticmethod
    def revert(file_import: FileImport) -> None:
        assert file_import.operation_id is not None
        begun = job.start(file_import.operation_id, lifts_denials=False, by="system:test")
        job.run(str(begun.pk))
        begun.refresh_from_db()
        assert begun.status == Revert.Status.DONE
        assert rebuild.check() == []

    def test_nothing_points_to_records_that_have_never_been(
        self, model: MatchModel, steward: User, call_centre: Source
    ) -> None:
        people = "id,name,phone,email,city\nC1,Suda Rakdee,,,\nC2,Suda Rakdee,,,\n"
        file_import = bring_in(call_centre, people, PEOPLE)
        one, other = sorted((record("C1"), record("C2")))
        assert BlockKey.objects.filter(record__in=[one, other]).exists()
        assert UnmatchedChange.objects.filter(record__in=[one, other]).exists()
        assert ReviewPair.objects.filter(record_b__in=[one, other]).exists()
        MatchLabel.objects.create(record_a_id=one, record_b_id=other, verdict="same", origin="training")
        verified.verify(profile=profile_of("C1"), by=steward)

        self.revert(file_import)

        assert not SourceRecord.objects.filter(pk__in=[one, other]).exists()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as at the end of a transaction
        assert not MatchLabel.objects.exists()

    def test_what_only_a_reverted_record_joined_for_the_model_parts(
        self, pos: Source, web_shop: Source, call_centre: Source
    ) -> None:
        activate()
        arrive(web_shop, identify("u1", first_name="Suda", last_name="Rakdee", phone="0863451972"))
        arrive(pos, row("p1", first_name="Suda", last_name="Rakdee", email="suda@baansabai.co.th", phone="0819876543"))
        assert not together("u1", "p1")
        joining = "id,name,phone,email,city\nC1,Suda Rakdee,0863451972,suda@baansabai.co.th,\n"
        file_import = bring_in(call_centre, joining, PEOPLE)
        assert together("u1", "p1")
        self.revert(file_import)
        assert not together("u1", "p1")
        assert set(UnmatchedChange.objects.values_list("record__external_id", flat=True)) >= {"u1", "p1"}
