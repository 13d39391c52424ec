"""An erased person is in no label, pair, key or model file, and what was learned goes on working without them."""

import json
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, Q
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core import jobs
from cdp_site.core.models import User
from consent import erasure, requests
from consent.models import DataSubjectRequest
from ingestion.models import Source
from profiles.matching import labels, lifecycle, model_files, pools, runs, training
from profiles.models import (
    BlockKey,
    Identifier,
    MatchLabel,
    MatchModel,
    MatchRun,
    Membership,
    ReviewPair,
    SourceRecord,
)
from tests.customers import Tell
from tests.factories.doubles import answer_all, tell_of_doubles

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _jobs_wait(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    settings.CDP_DATA = tmp_path
    monkeypatch.setattr(jobs, "enqueue", lambda *_job: None)


def _tables_of_matching() -> list[tuple[str, list[str]]]:
    """Every table of matching that leads to a record, with its fields that do."""
    names = ("Match", "Review", "Block", "Unmatched", "Verified", "Scored", "RunRecord", "LinkDecision")
    found = []
    for model in apps.get_app_config("profiles").get_models():
        if model.__name__.startswith(names):
            fields = [one.name for one in model._meta.fields if _leads_to_a_record(one)]
            if fields:
                found.append((model.__name__, fields))
    return found


def _leads_to_a_record(field: object) -> bool:
    return isinstance(field, ForeignKey) and field.related_model is SourceRecord


def _where_found(record_ids: list[int]) -> dict[str, int]:
    counts = {}
    for name, fields in _tables_of_matching():
        query = Q()
        for field in fields:
            query |= Q(**{f"{field}__in": record_ids})
        counts[name] = apps.get_model("profiles", name)._default_manager.filter(query).count()
    return counts


def test_an_erased_person_is_nowhere_in_matching(
    tell: Tell, web_shop: Source, pos: Source, steward: User, compliance: User, admin: User
) -> None:
    doubles = tell_of_doubles(tell, web_shop, pos, people=80)
    pools.ask()
    answer_all(steward, doubles)
    model = training.train_now(by="system:test")
    runs.run(str(runs.start(by=steward, trial_of=model).pk))
    lifecycle.activate(model=model, by=steward, reason="a test")
    runs.run(str(MatchRun.objects.get(kind=MatchRun.Kind.BATCH).pk))
    pools.ask()

    label = MatchLabel.objects.filter(verdict="same").order_by("pk").first()
    assert label is not None
    profile = Membership.objects.get(record=label.record_a, valid_to=None).profile
    members = list(Membership.objects.filter(profile=profile, valid_to=None).values_list("record", flat=True))
    values = set(Identifier.objects.filter(record__in=members).values_list("value", flat=True))
    values |= set(SourceRecord.objects.filter(pk__in=members).values_list("external_id", flat=True))
    before = _where_found(members)
    assert before["MatchLabel"] > 0
    assert before["BlockKey"] > 0
    assert before["ReviewPair"] > 0
    labelled = len(labels.standing())

    asked = requests.receive(
        profile=profile, received_at=timezone.now(), identity_checked="in_person", note="", by=compliance
    )
    requests.approve(request_id=asked.pk, by=admin)
    erasure.run(asked.pk)
    asked.refresh_from_db()
    assert asked.status == DataSubjectRequest.Status.COMPLETED

    assert set(_where_found(members).values()) == {0}
    assert len(labels.standing()) < labelled
    assert BlockKey.objects.exists()
    assert ReviewPair.objects.exists()
    held = model_files.path_of(model).read_text()
    row = json.dumps(list(MatchModel.objects.values("measures", "labels", "histogram", "proposals", "problem")))
    assert [value for value in values if value in held or value in row] == []

    # The model in use works on, and the next one learns without them.
    model_files.load(model)
    assert training.train_now(by="system:test").status == MatchModel.Status.READY
