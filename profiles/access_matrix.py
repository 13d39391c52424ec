"""Who sees what: departments against sources, touchpoint types and groups of traits, and the grants between them.

What is common everybody sees, what a department owns it sees; the rest is granted, one container to one department, and
so is everything sensitive, whoever owns it. A grant and its end bite with the next request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from guardian.models import GroupObjectPermission
from guardian.shortcuts import assign_perm, remove_perm

from cdp_site.core import audit
from cdp_site.core.access import Permission, may, scope_of
from cdp_site.core.errors import ConflictProblem, NotFoundProblem, Text
from cdp_site.core.models import Department, User
from ingestion.models import Source
from profiles import masking
from profiles.models import EventType, Trait, TraitGroup


class Standing(StrEnum):
    COMMON = "common"  # everybody sees it
    OWN = "own"
    GRANTED = "granted"
    HIDDEN = "hidden"


KINDS: Mapping[str, tuple[Any, Text]] = {
    "sources": (Source, gettext_lazy("Sources")),
    "types": (EventType, gettext_lazy("Touchpoint types")),
    "groups": (TraitGroup, gettext_lazy("Groups of traits")),
}


@dataclass(frozen=True, slots=True)
class Cell:
    department: Department
    standing: Standing

    @property
    def may_change(self) -> bool:
        return self.standing in (Standing.GRANTED, Standing.HIDDEN)


@dataclass(frozen=True, slots=True)
class Row:
    """A source, a touchpoint type or a group of traits; `traits` are those in the group."""

    container: Any
    is_sensitive: bool
    cells: Sequence[Cell]
    traits: Sequence[Trait] = ()


@dataclass(frozen=True, slots=True)
class Matrix:
    kind: str
    departments: Sequence[Department]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class SeenTrait:
    """How somebody of a role and department reads a trait: "shown", "masked" or "hidden"."""

    trait: Trait
    how: str


def read(kind: str) -> Matrix:
    """The matrix of one kind of container. Five queries at most. Raises NotFoundProblem for another kind."""
    model = _model(kind)
    departments = list(Department.objects.order_by("name"))
    granted = _grants(model)
    containers = model.objects.select_related("department")
    if model is TraitGroup:
        containers = containers.prefetch_related("traits")
    return Matrix(
        kind=kind,
        departments=departments,
        rows=[
            Row(
                container=container,
                is_sensitive=_is_sensitive(container),
                cells=[Cell(one, _standing(container, one, granted)) for one in departments],
                traits=list(container.traits.all()) if model is TraitGroup else (),
            )
            for container in containers
        ],
    )


@transaction.atomic
def change(*, kind: str, container_id: int, department_id: int, sees: bool, by: User) -> Row:
    """Grant or end a grant; returns the row as it is then.

    Raises NotFoundProblem for what there is not, ConflictProblem for what is not a matter of grants.
    """
    model = _model(kind)
    container = model.objects.select_for_update().filter(pk=container_id).first()
    department = Department.objects.filter(pk=department_id).first()
    if container is None or department is None:
        raise NotFoundProblem(_("There is no such department or container."))
    before = _standing(container, department, _grants(model))
    if before in (Standing.COMMON, Standing.OWN):
        raise ConflictProblem(_("This department sees it anyway."), hint=_("Give it to a department first."))
    if sees is not (before is Standing.GRANTED):
        permission = f"view_{model._meta.model_name}"
        (assign_perm if sees else remove_perm)(permission, department.group, container)
        named = f"{model._meta.label}:{container.pk}"
        audit.record(action="access.grant" if sees else "access.withdraw", target=department, by=by, fields=[named])
    return next(row for row in read(kind).rows if row.container.pk == container.pk)


def reading_of(user: User) -> list[SeenTrait]:
    """How this user would read each trait of a customer who is not open for them. Two queries."""
    scope, shows = scope_of(user), masking.shows_all_identifiers(user)
    sees_customers = may(user, Permission.VIEW_CUSTOMERS)

    def how(trait: Trait) -> str:
        if not sees_customers or not scope.sees_trait_group(trait.group.slug):
            return "hidden"
        return "masked" if masking.is_direct(trait.name) and not shows else "shown"

    traits = Trait.objects.select_related("group").order_by("group__position", "position", "name")
    return [SeenTrait(trait, how(trait)) for trait in traits]


def _model(kind: str) -> Any:
    if kind not in KINDS:
        raise NotFoundProblem(_("There is no such matrix."))
    return KINDS[kind][0]


def _is_sensitive(container: Any) -> bool:
    return isinstance(container, TraitGroup) and container.is_sensitive


def _standing(container: Any, department: Department, granted: frozenset[tuple[int, str]]) -> Standing:
    if not _is_sensitive(container):
        if container.department_id is None:
            return Standing.COMMON
        if container.department_id == department.pk:
            return Standing.OWN
    return Standing.GRANTED if (department.group_id, str(container.pk)) in granted else Standing.HIDDEN


def _grants(model: Any) -> frozenset[tuple[int, str]]:
    """(group, key of the container) of every grant. One query."""
    of_model = GroupObjectPermission.objects.filter(
        content_type=ContentType.objects.get_for_model(model), permission__codename=f"view_{model._meta.model_name}"
    )
    return frozenset(of_model.values_list("group", "object_pk"))
