""" "Why did you send me this?": of a message on the timeline the list that it came of, evidence, consent and sender.

A message names its list by `export_id` (or its segment by `segment_id`), as a destination that was given the list can.
One that names neither is told with the last list by which the person was given out for that channel before it, and as
no more than that. A message for which there is no list was sent by its source on its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction

from cdp_site.core.access import scope_of
from cdp_site.core.actors import name_of
from cdp_site.core.errors import NotFoundProblem
from cdp_site.core.models import User
from consent import answers, proof
from consent.ledger import Evidence
from consent.models import Channel, Purpose
from consent.proof import Proof
from ingestion.models import Source
from profiles import mails
from profiles.event_text import describe
from profiles.models import Profile, Touchpoint
from segments import audience, evidence
from segments.definition import nodes
from segments.evidence import Line
from segments.exports.traces import EXPORTED
from segments.models import SegmentExport, SegmentVersion

# The reach of a list: who sends later than this works from another one.
LIST_LASTS = timedelta(days=30)

_BY_PREFIX = (
    ("Email", Channel.EMAIL),
    ("SMS", Channel.SMS),
    ("LINE Message", Channel.LINE),
    ("Push", Channel.PUSH),
)
_MAIL_GOES = ("Email Sent", "Email Delivered")
_SENT_ON_LINE = frozenset({"Message Sent", "Message Delivered"})


class Grounds(StrEnum):
    """How sure it is that a message came of a list."""

    LIST = "list"  # it is the trace of the list itself
    NAMED = "named"  # the message names the list, or its segment
    LAST = "last"  # the last list before it


@dataclass(frozen=True, slots=True)
class Origin:
    """The list. `lines` are why the person was on it; without any `is_gone` says that its definition was deleted."""

    export: SegmentExport
    grounds: Grounds
    name: str
    sender: str
    lines: Sequence[Line]
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is to say about a message. `proofs` is of the purpose that it names, else of each."""

    touchpoint: Touchpoint
    subject: str
    sent_at: datetime
    channel: Channel
    origin: Origin | None
    proofs: Sequence[Proof]
    names_purpose: bool


def channel_of(event: str, source_kind: str = "", properties: Mapping[str, Any] | None = None) -> Channel | None:
    """By which channel we sent a message; None for what is no message of ours."""
    if event == EXPORTED:
        named = str((properties or {}).get("channel", ""))
        return Channel(named) if named in Channel.values else None
    if event in _SENT_ON_LINE:
        return Channel.LINE if source_kind == Source.Kind.LINE else None
    return next((channel for prefix, channel in _BY_PREFIX if event.startswith(prefix)), None)


def find(profile: Profile, touchpoint_id: UUID, *, by: User) -> Touchpoint | None:
    """A message to the customer that the user may see; None otherwise. One query beside the scope."""
    rows = Touchpoint.objects.filter(profile=profile, pk=touchpoint_id).within(scope_of(by))
    found: Touchpoint | None = rows.select_related("type", "source").first()
    if found is None or channel_of(found.type.name, found.source.kind, found.properties) is None:
        return None
    return found


def why(profile: Profile, touchpoint: Touchpoint, *, by: User) -> Answer:
    """Everything about one message. About thirty queries: it is asked for by hand, seldom."""
    channel = channel_of(touchpoint.type.name, touchpoint.source.kind, touchpoint.properties)
    if channel is None:
        raise NotFoundProblem("no message")
    sent_at = _sent_at(profile, touchpoint, by)
    origin = _origin(profile, touchpoint, channel, sent_at, by)
    named = _purpose(touchpoint, origin)
    purposes = [named] if named else list(Purpose.objects.filter(is_active=True))
    told = describe(touchpoint.type.name, touchpoint.properties)
    return Answer(
        touchpoint=touchpoint,
        subject=told.subject,
        sent_at=sent_at,
        channel=channel,
        origin=origin,
        proofs=proof.at_moment(profile, purposes, channel, sent_at, by=by),
        names_purpose=named is not None,
    )


