"""Lists as they are kept: made, added to, begun anew, renamed, removed."""

from collections.abc import Iterable
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import Department, User
from segments.lists.finding import Found
from segments.models import Segment, StaticList, StaticListMember

_AT_ONCE: Final = 5_000  # rows a statement


class NameTakenProblem(ConflictProblem):
    code = "name_taken"

    def __init__(self) -> None:
        super().__init__(_("There is a list of this name already."), field="name", hint=_("Choose another name."))


class NobodyFoundProblem(MendableError):
    code = "nobody_found"

    def __init__(self) -> None:
        super().__init__(
            _("None of the ids leads to one customer."),
            field="ids",
            hint=_("Look at the kind of ids, and at the column of the file that was read."),
        )


class InUseProblem(ConflictProblem):
    code = "in_use"

    def __init__(self, segments: Iterable[Segment], by: User) -> None:
        visible = set(Segment.objects.visible_to(by).values_list("pk", flat=True))
        names = [f"“{one.name}”" if one.pk in visible else str(_("one of another department")) for one in segments]
        super().__init__(
            _("Segments ask for the list: %(names)s.") % {"names": ", ".join(names)},
            hint=_("Take the condition out of them first."),
        )


@transaction.atomic
def create(*, name: str, department: Department | None, found: Found, by: User) -> StaticList:
    """A new list of those who were found. Raises NameTakenProblem, NobodyFoundProblem."""
    if not found.records:
        raise NobodyFoundProblem
    made = StaticList(name=name, department=department, created_by=by)
    _save(made)
    _put(made, found)
    audit.record(action="list.create", target=made, by=by, fields=["name", "department", "members"])
    return made


@transaction.atomic
def change(*, static_list: StaticList, found: Found, replaces: bool, by: User) -> StaticList:
    """Put those who were found on the list; `replaces`: and take off everybody else. Raises NobodyFoundProblem."""
    if not found.records:
        raise NobodyFoundProblem
    current: StaticList = StaticList.objects.select_for_update().get(pk=static_list.pk)
    if replaces:
        current.members.exclude(record__in=found.records).delete()
        current.n_given = current.n_found = 0
    _put(current, found)
    audit.record(action="list.replace" if replaces else "list.add", target=current, by=by, fields=["members"])
    return current


@transaction.atomic
def rename(*, static_list: StaticList, name: str, by: User) -> None:
    """Raises NameTakenProblem."""
    current: StaticList = StaticList.objects.select_for_update().get(pk=static_list.pk)
    if current.name == name:
        return
    current.name = name
    _save(current)
    audit.record(action="list.change", target=current, by=by, fields=["name"])


@transaction.atomic
def delete(*, static_list: StaticList, by: User) -> None:
    """Raises InUseProblem while a segment asks for it, an archived one too."""
    current: StaticList = StaticList.objects.select_for_update().get(pk=static_list.pk)
    using = list(Segment.objects.naming_list(current.pk))
    if using:
        raise InUseProblem(using, by)
    audit.record(action="list.delete", target=current, by=by)
    current.delete()


def _put(static_list: StaticList, found: Found) -> None:
    """The list itself is saved last: memberships listen to that (`membership.receivers`)."""
    members = [StaticListMember(list=static_list, record_id=record) for record in sorted(found.records)]
    StaticListMember.objects.bulk_create(members, batch_size=_AT_ONCE, ignore_conflicts=True)
    static_list.n_given += found.n_given
    static_list.n_found += found.n_found
    static_list.save(update_fields=["n_given", "n_found", "changed_at"])


def _save(static_list: StaticList) -> None:
    """The name is the one thing of a list that another row can stand against."""
    try:
        with transaction.atomic():
            static_list.save()
    except IntegrityError as error:
        raise NameTakenProblem from error
