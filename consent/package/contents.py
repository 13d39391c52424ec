"""What stands in the copy, in the current language."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core.personal_data import Outcome, Subject, holders
from consent import dossier
from consent.contacts import KIND_OF_CHANNEL
from consent.data_map import document as data_map
from consent.dossier import Dossier
from consent.models import Channel, DataSubjectRequest, Purpose
from consent.package import parts
from consent.package.parts import Column, Handover, Section
from consent.package.words import title_of
from consent.wording import GROUNDS, STATES, TABLES
from profiles.models import Profile, SourceRecord, Trait
from profiles.overview import texts_of

Stores = Sequence[tuple[str, Sequence[Mapping[str, Any]]]]  # table → rows

ACTIONS = {"erase": _("erase"), "anonymise": _("anonymise"), "keep": _("keep")}


@dataclass(frozen=True, slots=True)
class Copy:
    """The whole copy. `inventory` names each table of which an erasure would erase, anonymise or keep rows."""

    reference: str
    kind: str
    company: str
    made_at: datetime
    sections: tuple[Section, ...]
    inventory: Section

    @property
    def counts(self) -> dict[str, int]:
        """Table → rows that lead to the person."""
        return {str(row["code"]): int(row["rows"]) for row in self.inventory.rows}


def gather(request: DataSubjectRequest, profile: Profile, subject: Subject, stores: Stores) -> Copy:
    """Everything that is known about the person; for portability what they gave and what was observed alone."""
    known = dossier.read(profile)
    handed_over = parts.handovers_of(subject)
    sections = [
        _values(profile, subject, known, handed_over),
        _purposes(known),
        _recipients(handed_over),
        *parts.sections_of(subject),
        *_of_stores(stores),
    ]
    if request.kind == DataSubjectRequest.Kind.PORTABILITY:
        sections = [section for section in sections if section.is_given]
    return Copy(
        reference=request.reference,
        kind=request.kind,
        company=settings.COMPANY_NAME,
        made_at=timezone.now(),
        sections=tuple(section for section in sections if section.rows),
        inventory=_inventory(subject),
    )


# --- values ---------------------------------------------------------------------------------------------------------


def _values(profile: Profile, subject: Subject, known: Dossier, handed_over: Sequence[Handover]) -> Section:
    labels = {trait.name: str(trait) for trait in Trait.objects.all()}
    received: dict[str, list[str]] = {}
    for one in handed_over:
        for name in one.what:
            if one.recipient not in received.setdefault(name, []):
                received[name].append(one.recipient)
    usable = _used_for(known)
    records = SourceRecord.objects.filter(pk__in=subject.record_ids).select_related("source").order_by("pk")
    rows = [
        {
            "value": text,
            "name": labels.get(name, name),
            "code": name,
            "source": record.source.name,
            "stated_at": _time(record.attribute_times.get(name) or record.last_seen_at),
            "in_use": _is_in_use(profile, name, value),
            "purposes": usable.get(text, usable[""]),
            "recipients": received.get(name, []),
        }
        for record in records
        for name, value in sorted(record.attributes.items())
        for text in texts_of(value)
    ]
    columns = (
        Column("name", _("Kind of data")),
        Column("value", _("Value")),
        Column("source", _("Source")),
        Column("stated_at", _("Stated")),
        Column("in_use", _("Used as the current value")),
        Column("purposes", _("Used for")),
        Column("recipients", _("Passed on to")),
    )
    return Section("values", _("What we know about you"), columns, tuple(rows))


def _is_in_use(profile: Profile, name: str, value: Any) -> bool:
    return bool(profile.golden.get(name) == value)


def _used_for(known: Dossier) -> dict[str, list[str]]:
    """Value → purposes that it may be used for now; under "" those of everything that is no address."""
    purposes = list(Purpose.objects.filter(is_active=True).order_by("pk"))
    found: dict[str, list[str]] = {"": []}
    for purpose in purposes:
        permitted = {channel: known.may_use(purpose, channel) for channel in Channel.values}
        if any(permission.is_given for permission in permitted.values()):
            found[""].append(str(purpose))
    for contact in known.contacts:
        channels = [channel for channel, kind in KIND_OF_CHANNEL.items() if kind == contact.kind]
        names = [
            str(purpose)
            for purpose in purposes
            if any(contact.address in known.may_use(purpose, channel).addresses for channel in channels)
        ]
        found[contact.address] = found[contact.raw] = names
    return found


def _purposes(known: Dossier) -> Section:
    """Every purpose and channel with what the person said."""
    rows = []
    for purpose in Purpose.objects.order_by("pk"):
        for channel in Channel:
            verdict = known.overall(purpose, channel)
            permission = known.may_use(purpose, channel)
            rows.append(
                {
                    "purpose": str(purpose),
                    "channel": str(channel.label),
                    "basis": str(Purpose.Basis(purpose.basis).label),
                    "state": str(STATES[verdict.state]),
                    "is_used": permission.is_given,
                }
            )
    columns = (
        Column("purpose", _("Purpose")),
        Column("channel", _("Channel")),
        Column("basis", _("Legal basis")),
        Column("state", _("What you said")),
        Column("is_used", _("Used now")),
    )
    return Section("purposes", _("What your data is used for"), columns, tuple(rows))


def _recipients(handed_over: Sequence[Handover]) -> Section:
    rows = tuple(
        {
            "at": _time(one.at),
            "recipient": one.recipient,
            "purpose": one.purpose,
            "what": sorted(one.what),
        }
        for one in handed_over
    )
    columns = (
        Column("at", _("When")),
        Column("recipient", _("Recipient")),
        Column("purpose", _("Purpose")),
        Column("what", _("Data")),
    )
    return Section("recipients", _("Who received your data"), columns, rows)


# --- rows of the stores ---------------------------------------------------------------------------------------------

# Worked out by the company about the person: no part of portability.
WORKED_OUT = frozenset(
    {
        "core.AccessLogEntry",
        "core.AuditEvent",
        "segments.SegmentState",
        "segments.SegmentPassage",
        "segments.ComputedValue",
        "segments.StaticListMember",
        "segments.ExportMember",
        "profiles.Note",
        "profiles.NoteDraft",
        "profiles.CaseNote",
        "profiles.CustomerOpening",
        "profiles.CallerCheck",
        "profiles.MatchLabel",
        "profiles.LinkDecision",
        "profiles.IdentifierKey",
        "profiles.NameToken",
        "profiles.Profile",
    }
)


def read_stores(subject: Subject) -> Stores:
    """What the holders find, read once for the copy in all languages."""
    return [(table, rows) for holder in holders() for table, rows in holder.export(subject).items()]


def _of_stores(stores: Stores) -> Iterator[Section]:
    for table, rows in stores:
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = tuple(Column(name, title_of(name)) for name in names)
        title = TABLES.get(table, table)
        yield Section(table, title, columns, tuple(rows), is_given=table not in WORKED_OUT)


def _inventory(subject: Subject) -> Section:
    rows = [row for holder in holders() for row in _lines(holder.preview(subject))]
    record = {table.label: (part.activity, table) for part in data_map.build().parts for table in part.tables}
    for row in rows:
        activity, table = record.get(row["code"], (None, None))
        row["purpose"] = str(activity.purpose) if activity else ""
        row["recipients"] = str(activity.recipients) if activity else ""
        row["kept_for"] = str(table.kept) if table else ""
    columns = (
        Column("table", _("Data")),
        Column("rows", _("Rows")),
        Column("purpose", _("Used for")),
        Column("recipients", _("Passed on to")),
        Column("kept_for", _("Kept how long")),
        Column("action", _("On erasure")),
        Column("ground", _("Ground of keeping")),
        Column("law", _("Law")),
    )
    return Section("inventory", _("Where your data lies, and what an erasure would do"), columns, tuple(rows))


def _lines(outcome: Outcome) -> Iterator[dict[str, Any]]:
    for action, tables in (("erase", outcome.erased), ("anonymise", outcome.anonymised)):
        for table, rows in tables.items():
            if rows:
                yield _line(table, rows, action)
    for table, (rows, ground) in outcome.kept.items():
        if rows:
            yield _line(table, rows, "keep", ground)


def _line(table: str, rows: int, action: str, ground: str = "") -> dict[str, Any]:
    why = GROUNDS.get(ground)
    return {
        "code": table,
        "table": str(TABLES.get(table, table)),
        "rows": rows,
        "action": str(ACTIONS[action]),
        "ground": str(why.text) if why else "",
        "law": why.law if why else "",
    }


def as_data(copy: Copy) -> Mapping[str, Any]:
    """The copy for programs; texts in the current language."""
    return {
        "type": "personal-data-copy",
        "version": 1,
        "request": copy.reference,
        "kind": copy.kind,
        "controller": copy.company,
        "made_at": _time(copy.made_at),
        "sections": {section.key: [dict(row) for row in section.rows] for section in copy.sections},
        "inventory": [dict(row) for row in copy.inventory.rows],
    }


def _time(value: datetime | str | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else timezone.localtime(value).isoformat(timespec="seconds")
