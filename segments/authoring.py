"""Writing segments down: new ones, new versions, the end of one."""

from typing import Any as Json
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit
from cdp_site.core.access import scope_of
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import Department, User
from segments import catalogue, overtaking, references, uses
from segments.definition.serialise import serialise
from segments.models import Segment, SegmentVersion


class NameTakenProblem(ConflictProblem):
    code = "name_taken"

    def __init__(self) -> None:
        super().__init__(
            _("There is a segment of this name already."),
            field="name",
            hint=_("Choose another name; an archived segment may have this one."),
        )


class ArchivedProblem(ConflictProblem):
    code = "archived"

    def __init__(self) -> None:
        super().__init__(_("This segment is archived."), hint=_("Bring it back into use first."))


def edition(segment: Segment) -> str:
    """Of what its author writes."""
    return overtaking.edition(segment.version, segment.name, segment.description, segment.department_id)


@transaction.atomic
def create(*, name: str, description: str, department: Department | None, definition: Json, by: User) -> Segment:
    """A new segment, in version 1. Raises DefinitionProblem and NameTakenProblem."""
    segment = Segment(
        name=name,
        description=description,
        department=department,
        definition=_checked(definition, by),
        created_by=by,
        owner=by,
    )
    _save(segment)
    _keep_version(segment, by)
    audit.record(action="segment.create", target=segment, by=by, fields=["name", "department", "definition"])
    return segment


@transaction.atomic
def change(
    *,
    segment: Segment,
    name: str,
    description: str,
    department: Department | None,
    definition: Json,
    by: User,
    seen: str | None = None,
) -> Segment:
    """The segment with what is given; another definition is a new version, the old one stays on record.

    Args:
        seen: the `edition` that the author began from; None: whatever stands.

    Raises DefinitionProblem, NameTakenProblem, ArchivedProblem for what is out of use, and OvertakenProblem where
    another edition stands than the one that was seen.
    """
    current: Segment = Segment.objects.select_for_update().get(pk=segment.pk)
    if current.is_archived:
        raise ArchivedProblem
    overtaking.refuse(seen, edition(current))
    written = _checked(definition, by, kept=current.definition, segment=current.pk)
    new = {"name": name, "description": description, "department": department, "definition": written}
    changed = [field for field, value in new.items() if getattr(current, field) != value]
    if not changed:
        return current
    for field in changed:
        setattr(current, field, new[field])
    if "definition" in changed:
        current.version += 1
    _save(current)
    if "definition" in changed:
        _keep_version(current, by)
    audit.record(action="segment.change", target=current, by=by, fields=changed)
    return current


@transaction.atomic
def delete(*, segment: Segment, by: User) -> None:
    """The segment and its versions go; what was exported stays on record under its name.

    Raises `uses.InUseProblem` while something stands on it.
    """
    current: Segment = Segment.objects.select_for_update().get(pk=segment.pk)
    uses.refuse_while_used(current, by=by)
    audit.record(action="segment.delete", target=current, by=by)
    current.delete()


def _checked(definition: Json, by: User, *, kept: Json = None, segment: UUID | None = None) -> dict[str, Json]:
    """The definition as it is stored: valid for its author, in canonical form. `kept`: the one that it replaces, of
    `segment`."""
    fields = catalogue.fields_of(scope_of(by), definition, kept=kept, by=by)
    return serialise(references.checked(definition, fields, segment))


def _save(segment: Segment) -> None:
    """The name is the one thing of a segment that another row can stand against."""
    try:
        with transaction.atomic():
            segment.save()
    except IntegrityError as error:
        raise NameTakenProblem from error


def _keep_version(segment: Segment, by: User) -> None:
    SegmentVersion.objects.create(
        segment=segment, version=segment.version, definition=segment.definition, actor=audit.actor_name(by)
    )
