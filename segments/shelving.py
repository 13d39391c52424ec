"""Where segments lie and who answers for them: folders, owners, the archive."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit
from cdp_site.core.access import ROLE_PERMISSIONS, Permission
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import User
from segments import uses
from segments.membership import refreshing
from segments.models import Segment, SegmentFolder

BUILDERS = [role for role, permissions in ROLE_PERMISSIONS.items() if Permission.BUILD_SEGMENTS in permissions]


class FolderTakenProblem(ConflictProblem):
    code = "name_taken"

    def __init__(self) -> None:
        super().__init__(_("There is a folder of this name already."), field="name", hint=_("Choose another name."))


@transaction.atomic
def create_folder(*, name: str, by: User) -> SegmentFolder:
    """A folder of the user's department. Raises FolderTakenProblem."""
    folder = SegmentFolder(name=name, department=by.department)
    _save(folder)
    audit.record(action="segment.folder_create", target=folder, by=by, fields=["name"])
    return folder


@transaction.atomic
def rename_folder(*, folder: SegmentFolder, name: str, by: User) -> None:
    """Raises FolderTakenProblem."""
    if folder.name == name:
        return
    folder.name = name
    _save(folder)
    audit.record(action="segment.folder_rename", target=folder, by=by, fields=["name"])


@transaction.atomic
def delete_folder(*, folder: SegmentFolder, by: User) -> None:
    """Its segments lie in no folder then."""
    audit.record(action="segment.folder_delete", target=folder, by=by)
    folder.delete()


@transaction.atomic
def put(*, segment: Segment, folder: SegmentFolder | None, by: User) -> None:
    """Lay the segment into a folder, or into none."""
    if segment.folder_id != (folder.pk if folder else None):
        segment.folder = folder
        segment.save(update_fields=["folder"])
        audit.record(action="segment.shelve", target=segment, by=by, fields=["folder"])


def possible_owners(segment: Segment) -> list[User]:
    """Who may answer for the segment: people who build segments in its department; of a common one in any."""
    people = User.objects.filter(is_active=True, role__in=BUILDERS).order_by("first_name", "username")
    return list(people if segment.department_id is None else people.filter(department=segment.department_id))


@transaction.atomic
def hand_over(*, segment: Segment, owner: User | None, by: User) -> None:
    """Somebody else answers for the segment from now on, or nobody. Raises ConflictProblem for who cannot."""
    if segment.owner_id == (owner.pk if owner else None):
        return
    if owner is not None and owner not in possible_owners(segment):
        raise ConflictProblem(_("This person builds no segments in the segment's department."), field="owner")
    segment.owner = owner
    segment.save(update_fields=["owner"])
    audit.record(action="segment.hand_over", target=segment, by=by, fields=["owner"])


@transaction.atomic
def archive(*, segment: Segment, by: User) -> None:
    """Out of use: no longer kept up to date, offered or shown to agents; its history stays. Raises InUseProblem."""
    current: Segment = Segment.objects.select_for_update().get(pk=segment.pk)
    if current.is_archived:
        return
    uses.refuse_while_used(current, by=by)
    current.archived_at = timezone.now()
    current.save(update_fields=["archived_at"])
    refreshing.ask([current.pk])  # nobody follows it from here on: when it is back, everybody is asked
    audit.record(action="segment.archive", target=current, by=by, fields=["archived_at"])


@transaction.atomic
def bring_back(*, segment: Segment, by: User) -> None:
    """In use again."""
    current: Segment = Segment.objects.select_for_update().get(pk=segment.pk)
    if not current.is_archived:
        return
    current.archived_at = None
    current.save(update_fields=["archived_at"])
    audit.record(action="segment.bring_back", target=current, by=by, fields=["archived_at"])


def _save(folder: SegmentFolder) -> None:
    try:
        with transaction.atomic():
            folder.save()
    except IntegrityError as error:
        raise FolderTakenProblem from error
