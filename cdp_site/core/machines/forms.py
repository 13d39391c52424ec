"""The form of a new key."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core.machines.keys import FASTEST, LONGEST_DAYS, USUAL_DAYS, USUAL_RATE
from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.models import Department

ALL_DEPARTMENTS = "all"


def _departments() -> list[tuple[str, Any]]:
    """Nothing is chosen beforehand: a key that sees everything is somebody's decision."""
    departments = [(str(one.pk), str(one)) for one in Department.objects.all()]
    return [("", _("Choose")), *departments, (ALL_DEPARTMENTS, _("All departments"))]


class MachineKeyForm(forms.Form):
    """Which program it is for, what it may do, and with whose eyes."""

    name = forms.CharField(
        label=_("Program"), max_length=120, help_text=_("What reads with it: “Website”, “Chatbot of LINE”.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"), choices=KeyScope.choices, widget=forms.CheckboxSelectMultiple
    )
    department = forms.ChoiceField(
        label=_("With whose eyes"),
        choices=_departments,
        help_text=_("What this department does not see is absent from every answer."),
    )
    days = forms.IntegerField(label=_("Days until it ends"), min_value=1, max_value=LONGEST_DAYS, initial=USUAL_DAYS)
    rate_per_second = forms.IntegerField(
        label=_("Requests a second"),
        min_value=1,
        max_value=FASTEST,
        initial=USUAL_RATE,
        help_text=_("What is above it is asked to come again later (429)."),
    )

    def clean_department(self) -> Department | None:
        chosen = self.cleaned_data["department"]
        return None if chosen == ALL_DEPARTMENTS else Department.objects.get(pk=chosen)
