"""Named queries over cases: what a department may see of them, and what waits for whom."""

from datetime import date
from typing import Any, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from cdp_site.core.access import Permission, may
from cdp_site.core.models import User


class CaseQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Common cases, those that the department has, and those that it had and handed over: the customer asks there
        again. Of customers who live; none without the permission to handle cases."""
        if not isinstance(user, User) or not may(user, Permission.HANDLE_CASES):
            return self.none()
        rows = self.filter(profile__state="live")
        if may(user, Permission.SEE_ALL_DEPARTMENTS):
            return rows
        if user.department_id is None:
            return rows.filter(department__isnull=True)
        steps = self.model._meta.get_field("notes").related_model
        had = steps._default_manager.filter(case=OuterRef("pk"), department=user.department_id)
        return rows.filter(Q(department__isnull=True) | Q(department=user.department_id) | Q(Exists(had)))

    def of(self, profile: Any) -> Self:
        """Open ones first, by what is due first; then closed ones, the latest first."""
        order = (F("closed_at").desc(nulls_first=True), F("follow_up_on").asc(nulls_last=True), "-opened_at")
        return self.filter(profile=profile).order_by(*order)

    def open(self) -> Self:
        return self.filter(status="open")

    def assigned_to(self, user: User) -> Self:
        return self.filter(assignee=user)

    def unclaimed_in(self, user: User) -> Self:
        """Waiting in the user's department, or in none, for somebody to take them."""
        return self.filter(Q(department__isnull=True) | Q(department=user.department_id), assignee__isnull=True)

    def with_department_of(self, user: User) -> Self:
        """Those that the user's department has, and those of nobody's."""
        return self.filter(Q(department__isnull=True) | Q(department=user.department_id))

    def concerning(self, user: User) -> Self:
        """The user's own, and what waits in the department for anybody."""
        unclaimed = Q(assignee__isnull=True) & (Q(department__isnull=True) | Q(department=user.department_id))
        return self.filter(Q(assignee=user) | unclaimed)

    def due_by(self, day: date) -> Self:
        """To be followed up by this day; what nobody has taken is due at once."""
        return self.filter(Q(follow_up_on__lte=day) | Q(assignee__isnull=True))

    def most_urgent_first(self) -> Self:
        return self.order_by(F("follow_up_on").asc(nulls_last=True), "opened_at", "pk")


class CaseNoteQuerySet(models.QuerySet[Any]):
    def readable_by(self, user: User, *, department_id: int | None) -> Self:
        """The steps of a case that `department_id` has now: all of them to that department, its own to one that had the
        case before."""
        if may(user, Permission.SEE_ALL_DEPARTMENTS) or department_id in (None, user.department_id):
            return self
        return self.filter(department=user.department_id)

    def latest_first(self) -> Self:
        return self.select_related("author", "department", "handed_to").order_by("-pk")
