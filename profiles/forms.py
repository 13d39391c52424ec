"""Forms of the profiles app."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core.templatetags.formats import day_text
from profiles import notes, openings
from profiles.models import Disposition, SourceRecord

LONGEST_REASON = 300  # LinkDecision.reason


class NoteForm(forms.Form):
    """A note about a customer, with what came of the contact; kept as a draft while it is written."""

    text = forms.CharField(
        label=_("Note"),
        max_length=notes.LONGEST,
        widget=forms.Textarea(
            attrs={
                "rows": 2,
                "placeholder": _("What should a colleague know?"),
                "data-key": "KeyN",
                "data-key-name": "N",
                "data-key-label": _("Write a note"),
            }
        ),
    )
    disposition = forms.ChoiceField(
        label=_("Outcome"), required=False, choices=[("", _("only a note")), *Disposition.choices]
    )


class OpeningForm(forms.Form):
    """Why somebody opens a customer; goes into the access log as a code."""

    reason = forms.ChoiceField(
        label=_("Why do you need them?"),
        choices=[(reason.value, reason.label) for reason in openings.REASONS],
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )


class ReasonForm(forms.Form):
    """Why somebody merges or parts customers; kept with the decision."""

    reason = forms.CharField(
        label=_("Why"),
        max_length=LONGEST_REASON,
        help_text=_("Kept with the decision, for colleagues who ask later. No numbers or addresses, please."),
    )


class VerifyForm(forms.Form):
    """How somebody made sure that a customer is made of the right records."""

    reason = forms.CharField(
        label=_("How do you know?"),
        max_length=LONGEST_REASON,
        required=False,
        help_text=_("Shown to colleagues. No numbers or addresses, please."),
    )


class NotesForm(forms.Form):
    """With which record an agent's notes, cases and changes go when it is not clear; one field an agent record."""

    def __init__(self, *args: Any, agents: Sequence[SourceRecord], records: Sequence[SourceRecord], **kwargs: Any):
        super().__init__(*args, **kwargs)
        choices = [(record.pk, f"{record.source} · {record.external_id}") for record in records]
        for agent in agents:
            self.fields[f"notes_{agent.pk}"] = forms.TypedChoiceField(
                label=_("What staff wrote and changed since %(date)s goes with")
                % {"date": day_text(agent.first_seen_at)},
                choices=choices,
                coerce=int,
                initial=agent.tied_to_id,
            )

    @property
    def targets(self) -> dict[int, int]:
        """Agent record → record with which its notes go."""
        return {int(name.removeprefix("notes_")): target for name, target in self.cleaned_data.items()}


class ManyForm(forms.Form):
    """From which probability on pairs are merged without looking at each; `upto` comes back from what was shown."""

    percent = forms.DecimalField(
        label=_("From this probability on"),
        min_value=50,
        max_value=100,
        decimal_places=1,
        initial=98,
        help_text=_("In percent, as the model says it."),
    )
    upto = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    @property
    def least(self) -> float:
        return float(self.cleaned_data["percent"]) / 100


class TermForm(forms.Form):
    """What means the same: a word with its names and other spellings, one a line."""

    attribute = forms.CharField(
        label=_("Product attribute"),
        max_length=50,
        help_text=_("The property that the word stands in, as events name it: color, category, material."),
    )
    label = forms.CharField(label=_("Name"), max_length=120)
    label_th = forms.CharField(label=_("Name in Thai"), max_length=120, required=False)
    spellings = forms.CharField(
        label=_("Other spellings"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("One a line. Capital and small letters are the same."),
    )

    def clean_spellings(self) -> list[str]:
        text: str = self.cleaned_data["spellings"]
        return text.splitlines()


class PinForm(forms.Form):
    """Which record's value of which trait; filled in by buttons."""

    record = forms.IntegerField(min_value=1)
    trait = forms.SlugField(max_length=80)  # Trait.name
    days = forms.IntegerField(required=False, min_value=1, max_value=365)
