"""Notes that members of staff write about a customer; each sits on an agent record tied to the customer's anchor."""

from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.access import Permission, may
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from ingestion.models import Source
from profiles import intake
from profiles.models import Membership, Note, Profile, SourceRecord
from profiles.resolution import pipeline
from profiles.touchpoints import INTERNAL_SOURCE

LONGEST = 4000  # Note.text
SHOWN = 50


def visible(profile: Profile, *, to: User) -> QuerySet[Note]:
    """The notes on a customer that the user may read, newest first: those of the own department and common ones."""
    notes = Note.objects.filter(profile=profile).select_related("author", "department").order_by("-pk")
    if may(to, Permission.SEE_ALL_DEPARTMENTS):
        return notes
    return notes.filter(Q(department__isnull=True) | Q(department=to.department_id))


def add(*, profile: Profile, text: str, by: User) -> Note:
    """Write a note. Raises MendableError for an empty or overlong one, ConflictProblem when the customer was merged."""
    text = text.strip()
    if not text:
        raise MendableError(_("A note needs some words."), field="text")
    if len(text) > LONGEST:
        raise MendableError(
            _("This note is too long."), field="text", hint=_("Keep it below %(n)d characters.") % {"n": LONGEST}
        )
    with transaction.atomic():
        pipeline.share_merge_lock()
        if not Profile.objects.live().filter(pk=profile.pk).exists():
            raise ConflictProblem(_("This customer has just been merged."), hint=_("Open the customer again."))
        note = Note.objects.create(
            record=agent_record(profile, by=by),
            profile=profile,
            author=by,
            department=by.department,
            text=text,
        )
        audit.record(action="note.add", target=note, by=by, fields=["text"])
    return note


def agent_record(profile: Profile, *, by: User) -> SourceRecord:
    """The record that holds what agents add to this customer; born with the first note."""
    anchor: Any = profile.birth_record
    known = SourceRecord.objects.filter(tied_to=anchor, kind=SourceRecord.Kind.AGENT).order_by("pk").first()
    if known is not None:
        return known
    now = timezone.now()
    birth = Profile.objects.create(kind=Profile.Kind.IDENTIFIED)
    record = SourceRecord.objects.create(
        source=Source.objects.get(slug=INTERNAL_SOURCE),
        kind=SourceRecord.Kind.AGENT,
        external_id=str(uuid7()),
        birth_profile=birth,
        tied_to=anchor,
        content_hash=intake.content_hash({}),
        first_seen_at=now,
        last_seen_at=now,
        received_at=now,
    )
    Membership.objects.create(record=record, profile=birth, valid_from=now)
    pipeline.resolve([record.pk], by=audit.actor_name(by), born=[record.pk])
    return record
