"""The form of a script."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from segments.models import Script
from segments.scripts import authoring


def _area() -> forms.Textarea:
    return forms.Textarea(attrs={"rows": 6})


class ScriptForm(forms.Form):
    """What agents say to the customers of a segment."""

    text_th = forms.CharField(label=_("In Thai"), required=False, max_length=authoring.LONGEST, widget=_area())
    text = forms.CharField(label=_("In English"), required=False, max_length=authoring.LONGEST, widget=_area())
    is_active = forms.BooleanField(label=_("Agents see it"), required=False, initial=True)
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    @classmethod
    def initial_of(cls, script: Script | None) -> dict[str, Any]:
        if script is None:
            return {"seen": 0}
        return {
            "text": script.text,
            "text_th": script.text_th,
            "is_active": script.is_active,
            "seen": script.version,
        }
