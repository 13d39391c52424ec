"""Forms of the library: folders, and who owns, finds and shares a segment."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core.actors import name_of
from cdp_site.core.models import Department, User
from segments import overtaking, sharing, shelving
from segments.models import Segment, SegmentFolder
from segments.sharing import Level

LEVELS = [
    (Level.NONE.value, _("does not see it")),
    (Level.USE.value, _("may use it")),
    (Level.CHANGE.value, _("may use and change it")),
]


class FolderForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=60)


class _OwnerField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return name_of(obj)


class ArrangeForm(forms.Form):
    """Who answers for a segment, where it lies, and what other departments may do with it. `seen`: the `edition` that
    the page was opened with."""

    owner = _OwnerField(
        label=_("Owner"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("Nobody"),
        help_text=_("Who answers for it: colleagues ask this person."),
    )
    folder = forms.ModelChoiceField(
        label=_("Folder"), queryset=SegmentFolder.objects.none(), required=False, empty_label=_("In no folder")
    )

    def __init__(self, *args: Any, segment: Segment, by: User, **kwargs: Any) -> None:
        self.shared = sharing.read(segment)
        levels = [(one.department.pk, one.level.value) for one in self.shared]
        self.edition = overtaking.edition(segment.owner_id, segment.folder_id, levels)
        initial: dict[str, Any] = {"owner": segment.owner_id, "folder": segment.folder_id}
        initial |= {self._key(one.department): one.level.value for one in self.shared}
        super().__init__(*args, **kwargs | {"initial": initial})
        owners = [user.pk for user in shelving.possible_owners(segment)]
        self.fields["owner"].queryset = User.objects.filter(pk__in=[*owners, segment.owner_id])  # type: ignore[attr-defined]
        self.fields["folder"].queryset = SegmentFolder.objects.visible_to(by)  # type: ignore[attr-defined]
        for one in self.shared:
            self.fields[self._key(one.department)] = forms.ChoiceField(label=str(one.department), choices=LEVELS)

    @property
    def is_overtaken(self) -> bool:
        """Whether what was posted was chosen beside other choices than those that stand."""
        return self.is_bound and self.data.get("seen", self.edition) != self.edition

    @staticmethod
    def _key(department: Department) -> str:
        return f"department-{department.pk}"

    def departments(self) -> Iterator[forms.BoundField]:
        """The fields of the other departments."""
        for one in self.shared:
            yield self[self._key(one.department)]

    def levels(self) -> Mapping[Department, Level]:
        """What each of the other departments may do."""
        return {one.department: Level(self.cleaned_data[self._key(one.department)]) for one in self.shared}
