"""Forms of the segment pages. The definition itself is written in the builder (`segments.builder`)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import Department, User
from consent.models import Channel, Purpose
from segments.models import Segment


class SegmentForm(forms.Form):
    """What a segment is called, and for whom it is."""

    name = forms.CharField(label=_("Name"), max_length=120)
    description = forms.CharField(label=_("What it is for"), max_length=300, required=False)
    for_everybody = forms.BooleanField(label=_("Other departments may use it, too"), required=False)

    def __init__(self, *args: Any, author: User, segment: Segment | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.home: Department | None = segment.department if segment and segment.department else author.department
        if self.home is None:
            del self.fields["for_everybody"]  # who has no department writes for everybody

    @property
    def department(self) -> Department | None:
        """The department that the segment belongs to; None: everybody's."""
        return None if self.cleaned_data.get("for_everybody", True) else self.home

    @classmethod
    def initial_of(cls, segment: Segment) -> dict[str, Any]:
        return {
            "name": segment.name,
            "description": segment.description,
            "for_everybody": segment.department_id is None,
        }


class ExportForm(forms.Form):
    """On what ground a list leaves the product, and by which channel it will be used."""

    purpose = forms.ModelChoiceField(
        label=_("Purpose"), queryset=Purpose.objects.filter(is_active=True), empty_label=_("Choose…")
    )
    channel = forms.ChoiceField(label=_("Channel"), choices=[("", _("Choose…")), *Channel.choices])
