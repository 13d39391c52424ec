"""A model that makes mistakes costs no data: what arrives is kept, and matched when a model can."""

from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingestion.models import InboundBatch, QuarantinedItem, Source
from profiles import rebuild
from profiles.matching.matcher import Comparable
from profiles.models import LinkDecision, Membership, SourceRecord, UnmatchedChange
from tests.factories.arrivals import arrive, row
from tests.factories.matching import FakeMatcher, activate

pytestmark = pytest.mark.django_db

SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee", "birth_date": "1990-04-01"}


class NoKeys(FakeMatcher):
    def keys(self, record: Comparable) -> frozenset[str]:
        raise ValueError(str(record))


class NoScore(FakeMatcher):
    def score(self, pairs: Sequence[tuple[Comparable, Comparable]]) -> list[float]:
        raise ZeroDivisionError


@pytest.mark.parametrize("broken", [NoKeys, NoScore])
def test_what_arrives_is_kept_and_waits_for_the_night(pos: Source, broken: type[FakeMatcher]) -> None:
    activate(broken())
    with capture_logs() as logs:
        for number in ("p1", "p2"):
            arrive(pos, row(number, **SUDA))
    assert SourceRecord.objects.count() == 2
    assert not QuarantinedItem.objects.exists()
    assert not InboundBatch.objects.filter(attempts__gt=1).exists()
    assert set(UnmatchedChange.objects.values_list("record__external_id", flat=True)) == {"p1", "p2"}
    assert not LinkDecision.objects.exists()
    assert [entry["event"] for entry in logs if entry["event"] == "match_failed"]
    assert "Rakdee" not in str(logs)
    assert rebuild.check() == []


def test_the_next_that_arrives_is_matched_again(pos: Source) -> None:
    activate(NoScore())
    arrive(pos, row("p1", **SUDA), row("p2", **SUDA))
    activate()
    arrive(pos, row("p1", day=1, city="ลำพูน"), row("p3", day=1, **SUDA))
    assert Membership.objects.filter(valid_to=None).values("profile").distinct().count() == 2
