"""Named queries over profiles and touchpoints; every view starts from `visible_to`."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils import timezone

from cdp_site.core.access import (
    ContainerQuerySet,
    Permission,
    Scope,
    is_stand_in,
    may,
    own_department,
    scope_of,
)
from cdp_site.core.models import Department, User


class ProfileQuerySet(models.QuerySet[Any]):
    def live(self) -> "ProfileQuerySet":
        """Neither merged into another nor being erased."""
        return self.filter(state="live")

    def people(self) -> "ProfileQuerySet":
        """Live and known: what "customers" means in lists and counts; anonymous visitors are apart."""
        return self.live().filter(kind="identified")

    def within(self, scope: Scope) -> "ProfileQuerySet":
        """Profiles of which the scope sees at least one record."""
        if scope.source_ids is None:
            return self
        seen = models.Q(memberships__valid_to__isnull=True, memberships__record__source__in=scope.source_ids)
        return self.filter(models.Exists(self.model._default_manager.filter(seen, pk=models.OuterRef("pk"))))

    def with_records(self, record_ids: Collection[int]) -> "ProfileQuerySet":
        """Those who hold one of these records now, once for each (`record_id`)."""
        held = self.filter(memberships__record__in=record_ids, memberships__valid_to__isnull=True)
        return held.annotate(record_id=models.F("memberships__record"))

    def visible_to(self, user: User | AnonymousUser) -> "ProfileQuerySet":
        """Live profiles within the user's scope; none without the permission to view customers."""
        if not may(user, Permission.VIEW_CUSTOMERS):
            return self.none()
        return self.live().within(scope_of(user))


class TraitGroupQuerySet(ContainerQuerySet):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """As of every container; of sensitive groups only those that the user's department was granted by name, whoever
        owns them and whatever the role."""
        seen = models.Q(is_sensitive=False)
        if isinstance(user, User) and user.department_id is not None:
            named = models.Q(pk__in=self.granted_to(user.department_id))
            if is_stand_in(user):
                named &= models.Q(pk__in=self.granted_to(own_department(user) or 0))
            seen |= named
        return super().visible_to(user).filter(seen)

    def owned_by(self, department: Department | None) -> Self:
        """Common ones and those of the department: what was granted to it is another's."""
        return self.filter(models.Q(department__isnull=True) | models.Q(department=department))


class TouchpointQuerySet(models.QuerySet[Any]):
    def within(self, scope: Scope) -> "TouchpointQuerySet":
        """Touchpoints whose source and type the scope sees."""
        rows = self
        if scope.source_ids is not None:
            rows = rows.filter(source__in=scope.source_ids)
        if scope.event_type_ids is not None:
            rows = rows.filter(type__in=scope.event_type_ids)
        return rows


class PinQuerySet(models.QuerySet[Any]):
    def in_force(self) -> Self:
        """Neither taken back nor expired."""
        return self.filter(ended_at__isnull=True)

    def stood(self, moment: datetime) -> Self:
        """In force then."""
        return self.filter(models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=moment), at__lt=moment)

    def due(self, moment: datetime) -> Self:
        """In force, and to end at the latest now."""
        return self.in_force().filter(expires_at__lte=moment)


class ProductQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> "ProductQuerySet":
        """Products are no secret between departments; none without the permission to view the catalogue."""
        return self.all() if may(user, Permission.VIEW_CATALOGUE) else self.none()

    def of_category(self, category: str) -> "ProductQuerySet":
        return self.filter(category=category) if category else self

    def with_words(self, text: str) -> "ProductQuerySet":
        """Whose number or a name contains the text."""
        if not text:
            return self
        return self.filter(
            models.Q(name__icontains=text) | models.Q(name_th__icontains=text) | models.Q(sku__icontains=text)
        )


class LinkDecisionQuerySet(models.QuerySet[Any]):
    def standing(self) -> Self:
        """What nobody has taken back; an undo that was undone is none."""
        stands = models.Func(models.F("pk"), function="profiles_decision_stands", output_field=models.BooleanField())
        return self.filter(stands)

    def stood(self, moment: datetime) -> Self:
        """What had been decided before and was not taken back then."""
        withdrawals = self.model._default_manager.filter(action="withdraw", at__lt=moment)
        undone = withdrawals.filter(withdraws=models.OuterRef("pk"))
        in_effect = withdrawals.filter(withdraws=models.OuterRef("pk")).exclude(models.Exists(undone))
        return self.filter(at__lt=moment).exclude(models.Exists(in_effect))


class RevertQuerySet(models.QuerySet[Any]):
    def abandoned(self) -> Self:
        """To be done, but no living job holds them (watchdog)."""
        return self.filter(status__in=["ready", "running"]).filter(
            models.Q(lease_until__isnull=True) | models.Q(lease_until__lt=timezone.now())
        )


class MatchRunQuerySet(models.QuerySet[Any]):
    def newest_first(self) -> Self:
        return self.order_by("-started_at", "-id")

    def unfinished(self) -> Self:
        return self.filter(status="running")

    def ended(self) -> Self:
        return self.filter(ended_at__isnull=False)

    def ended_before(self, moment: datetime) -> Self:
        return self.filter(ended_at__lt=moment)

    def latest_ended_first(self) -> Self:
        return self.order_by("-ended_at", "-id")

    def with_changes(self) -> Self:
        """Of which at least one change is still listed."""
        changes = self.model._meta.get_field("changes").related_model
        return self.filter(models.Exists(changes._default_manager.filter(run=models.OuterRef("pk"))))

    def of_matching(self) -> Self:
        """Real ones and trials of a model; what takes merges back is none."""
        return self.filter(kind__in=["batch", "shadow"])

    def trials(self) -> Self:
        return self.filter(kind="shadow")

    def silent(self, since: datetime) -> Self:
        """Of which nothing was heard since then (watchdog)."""
        return self.unfinished().filter(models.Q(beat_at__isnull=True) | models.Q(beat_at__lt=since))
