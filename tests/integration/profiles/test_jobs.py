"""A source that is trusted more wins in the golden records that it has part in."""

import pytest
from django.test import TestCase
from django_q.models import OrmQ

from ingestion import signals
from ingestion.models import Source
from profiles import jobs
from profiles.models import Profile
from tests.factories.arrivals import arrive, identify, row

pytestmark = pytest.mark.django_db


def test_a_changed_trust_rank_changes_the_winner(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", email="suda@baansabai.co.th", city="Bangkok"))
    arrive(pos, row("p1", email="suda@baansabai.co.th", city="Phuket"))
    person = Profile.objects.people().get()
    assert person.golden["city"] == "Phuket"
    Source.objects.filter(pk=web_shop.pk).update(trust_rank=1)
    assert jobs.refresh_golden_of_source(web_shop.pk) == 1
    person.refresh_from_db()
    assert person.golden["city"] == "Bangkok"


def test_it_is_done_by_a_job_once_the_change_is_committed(web_shop: Source) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        signals.trust_changed.send(sender=None, source_id=web_shop.pk)
    assert [task.func() for task in OrmQ.objects.all()] == ["profiles.jobs.refresh_golden_of_source"]
