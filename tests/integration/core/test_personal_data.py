"""Completeness: no field without a class, no table with personal data without a holder that answers for it."""

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.db import connection, models

from cdp_site.core import audit, personal_data
from cdp_site.core.ids import uuid7
from cdp_site.core.models import AccessLogEntry, User
from cdp_site.core.personal_data import (
    NONE,
    PERSONAL,
    PSEUDONYMOUS,
    BaseHolder,
    Ground,
    Outcome,
    Subject,
    classification_of,
    holders,
    own_models,
    register_holder,
)

OWN = list(own_models())
HOLDING = [model for model in OWN if set(classification_of(model).values()) != {NONE}]


@pytest.mark.parametrize("model", OWN, ids=lambda model: model._meta.label)
def test_every_field_is_classified(model: type[models.Model]) -> None:
    assert set(classification_of(model).values()) <= {PERSONAL, PSEUDONYMOUS, NONE}


@pytest.mark.parametrize("model", HOLDING, ids=lambda model: model._meta.label)
def test_every_table_with_personal_data_is_answered_for(model: type[models.Model]) -> None:
    answering = [holder.name for holder in holders() if model._meta.label in holder.tables]
    assert len(answering) == 1, f"{model._meta.label}: one holder answers for it, not {answering}"


def test_holders_name_tables_that_exist() -> None:
    labels = {model._meta.label for model in apps.get_models()}
    assert {label for holder in holders() for label in holder.tables} <= labels


def test_erasure_goes_from_the_top_of_the_house_to_its_ground() -> None:
    apps_in_order = [holder.name.split(".")[0] for holder in holders()]
    expected = ["segments", "consent", "profiles", "ingestion", "core"]
    assert apps_in_order == sorted(apps_in_order, key=expected.index)


@pytest.mark.django_db
def test_the_schema_has_no_table_beyond_the_models() -> None:
    """What a migration makes by hand would be seen by no classification."""
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    by_hand = {"core_cache", "django_migrations"}  # the cache of pages without customers; Django's own
    assert set(connection.introspection.table_names()) - known - by_hand == set()


def test_an_unclassified_field_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [problem for problem in run_checks() if problem.id == "core.E001"]
    monkeypatch.setattr(AccessLogEntry, "PERSONAL_DATA", {"profile": PSEUDONYMOUS})
    assert [problem.id for problem in run_checks() if problem.id == "core.E001"] == ["core.E001"]


def test_a_class_for_a_field_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(User, "PERSONAL_DATA", {"*": NONE, "nickname": PERSONAL})
    with pytest.raises(LookupError, match="nickname"):
        classification_of(User)
    monkeypatch.delattr(User, "PERSONAL_DATA")
    with pytest.raises(LookupError, match="does not declare"):
        classification_of(User)


def test_a_holder_is_registered_once_and_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    class Early(BaseHolder):
        name = "segments.early"

    monkeypatch.setattr(personal_data, "_holders", personal_data._holders.copy())
    register_holder(Early(), order=1)
    assert holders()[0].name == "segments.early"
    with pytest.raises(ValueError, match="twice"):
        register_holder(Early(), order=1)


def test_a_plain_holder_would_erase_all_that_it_finds() -> None:
    class Shelf(BaseHolder):
        name = "x.shelf"

        def locate(self, subject: Subject) -> dict[str, int]:
            return {"x.Book": 3}

    assert Shelf().preview(Subject((1,), (1,), ())) == Outcome(erased={"x.Book": 3})


@pytest.mark.django_db
def test_core_erases_who_looked_and_keeps_what_was_done(agent: User) -> None:
    public_id = uuid7()
    AccessLogEntry.objects.create(actor="user:1", profile=public_id, what="profile.view")
    AccessLogEntry.objects.create(actor="user:1", profile=uuid7(), what="profile.view")
    audit.record(action="profile.merge", target=("profiles.Profile", 5), by=agent)
    audit.record(action="profile.merge", target=("profiles.Profile", 6), by=agent)
    subject = Subject(profile_ids=(5,), record_ids=(), public_ids=(public_id,))
    access_log, trail = (holder for holder in holders() if holder.name in {"core.access_log", "core.audit"})
    assert access_log.erase(subject) == Outcome(erased={"core.AccessLogEntry": 1})
    assert access_log.locate(subject) == {"core.AccessLogEntry": 0}
    assert trail.erase(subject) == Outcome(kept={"core.AuditEvent": (1, Ground.PROOF)})
    assert AccessLogEntry.objects.count() == 1
    assert [row["action"] for row in trail.export(subject)["core.AuditEvent"]] == ["profile.merge"]
