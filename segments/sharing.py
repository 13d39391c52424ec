"""Which departments may use a segment of another, and which may change it: grants of django-guardian on the segment.

Who uses it sees with their own eyes: a member who is hidden from them is not counted, and a segment that names what
they do not see gives them no number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from guardian.shortcuts import assign_perm, remove_perm

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import Department, User
from segments.models import Segment
from segments.querysets import CHANGE, VIEW


class Level(StrEnum):
    """What another department may do with a segment."""

    NONE = "none"
    USE = "use"
    CHANGE = "change"


_GRANTED = {Level.NONE: frozenset[str](), Level.USE: frozenset({VIEW}), Level.CHANGE: frozenset({VIEW, CHANGE})}


@dataclass(frozen=True, slots=True)
class Shared:
    department: Department
    level: Level


def read(segment: Segment) -> Sequence[Shared]:
    """The other departments with what each may do; none for a common segment, which is everybody's. Two queries."""
    if segment.department_id is None:
        return ()
    granted: dict[int, set[str]] = {}
    for group, permission in segment.grants.values_list("group", "permission__codename"):
        granted.setdefault(group, set()).add(permission)
    others = Department.objects.exclude(pk=segment.department_id).order_by("name")
    return [Shared(one, _level(granted.get(one.group_id, set()))) for one in others]


def _level(permissions: set[str]) -> Level:
    if CHANGE in permissions:
        return Level.CHANGE
    return Level.USE if VIEW in permissions else Level.NONE


@transaction.atomic
def share(*, segment: Segment, department: Department, level: Level, by: User) -> None:
    """Let another department use or change the segment, or end that; it bites with the next request.

    Raises ConflictProblem for the segment's own department and for a common segment: they need no grant.
    """
    current: Segment = Segment.objects.select_for_update().get(pk=segment.pk)
    if current.department_id in (None, department.pk):
        raise ConflictProblem(_("This department may use and change it anyway."))
    stands = set(current.grants.filter(group=department.group_id).values_list("permission__codename", flat=True))
    wanted = _GRANTED[level]
    if stands == wanted:
        return
    for permission in wanted - stands:
        assign_perm(permission, department.group, current)
    for permission in stands - wanted:
        remove_perm(permission, department.group, current)
    named = f"{department._meta.label}:{department.pk}:{level.value}"
    audit.record(action="segment.share", target=current, by=by, fields=[named])
