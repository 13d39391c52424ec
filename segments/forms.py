"""Forms of the segment pages. The definition itself is written in the builder (`segments.builder`)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import Department, User
from segments.models import Segment


class SegmentForm(forms.Form):
    """What a segment is called, and for whom it is."""

    name = forms.CharField(label=_("Name"), max_length=120)
    description = forms.CharField(label=_("What it is for"), max_length=300, required=False)
    for_everybody = forms.BooleanField(label=_("Other departments may use it, too"), required=False)

    def __init__(self, *args: Any, author: User, segment: Segment | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.home: Department | None = segment.department if segment and segment.department else author.department
        # Who may change another department's segment does not give it away.
        self.is_guest = self.home is not None and self.home != author.department
        if self.home is None or self.is_guest:
            del self.fields["for_everybody"]  # who has no department writes for everybody

    @property
    def department(self) -> Department | None:
        """The department that the segment belongs to; None: everybody's."""
        return None if self.cleaned_data.get("for_everybody", not self.is_guest) else self.home

    @classmethod
    def initial_of(cls, segment: Segment) -> dict[str, Any]:
        return {
            "name": segment.name,
            "description": segment.description,
            "for_everybody": segment.department_id is None,
        }
