"""A model that comes into use a second time finds no keys of what arrived in between: its next run makes them all."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.matching import batch, runs
from profiles.models import BlockKey, MatchModel, MatchRun
from tests.factories.arrivals import arrive, row
from tests.factories.matching import activate

pytestmark = pytest.mark.django_db


def run(by: User) -> MatchRun:
    begun = runs.start(by=by)
    runs.run(str(begun.pk))
    begun.refresh_from_db()
    return begun


def test_a_second_use_begins_with_everything(pos: Source, steward: User) -> None:
    model = activate()
    arrive(pos, row("p1", first_name="Suda", last_name="Rakdee"))
    assert run(steward).everything
    assert batch.keys_stand(model.pk)
    assert not run(steward).everything

    MatchModel.objects.filter(pk=model.pk).update(status=MatchModel.Status.RETIRED)
    arrive(pos, row("p2", first_name="Prasit", last_name="Jaidee"))
    assert not BlockKey.objects.filter(record__external_id="p2").exists()
    later = timezone.now() + timedelta(microseconds=1)
    MatchModel.objects.filter(pk=model.pk).update(status=MatchModel.Status.ACTIVE, activated_at=later)

    assert not batch.keys_stand(model.pk)
    assert run(steward).everything
    assert BlockKey.objects.filter(record__external_id="p2").exists()
