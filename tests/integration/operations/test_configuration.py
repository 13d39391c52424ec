"""The configuration as a file: written, compared, taken over as a whole, and free of secrets and of people."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import models
from guardian.models import GroupObjectPermission
from guardian.shortcuts import assign_perm

from cdp_site.core.access import scope_of
from cdp_site.core.models import AuditEvent, Department, User
from cdp_site.core.personal_data import NONE, classification_of, own_models
from cdp_site.operations.configuration import document
from cdp_site.operations.configuration.document import ConfigurationProblem
from cdp_site.operations.configuration.sections import BY_NAME, SECTIONS
from consent.models import KeepingRule, Purpose
from ingestion import keys
from ingestion.models import FieldMapping, PlanSchema, RetentionRule, Source
from profiles.models import EventType, ExchangeRate, Synonym, Term, TraitGroup

pytestmark = pytest.mark.django_db
BY = "system:test"


@pytest.fixture
def set_up(web_shop: Source, care: Department, pos: Source) -> Source:
    """Something in every corner."""
    keys.make(source=web_shop, by=BY)
    RetentionRule.objects.create(source=None, quarantine_days=60)
    RetentionRule.objects.create(source=web_shop, file_days=7)
    FieldMapping.objects.create(name="customers", version=1, source=web_shop, definition={"version": 2, "columns": []})
    EventType.objects.create(name="Campaign Joined", name_th="เข้าร่วม", department=web_shop.department)
    TraitGroup.objects.create(slug="pets", name="Pets", kind_of_data="descriptive", department=care)
    KeepingRule.objects.create(kind="touchpoints", event_type=EventType.objects.get(name="Campaign Joined"), days=400)
    term = Term.objects.create(attribute="size", label="Huge", label_th="ยักษ์")
    Synonym.objects.create(attribute="size", term=term, text="ยักษ์", folded="ยักษ์")
    ExchangeRate.objects.create(currency="USD", valid_from="2026-01-01", rate="34.5")
    PlanSchema.objects.create(event="Product Viewed", version=1, schema={"type": "object"}, is_pinned=True)
    assign_perm("ingestion.view_source", care.group, web_shop)
    return web_shop


def stated(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)["configuration"]
    return found


def changed(text: str, section: str, number: int, **fields: Any) -> str:
    whole = json.loads(text)
    whole["configuration"][section][number] |= fields
    return json.dumps(whole)


def position(text: str, section: str, **wanted: Any) -> int:
    return next(n for n, row in enumerate(stated(text)[section]) if wanted.items() <= row.items())


def test_what_is_written_is_what_is_here(set_up: Source) -> None:
    text = document.export()
    assert document.compare(text) == []
    assert document.export() == text
    assert document.take_over(text, by=BY) == (0, 0)
    assert not AuditEvent.objects.filter(action__startswith="configuration.").exists()
    assert {name for name, rows in stated(text).items() if rows} >= BY_NAME.keys() - {
        "watch_rules",
        "correction_rules",
        "notices",
    }


def test_an_empty_platform_becomes_the_same(set_up: Source, care: Department, agent: User) -> None:
    text = document.export()
    for model in (KeepingRule, RetentionRule, FieldMapping, Synonym, Term, ExchangeRate, PlanSchema):
        model._default_manager.all().delete()
    set_up.write_keys.all().delete()
    EventType.objects.filter(name="Campaign Joined").delete()
    TraitGroup.objects.filter(slug="pets").delete()
    set_up.delete()
    Purpose.objects.filter(slug="marketing").update(months=13)
    GroupObjectPermission.objects.all().delete()
    assert document.compare(text)

    created, n_changed = document.take_over(text, by=BY)

    assert document.export() == text
    assert created > 8
    assert n_changed == 1
    events = AuditEvent.objects.filter(action__startswith="configuration.")
    assert events.count() == created + n_changed
    assert events.get(action="configuration.change").fields == ["months"]
    # Who saw the web shop by a grant sees it again.
    assert scope_of(User.objects.get(pk=agent.pk)).sees_source(Source.objects.get(slug="web").pk)


def test_no_secret_and_nobody_is_in_it(set_up: Source, marketer: User) -> None:
    text = document.export()
    key = set_up.write_keys.get()
    assert key.prefix not in text
    assert bytes(key.secret_hash).hex() not in text
    assert marketer.username not in json.dumps(stated(text)["sources"])
    secret = ("secret", "token", "password", "hash", "address", "sealed", "header")
    for section in SECTIONS:
        assert not [name for name in section.fields if any(word in name for word in secret)]
        if section.name != "grants":
            assert set(classification_of(section.model).values()) == {NONE}


def test_it_says_what_differs_and_removes_nothing(
    set_up: Source, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = document.export()
    file = tmp_path / "configuration.json"
    file.write_text(changed(text, "sources", position(text, "sources", slug="web"), trust_rank=10))
    Source.objects.create(slug="new", name="New", kind=Source.Kind.OTHER)
    with pytest.raises(SystemExit) as ended:
        call_command("configuration", "diff", str(file))
    assert ended.value.code == 1
    assert capsys.readouterr().out.splitlines() == ["- sources new", "~ sources web: trust_rank 30 → 10"]
    call_command("configuration", "import", str(file))
    assert capsys.readouterr().out.strip() == "0 created, 1 changed"
    assert Source.objects.get(slug="web").trust_rank == 10
    assert Source.objects.filter(slug="new").exists()
    call_command("configuration", "export", str(file))
    call_command("configuration", "diff", str(file))
    call_command("configuration", "export")
    assert capsys.readouterr().out == file.read_text()


@pytest.mark.parametrize(
    ("section", "fields", "says"),
    [
        ("sources", {"kind": "spaceship"}, "sources"),
        ("sources", {"department": "nowhere"}, "'nowhere' is not there"),
        ("sources", {"trust_rank": "first"}, "sources"),
        ("sources", {"allowed_origins": ["javascript:alert(1)"]}, "sources"),
        ("sources", {"secret": "x"}, "no field 'secret'"),
        ("mappings", {"definition": {}}, "says something else"),
        ("plan", {"schema": {}}, "says something else"),
        ("retention_rules", {"file_days": 0}, "retention_rules"),
        ("exchange_rates", {"rate": "much"}, "exchange_rates"),
        ("purposes", {"basis": "because"}, "purposes"),
    ],
)
def test_a_wrong_row_stops_all_of_it(set_up: Source, section: str, fields: dict[str, Any], says: str) -> None:
    text = document.export()
    text = changed(text, "departments", 0, name="Renamed")
    before = document.export()
    with pytest.raises(ConfigurationProblem, match=says):
        document.take_over(changed(text, section, -1, **fields), by=BY)
    assert document.export() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"version": 2, "configuration": {}}',
        '{"version": 1}',
        '{"version": 1, "configuration": {"users": []}}',
        '{"version": 1, "configuration": {"sources": {}}}',
        '{"version": 1, "configuration": {"sources": ["web"]}}',
        '{"version": 1, "configuration": {"sources": [{"name": "Web"}]}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationProblem):
        document.compare(text)
    with pytest.raises(ConfigurationProblem):
        document.take_over(text, by=BY)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("configuration", "import", str(tmp_path / "none.json"))


# Tables without customers' data that are no configuration. Adding one here is a decision.
NO_CONFIGURATION = {
    "people and their ways in": "core.User core.KnownDevice core.FailedLogins core.MachineKey ingestion.WriteKey",
    "secrets and addresses": "ingestion.Webhook ingestion.AlertRecipient consent.MessageGateway",
    "folders of this machine": "ingestion.WatchedFolder ingestion.ArrivedFile",
}


def test_what_is_exported_has_a_natural_key() -> None:
    for section in SECTIONS:
        if section.name == "grants":
            continue
        unique = {
            tuple(sorted(constraint.fields))
            for constraint in section.model._meta.constraints
            if isinstance(constraint, models.UniqueConstraint) and constraint.condition is None
        } | {(field.name,) for field in section.model._meta.concrete_fields if field.unique}
        assert tuple(sorted(section.key)) in unique, section.name


def test_secrets_are_in_no_section() -> None:
    exported = {section.model._meta.label for section in SECTIONS}
    kept_out = {label for labels in NO_CONFIGURATION.values() for label in labels.split()}
    assert exported.isdisjoint(kept_out)
    assert kept_out <= {model._meta.label for model in own_models()}
