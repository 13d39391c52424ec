"""Named queries over the ledger and over requests."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models

from cdp_site.core.access import Permission, may
from cdp_site.core.models import User
from profiles.models import Profile


class ConsentEntryQuerySet(models.QuerySet[Any]):
    def of_records(self, record_ids: Iterable[int]) -> "ConsentEntryQuerySet":
        return self.filter(record__in=record_ids)

    def standing(self) -> "ConsentEntryQuerySet":
        """Those that have effect: not what came by an import that was reverted."""
        return self.filter(void__isnull=True)

    def said_by(self, moment: datetime) -> "ConsentEntryQuerySet":
        """What the person had said by then by the source's clock, whenever it reached us."""
        return self.standing().filter(occurred_at__lte=moment)

    def stood(self, moment: datetime) -> "ConsentEntryQuerySet":
        """What had been received by then and had effect then."""
        return self.filter(models.Q(void__isnull=True) | models.Q(void__at__gte=moment), received_at__lt=moment)

    def latest_first(self) -> "ConsentEntryQuerySet":
        """The newest first, with purpose and source."""
        return self.select_related("purpose", "source").order_by("-occurred_at", "-pk")

    def with_origin(self, origin: str) -> "ConsentEntryQuerySet":
        return self.filter(origin=origin)

    def of_profiles(self, profile_ids: Iterable[int]) -> "ConsentEntryQuerySet":
        """Of the records that belong to the profiles now."""
        return self.filter(record__memberships__profile__in=profile_ids, record__memberships__valid_to__isnull=True)


class ForwardedRequestQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> "ForwardedRequestQuerySet":
        """As requests: all of them for who may view requests."""
        return self.all() if may(user, Permission.VIEW_REQUESTS) else self.none()

    def waiting(self) -> "ForwardedRequestQuerySet":
        """For somebody to deal with them, the oldest first."""
        return self.filter(closed_at__isnull=True).order_by("received_at", "pk")

    def unmatched(self) -> "ForwardedRequestQuerySet":
        """Name somebody who has not been found."""
        return self.filter(subject__isnull=True).exclude(record="")

    def received_since(self, moment: datetime) -> "ForwardedRequestQuerySet":
        return self.filter(received_at__gte=moment)

    def with_source(self) -> "ForwardedRequestQuerySet":
        return self.select_related("source")

    def about(self, public_ids: Iterable[UUID]) -> "ForwardedRequestQuerySet":
        return self.filter(subject__in=list(public_ids))


class DataSubjectRequestQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> "DataSubjectRequestQuerySet":
        """All of them for who may view requests, none for others: a request belongs to no department."""
        return self.all() if may(user, Permission.VIEW_REQUESTS) else self.none()

    def with_people(self) -> "DataSubjectRequestQuerySet":
        """With who recorded and who approved them."""
        return self.select_related("requested_by", "approved_by")

    def open(self) -> "DataSubjectRequestQuerySet":
        return self.filter(status__in=self.model.OPEN)

    def blocking(self) -> "DataSubjectRequestQuerySet":
        """Those because of which the gate lets nothing through, for their purposes or for all."""
        return self.filter(blocks=True)

    def of_kind(self, *kinds: str) -> "DataSubjectRequestQuerySet":
        return self.filter(kind__in=kinds)

    def queue(self) -> "DataSubjectRequestQuerySet":
        """Open ones, the most urgent first."""
        return self.open().order_by("due_at", "pk")

    def ended(self) -> "DataSubjectRequestQuerySet":
        """No longer open, the newest first; not what went by a rule of retention, of which there are thousands."""
        rows = self.exclude(identity_checked=self.model.IdentityCheck.RETENTION)
        return rows.exclude(status__in=self.model.OPEN).order_by("-received_at", "-pk")

    def about(self, public_ids: Iterable[UUID]) -> "DataSubjectRequestQuerySet":
        return self.filter(subject__in=list(public_ids))

    def about_profile(self, profile: Profile) -> "DataSubjectRequestQuerySet":
        """Under its own public id or that of a profile that was merged into it."""
        own = Profile.objects.filter(models.Q(pk=profile.pk) | models.Q(redirect_to=profile.pk))
        return self.filter(subject__in=own.values("public_id"))

    def abandoned(self, now: datetime) -> "DataSubjectRequestQuerySet":
        """Erasures whose job has died, or was never started: running without a live lease, approved, or stopped
        half-way and due for another try."""
        return self._without_job("approved", "running", "partial", now=now).of_kind("erasure")

    def uncarried(self, now: datetime) -> "DataSubjectRequestQuerySet":
        """The same of the other kinds, which `consent.requests.carrying_out` carries out."""
        return self._without_job("approved", "running", "partial", now=now).exclude(kind="erasure")

    def _without_job(self, *statuses: str, now: datetime) -> "DataSubjectRequestQuerySet":
        return self.filter(status__in=statuses).filter(
            models.Q(lease_until__isnull=True) | models.Q(lease_until__lt=now)
        )
