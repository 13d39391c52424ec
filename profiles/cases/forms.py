"""Forms of cases."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import Department
from profiles.cases import handling
from profiles.cases.handling import Said
from profiles.models import Case, CaseNote


class DayField(forms.DateField):
    """A day to come, chosen in the browser's calendar (ISO in both languages)."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    input_formats = ("%Y-%m-%d",)

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day is not None and day < timezone.localdate():
            raise forms.ValidationError(_("This day is over. Choose today or a day to come."))
        return day


class OpenCaseForm(forms.Form):
    """What a customer waits for."""

    subject = forms.CharField(label=_("What does the customer wait for?"), max_length=120)
    text = forms.CharField(
        label=_("What is to be known"),
        required=False,
        max_length=handling.LONGEST,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    follow_up_on = DayField(label=_("Follow up on"), required=False)

    prefix = "case"  # the notes' form stands on the same page

    @property
    def said(self) -> Said:
        return Said(self.cleaned_data["text"], follow_up_on=self.cleaned_data["follow_up_on"])


class StepForm(forms.Form):
    """What happened, and what comes next: a note, a hand-over or the end."""

    seen = forms.UUIDField(widget=forms.HiddenInput)
    disposition = forms.ChoiceField(
        label=_("What came of it"), required=False, choices=[("", "—"), *CaseNote.Disposition.choices]
    )
    text = forms.CharField(
        label=_("Note"), required=False, max_length=handling.LONGEST, widget=forms.Textarea(attrs={"rows": 3})
    )
    follow_up_on = DayField(
        label=_("Follow up on"), required=False, help_text=_("Empty: nothing is promised any more.")
    )

    prefix = "step"

    def __init__(self, *args: Any, case: Case, seen: UUID | None, **kwargs: Any) -> None:
        is_ahead = case.follow_up_on is not None and case.follow_up_on >= timezone.localdate()
        kwargs["initial"] = {"seen": seen, "follow_up_on": case.follow_up_on if is_ahead else None}
        super().__init__(*args, **kwargs)
        others = Department.objects.exclude(pk=case.department_id) if case.department_id else Department.objects.all()
        self.fields["to"] = forms.ModelChoiceField(
            label=_("Hand over to"), required=False, queryset=others, empty_label="—"
        )

    @property
    def seen_step(self) -> UUID:
        step: UUID = self.cleaned_data["seen"]
        return step

    @property
    def said(self) -> Said:
        told = self.cleaned_data
        return Said(told["text"], told["disposition"], told["follow_up_on"])
