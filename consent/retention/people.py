"""People without any sign of life for the rule's days: they are erased as if they had asked.

A sign of life is anything that a source says of one of the person's records, anything the person did, ordered or said
about consent, and whatever staff do about them. The erasure is a request like others, with its steps, its suppression
list and its certificate; nobody asked for it, and it says so. Who comes back by an act of their own gets a new, empty
profile.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from cdp_site.core import audit
from consent import erasure
from consent.models import ConsentEntry, DataSubjectRequest, KeepingRule
from consent.retention import held
from profiles.models import Case, Membership, Note, Order, Profile, Touchpoint

ACTOR = "system:retention"
DAYS_TO_ACT = timedelta(days=90)  # as for an erasure that somebody asked for
LOOKED_AT = 20_000  # profiles in one portion: about half a second

KINDS = {KeepingRule.Kind.CUSTOMERS: Profile.Kind.IDENTIFIED, KeepingRule.Kind.VISITORS: Profile.Kind.ANONYMOUS}


def due(rule: KeepingRule, before: datetime) -> "QuerySet[Profile]":
    """Who would be erased."""
    own = Membership.objects.filter(profile=OuterRef("pk"), valid_to__isnull=True)
    alive = (
        own.filter(Q(record__last_seen_at__gte=before) | Q(record__received_at__gte=before)),
        Touchpoint.objects.filter(profile=OuterRef("pk"), occurred_at__gte=before).exclude(source__slug="cdp"),
        Order.objects.filter(profile=OuterRef("pk"), placed_at__gte=before),
        Note.objects.filter(profile=OuterRef("pk"), at__gte=before),
        Case.objects.filter(Q(closed_at__isnull=True) | Q(closed_at__gte=before), profile=OuterRef("pk")),
        ConsentEntry.objects.filter(
            record__memberships__profile=OuterRef("pk"),
            record__memberships__valid_to__isnull=True,
            occurred_at__gte=before,
        ),
    )
    past = Profile.objects.live().filter(kind=KINDS[KeepingRule.Kind(rule.kind)], created_at__lt=before)
    return past.filter(*(~Exists(sign) for sign in alive)).exclude(pk__in=held.profiles())


def portion(rule: KeepingRule, before: datetime) -> tuple[list[Profile], int | None]:
    """Those among the next profiles after the rule's position, and the last profile that was looked at; None when there
    are no more."""
    following = Profile.objects.filter(pk__gt=rule.position).order_by("pk").values_list("pk", flat=True)
    upto = following[LOOKED_AT - 1 : LOOKED_AT].first()
    found = due(rule, before).filter(pk__gt=rule.position).order_by("pk")
    return list(found if upto is None else found.filter(pk__lte=upto)), upto


def erase(profile: Profile) -> bool:
    """Erase one person as a whole, now; returns False when a request came first. What a store could not erase is tried
    again like that of every request, and stands in the queue until then."""
    now = timezone.now()
    request = DataSubjectRequest(
        subject=profile.public_id,
        status=DataSubjectRequest.Status.APPROVED,
        received_at=now,
        due_at=now + DAYS_TO_ACT,
        identity_checked=DataSubjectRequest.IdentityCheck.RETENTION,
        identified_at=now,
        approved_at=now,
    )
    try:
        with transaction.atomic():
            request.save()
            audit.record(action="request.retention", target=request, by=ACTOR, fields=["status"])
    except IntegrityError:  # somebody asked meanwhile: the constraint request_open_once
        return False
    erasure.run(request.pk)
    return True