@transaction.atomic
def withdraw(*, profile: Profile, touchpoint: Touchpoint, purpose: Purpose, by: User) -> None:
    """The customer wants no more of this: they object to the purpose on the message's channel, whatever the address.

    Raises ConflictProblem when the customer was merged meanwhile.
    """
    channel = channel_of(touchpoint.type.name, touchpoint.source.kind, touchpoint.properties)
    if channel is None:
        raise NotFoundProblem("no message")
    answers.deny(
        profile=profile, purpose=purpose, channel=channel, addresses=(), evidence=Evidence.CALL, reference="", by=by
    )


def _sent_at(profile: Profile, touchpoint: Touchpoint, by: User) -> datetime:
    """When the message went: of a mail that was opened, when it was last delivered before."""
    key = mails.key_of(touchpoint.type.name, touchpoint.source_id, touchpoint.properties)
    if key is None or touchpoint.type.name in _MAIL_GOES:
        return touchpoint.occurred_at
    went: datetime | None = (
        Touchpoint.objects.filter(
            profile=profile,
            source=key.source_id,
            type__name__in=_MAIL_GOES,
            occurred_at__lte=touchpoint.occurred_at,
            **{f"properties__{key.name}": touchpoint.properties[key.name]},
        )
        .within(scope_of(by))
        .order_by("-occurred_at")
        .values_list("occurred_at", flat=True)
        .first()
    )
    return went or touchpoint.occurred_at


def _origin(profile: Profile, touchpoint: Touchpoint, channel: Channel, sent_at: datetime, by: User) -> Origin | None:
    traces = (
        Touchpoint.objects.filter(profile=profile, type__name=EXPORTED)
        .within(scope_of(by))
        .order_by("-occurred_at", "-pk")
    )
    if touchpoint.type.name == EXPORTED:
        return _of_list(profile, touchpoint, Grounds.LIST, by)
    if said := touchpoint.properties.get("export_id"):
        trace = traces.filter(properties__export_id=str(said)).first()
        return _of_list(profile, trace, Grounds.NAMED, by) if trace else None
    if said := touchpoint.properties.get("segment_id"):
        trace = traces.filter(properties__segment_id=str(said), occurred_at__lte=sent_at).first()
        return _of_list(profile, trace, Grounds.NAMED, by) if trace else None
    lately = traces.filter(
        properties__channel=channel.value, occurred_at__lte=sent_at, occurred_at__gte=sent_at - LIST_LASTS
    )
    trace = lately.first()
    return _of_list(profile, trace, Grounds.LAST, by) if trace else None


def _of_list(profile: Profile, trace: Touchpoint, grounds: Grounds, by: User) -> Origin | None:
    key = _uuid(trace.properties.get("export_id"))
    export = SegmentExport.objects.select_related("by", "purpose").filter(pk=key).first() if key else None
    if export is None:
        return None
    version = SegmentVersion.objects.filter(segment=export.segment_id, version=export.segment_version).first()
    definition = audience.read(version.definition) if version else None  # the versions go with their segment
    return Origin(
        export=export,
        grounds=grounds,
        name=export.segment_name,
        sender=name_of(export.by) if export.by else "",
        lines=_lines(profile, definition, export.at, by),
        is_gone=definition is None,
    )


def _lines(profile: Profile, definition: nodes.Definition | None, at: datetime, by: User) -> Sequence[Line]:
    return evidence.lines(profile, definition, at=at, by=by) if definition else ()


def _purpose(touchpoint: Touchpoint, origin: Origin | None) -> Purpose | None:
    named = str(touchpoint.properties.get("purpose", ""))
    known: Purpose | None = Purpose.objects.filter(slug=named).first() if named else None
    if known is None and origin is not None and origin.grounds is not Grounds.LAST:
        return origin.export.purpose
    return known


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
