"""A small company in which every page of the product has something to show, for tests that look at all pages."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from cdp_site.core.machines import keys as machine_keys
from cdp_site.core.models import Role, User
from consent import erasure, requests
from consent.breach import recording
from consent.models import KeepingRule as Rule
from consent.models import Purpose
from consent.preferences import links
from consent.retention import rules
from ingestion import imports, keys, landing, mappings, rehearsal
from ingestion.connections import pulls, watched_folders
from ingestion.corrections import replaying, rulekeeping
from ingestion.corrections.replaying import Selection
from ingestion.landing import Tally
from ingestion.models import Alert, AlertKind, AlertRecipient, FileImport, ImportTrial, RejectedHour, Source
from ingestion.plan import pinning
from profiles import calling, catalogue
from profiles.calling import lines
from profiles.cases import handling
from profiles.cases.handling import Said
from profiles.matching import quality
from profiles.models import IdentifierKey, Profile, ReviewPair, SourceRecord, TraitGroup
from segments import authoring
from segments.builder import keeping
from segments.lists import finding, reading
from segments.lists import keeping as lists
from segments.models import ComputedTrait, Segment, SegmentDraft, StaticList
from segments.traits import authoring as computed_traits
from tests.customers import Tell, identify, track
from tests.factories.arrivals import arrive, row
from tests.factories.consent import ask
from tests.factories.exports import exported
from tests.factories.files import PEOPLE, bring_in
from tests.factories.held import hold
from tests.factories.library import furnish
from tests.factories.matching import FakeMatcher, activate, make_model, match
from tests.factories.people import records_of
from tests.factories.webhooks import sender

BY = "system:test"
PRICED = {"type": "object", "required": ["price"], "properties": {"price": {"type": "number"}, "name": {}}}
VIEWED = {
    "kind": "touchpoint",
    "event": "Product Viewed",
    "count": {"bound": "at_least", "n": 1},
    "window": {"kind": "ever"},
    "filters": [{"property": "color", "operator": "in", "value": ["แดง"]}],
}


@dataclass(frozen=True, slots=True)
class Company:
    """`of`: what stands for a parameter of an address, on every route or, by "route.parameter", on one. `queries`: what
    a page is asked with. `users`: somebody of each role."""

    of: dict[str, Any]
    queries: dict[str, str]
    users: dict[str, User]


def open_company(request: pytest.FixtureRequest) -> Company:
    """Found it of the cast's people and sources. Each module that looks at pages makes a fixture of it: the cast knows
    nothing of it, and other tests do not load what it needs."""
    get = request.getfixturevalue
    somchai, manee, tell = get("somchai"), get("manee"), get("tell")
    web_shop, pos, call_centre = get("web_shop"), get("pos"), get("call_centre")
    agent, steward, marketer, compliance = get("agent"), get("steward"), get("marketer"), get("compliance")
    folder, settings = get("tmp_path"), get("settings")
    settings.CDP_DATA = folder / "data"
    settings.PUBLIC_URL = "http://localhost:8000"
    settings.PULL_HOSTS = ["crm.example.com"]
    settings.WATCHED_FOLDERS_ROOTS = [str(folder)]
    colleague = get("make_user")(Role.COMPLIANCE, compliance.department, "colleague")
    _consents(tell, pos, call_centre)
    done = ask(_somebody_else(tell, pos), compliance)
    requests.approve(request_id=done.pk, by=colleague)
    erasure.run(done.pk)
    term = catalogue.save_term(term=None, attribute="material", label="Oak", label_th="ไม้โอ๊ค", spellings=[], by=steward)
    of = {
        "public_id": somchai.public_id,
        "other_id": manee.public_id,
        **_kept(compliance, somchai),
        "request_id": ask(manee, compliance, note="โทรมาสองครั้ง").pk,
        "purpose": "marketing",
        "channel": "phone",
        "consent:preferences.token": links.issue(somchai.public_id),
        **_sources(web_shop, pos, folder),
        **_imports(pos, steward),
        **_quarantine(web_shop),
        **_matching(pos, web_shop),
        **_desk(somchai, agent, call_centre),
        **_account(agent),
        **_programs(marketer),
        **_segments(marketer),
        "draft_id": _draft(marketer).pk,
        "term_id": term.pk,
    }
    event = "event=Product Viewed"
    queries = {
        "ingestion:plan_event": event,
        "ingestion:plan_pin": event,
        "ingestion:plan_diff": f"{event}&from=1&to=2",
        "profiles:new_word": "attribute=color&word=แดงเข้ม",
        "consent:intake": f"profile={manee.public_id}",
        "segments:overlap": f"with={of['other_segment']}",
    }
    everybody = (agent, steward, marketer, compliance, get("analyst"), get("admin"))
    return Company(of, queries, {user.role: user for user in everybody})


def _consents(tell: Tell, pos: Source, call_centre: Source) -> None:
    for word, channel, hours in (("Granted", "sms", 50), ("Granted", "phone", 40), ("Withdrawn", "phone", 30)):
        tell(pos, track("P1", f"Consent {word}", hours=hours, purpose="marketing", channel=channel))
    tell(call_centre, track("C1", "Consent Refused", hours=20, purpose="analytics", channel="email"))


def _kept(compliance: User, somchai: Profile) -> dict[str, Any]:
    """A rule of retention, and a breach that somebody is affected by."""
    said = {"kind": Rule.Kind.CUSTOMERS, "event_type": None, "trait_group": None}
    rule = rules.save(**said, days=1826, by=compliance)
    member = records_of(somchai)[0].external_id
    noticed = {"noticed_at": timezone.now() - timedelta(hours=70), "what": "แล็ปท็อปหาย"}
    breach = recording.record(kind="list", text=f"{member}\n0819998877", by=compliance, **noticed)
    return {"rule_id": rule.pk, "breach_id": breach.pk}


def _somebody_else(tell: Tell, pos: Source) -> Profile:
    tell(pos, identify("P9", firstName="ปิติ", lastName="ยิ้มแย้ม", email="piti@baansabai.co.th"))
    record = SourceRecord.objects.get(source=pos, external_id="P9")
    return record.memberships.get(valid_to=None).profile


def _sources(web_shop: Source, pos: Source, folder: Path) -> dict[str, Any]:
    """What the pages of a source show, and the connections."""
    now = timezone.now()
    alert = Alert.objects.create(source=web_shop, kind=AlertKind.SILENT, opened_at=now, value=40.0, threshold=10.0)
    recipient = AlertRecipient.objects.create(channel="email", address="ops@example.com")
    RejectedHour.objects.create(source=web_shop, hour=now, status=429, n=3, last_at=now)
    key, _secret = keys.make(source=web_shop, by=BY)
    mappings.save(name="members", definition=PEOPLE, source=pos, by=BY)
    (folder / "pos").mkdir()
    pull = pulls.save(
        pull=None, source=pos, name="Members", address="postgresql://reader:secret@crm.example.com/crm",
        relation="members", cursor_column="id", mapping_name="members", every_minutes=15, is_active=True, by=BY,
    )  # fmt: skip
    watched = watched_folders.save(
        folder=None, source=pos, path=str(folder / "pos"), pattern="*.csv", mapping_name="members", is_active=True,
        by=BY,
    )  # fmt: skip
    return {
        "source_id": web_shop.pk,
        "alert_id": alert.pk,
        "recipient_id": recipient.pk,
        "key_id": key.pk,
        "pull_id": pull.pk,
        "folder_id": watched.pk,
        "webhook_id": sender(web_shop, "shopify").webhook.pk,
        "ingestion:new_webhook.kind": "line",
        "ingestion:mapping.name": "members",
    }


def _imports(pos: Source, steward: User) -> dict[str, Any]:
    text = "id,name,phone,email,city\nR1,สุดา รักไทย,0812345678,suda@baansabai.co.th,ตรัง\nR2,วันดี มีสุข,0823456789,,น่าน\n"
    whole: FileImport = bring_in(pos, text)
    waiting = imports.receive(source=pos, file_name="members.csv", chunks=[text.encode()], by=BY)
    trial: ImportTrial = rehearsal.start(file_import=waiting, definition=PEOPLE, by=steward)
    rehearsal.run(str(trial.pk))
    return {
        "import_id": whole.pk,
        "ingestion:import_mapping.import_id": waiting.pk,
        "ingestion:import_trial.import_id": waiting.pk,
        "trial_id": trial.pk,
        "operation_id": whole.operation_id,
    }


def _quarantine(web_shop: Source) -> dict[str, Any]:
    """Messages held back by the plan and by their shape, a rule, a replay."""
    arrive(web_shop, track("u1", "Product Viewed", hours=5, price=1290) | {"messageId": "priced"})
    for schema in ({"type": "object"}, PRICED):
        pinning.pin(event="Product Viewed", definition=schema, by=BY)
    (held, *_rest) = hold(web_shop, '{"type": "identify", "userId": 7}', detail="Expected `str`, got `int`")
    steps = {"version": 1, "steps": [{"do": "drop", "field": "properties.junk"}]}
    rule = rulekeeping.save(
        source=web_shop, key=uuid4(), name="ทิ้งส่วนเกิน", reason="malformed", event="", definition=steps, by=BY
    )
    hold(web_shop, '{"type": 7}', reason="wrong_type")
    replay = replaying.start(selection=Selection(web_shop, "wrong_type"), by=BY)
    with transaction.atomic():
        batch = landing.land(source=web_shop, messages_raw=[{}] * 3, door="api")
        landing.settle(batch.pk, Tally(stored=1, duplicate=1, suppressed=1))
    return {"item_id": held.pk, "reason": "malformed", "key": rule.key, "replay_id": replay.pk}


def _matching(pos: Source, web_shop: Source) -> dict[str, Any]:
    born = {"birth_date": "1990-04-01"}
    arrive(web_shop, identify("t1", first_name="สุดา", last_name="รักดี", **born) | {"messageId": "t1"})
    arrive(pos, row("t2", first_name="สุดา", last_name="รักดี", **born), row("t3", name="สุดา รักดีย์"))
    model = make_model(FakeMatcher())
    trial = match(trial_of=model)
    activate()
    run = match(everything=True)
    quality.look_nightly()
    a, b = SourceRecord.objects.filter(external_id__in=["t2", "t3"]).order_by("pk")
    evidence = {"prior": -3.0, "fields": [["names", 4.0]]}
    pair = ReviewPair.objects.create(record_a=a, record_b=b, reason="band", score=0.8, worth=5, evidence=evidence)
    key = IdentifierKey.objects.order_by("pk").first()
    active = run.model
    return {
        "version": active.version if active else model.version,
        "run_id": run.pk,
        "profiles:match_foreseen.run_id": trial.pk,
        "action": "link",
        "pair_id": pair.pk,
        "label_id": 1,
        "kind": "twice",
        "profiles:quality_key.key_id": key.pk if key else 0,
    }


def _account(agent: User) -> dict[str, Any]:
    """A password, and no second factor yet."""
    agent.set_password("a-good-one-2569")
    agent.save()
    return {"factor_id": 0}


def _programs(marketer: User) -> dict[str, Any]:
    """Keys in every state that the list shows."""
    for name, days in (("เว็บไซต์", 365), ("แชตบอต", 10)):
        machine_keys.make(name=name, scopes=["profiles:read"], department=marketer.department, days=days, by=BY)
    former, _text = machine_keys.make(name="คลังข้อมูล", scopes=["segments:read"], department=None, days=90, by=BY)
    key, _text = machine_keys.rotate(key=former, by=BY)
    revoked, _text = machine_keys.make(name="เก่า", scopes=["customers:merge"], department=None, days=90, by=BY)
    machine_keys.revoke(key=revoked, by=BY)
    return {"rotate_machine_key.key_id": key.pk, "revoke_machine_key.key_id": key.pk}


def _desk(somchai: Profile, agent: User, call_centre: Source) -> dict[str, Any]:
    said = Said("ขอขนาดของเก้าอี้", follow_up_on=timezone.localdate())
    case = handling.open_case(profile=somchai, subject="ขนาดเก้าอี้", said=said, by=agent)
    lines.begin(number="086-345-1972", by=agent)
    assert calling.current(agent) is not None
    _call, token = lines.announce(number="086-345-1972", source_id=call_centre.pk, agent=agent.username)
    return {"case_id": case.pk, "panel": "consent", "token": token, "forwarded_id": uuid4(), "hold_id": uuid4()}


def _draft(marketer: User) -> SegmentDraft:
    """One that is not finished."""
    open_ended = {"version": 2, "where": {"kind": "all", "of": [VIEWED, {"kind": "attribute"}]}}
    return keeping.begin(segment=None, definition=open_ended, said={"name": "ยังไม่เสร็จ"}, by=marketer)


def _segments(marketer: User) -> dict[str, Any]:
    """A segment, and a list of it whose fourteen days are over."""
    segment = _segment(marketer)
    with time_machine.travel(timezone.now() - timedelta(days=15), tick=False):
        made = exported(segment, Purpose.objects.get(slug="marketing"), "sms", marketer, holdout_percent=50)
    return {
        "segment_id": segment.pk,
        "export_id": made.pk,
        "list_id": _list(marketer).pk,
        "trait_id": _computed_trait(marketer).pk,
        **furnish(segment, marketer),
    }


def _computed_trait(marketer: User) -> ComputedTrait:
    """How many things of a colour somebody looked at."""
    definition = {
        "version": 2,
        "calculation": "count",
        "property": "",
        "per_channel": False,
        "where": {"kind": "any", "of": [VIEWED]},
    }
    return computed_traits.create(
        name="Red things looked at", name_th="ของสีแดงที่ดู", description="ลองดู",
        group=TraitGroup.objects.get(slug="other"), definition=definition, by=marketer,
    )  # fmt: skip


def _list(marketer: User) -> StaticList:
    """A list of everybody whose number somebody uploaded."""
    numbers = "\n".join(SourceRecord.objects.order_by("pk").values_list("external_id", flat=True))
    found = finding.find(reading.pasted(numbers).ids, kind="user", by=marketer)
    return lists.create(name="แขกในงาน", department=marketer.department, found=found, by=marketer)


def _segment(marketer: User) -> Segment:
    group = {"kind": "any", "of": [VIEWED, {"kind": "not", "of": [VIEWED]}]}
    return authoring.create(
        name="ดูของสีแดง", description="ลองดู", department=marketer.department,
        definition={"version": 1, "where": {"kind": "all", "of": [group]}}, by=marketer,
    )  # fmt: skip
