"""Notes that members of staff write about a customer; each sits on an agent record tied to the customer's anchor.

What somebody has begun to write is kept as a draft on the server, theirs alone, until they save or empty it: a page
that is loaded again, or another computer, goes on where they were, and nothing stays in a browser.
"""

from datetime import timedelta
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
from profiles.models import Disposition, Membership, Note, NoteDraft, Profile, SourceRecord
from profiles.resolution import pipeline
from profiles.touchpoints import INTERNAL_SOURCE

LONGEST = 4000  # Note.text
SHOWN = 50
DRAFTS_KEPT = timedelta(days=14)
_OVERTAKES = timedelta(seconds=10)


def visible(profile: Profile, *, to: User) -> QuerySet[Note]:
    """The notes on a customer that the user may read, newest first: those of the own department and common ones."""
    notes = Note.objects.filter(profile=profile).select_related("author", "department").order_by("-pk")
    if may(to, Permission.SEE_ALL_DEPARTMENTS):
        return notes
    return notes.filter(Q(department__isnull=True) | Q(department=to.department_id))


@transaction.atomic
def add(*, profile: Profile, text: str, by: User, disposition: str = "") -> Note:
    """Write a note; the writer's draft is done with.

    Raises MendableError for an empty or overlong one, ConflictProblem when the customer was merged.
    """
    text = text.strip()
    if not text:
        raise MendableError(_("A note needs some words."), field="text")
    _check(text, disposition)
    _keep_here(profile)
    note = Note.objects.create(
        record=agent_record(profile, by=by),
        profile=profile,
        author=by,
        department=by.department,
        text=text,
        disposition=disposition,
    )
    _drafts(profile, by).delete()
    audit.record(action="note.add", target=note, by=by, fields=["disposition", "text"] if disposition else ["text"])
    return note


def draft(profile: Profile, *, by: User) -> NoteDraft | None:
    """What the user has begun to write about the customer. One query."""
    found: NoteDraft | None = _drafts(profile, by).order_by("-at").first()
    return found


@transaction.atomic
def keep_draft(*, profile: Profile, text: str, disposition: str, by: User) -> NoteDraft | None:
    """Keep what the user has begun to write; None when there is nothing to keep.

    Raises MendableError for an overlong text, ConflictProblem when the customer was merged.
    """
    _check(text, disposition)
    _keep_here(profile)
    NoteDraft.objects.filter(user=by, at__lt=timezone.now() - DRAFTS_KEPT).delete()
    if not text.strip() and not disposition:
        _drafts(profile, by).delete()
        return None
    if _just_saved(profile, text, by):
        return None
    known = draft(profile, by=by)
    record = profile.birth_record if known is None else known.record
    kept, _is_new = NoteDraft.objects.update_or_create(
        user=by, record=record, defaults={"text": text, "disposition": disposition}
    )
    return kept


def _just_saved(profile: Profile, text: str, by: User) -> bool:
    """Whether the note itself was faster than the draft that was on its way."""
    lately = timezone.now() - _OVERTAKES
    return Note.objects.filter(profile=profile, author=by, text=text.strip(), at__gt=lately).exists()


def _drafts(profile: Profile, by: User) -> QuerySet[NoteDraft]:
    records = Membership.objects.filter(profile=profile, valid_to__isnull=True).values("record")
    return NoteDraft.objects.filter(user=by, record__in=records)


def _check(text: str, disposition: str) -> None:
    if len(text) > LONGEST:
        raise MendableError(
            _("This note is too long."), field="text", hint=_("Keep it below %(n)d characters.") % {"n": LONGEST}
        )
    if disposition and disposition not in Disposition.values:
        raise MendableError(_("Choose one of the list."), field="disposition")


def _keep_here(profile: Profile) -> None:
    """Nobody moves the customer's records until the transaction ends."""
    pipeline.share_merge_lock()
    if not Profile.objects.live().filter(pk=profile.pk).exists():
        raise ConflictProblem(_("This customer has just been merged."), hint=_("Open the customer again."))


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
