"""The form by which a row is held."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core.templatetags.formats import moment_text
from consent.erasure.holds import Row
from consent.models import LegalHold
from consent.wording import TABLES

Why = LegalHold.Why


class HoldForm(forms.Form):
    """Which row, on what ground and why, and until when."""

    row = forms.ChoiceField(label=_("What is held"), choices=[])
    ground = forms.ChoiceField(
        label=_("Ground"), choices=[(Why.CLAIM.value, Why.CLAIM.label), (Why.OBLIGATION.value, Why.OBLIGATION.label)]
    )
    reason = forms.CharField(
        label=_("Which claim or duty"),
        max_length=300,
        help_text=_("Number of the case or section of the law; no names."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    until = forms.DateField(
        label=_("Until the end of"),
        required=False,
        help_text=_("Empty: until somebody releases it."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, rows: Sequence[Row], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row"].choices = [  # type: ignore[attr-defined]
            (row.key, " · ".join(str(part) for part in (TABLES[row.label], row.text, moment_text(row.at)) if part))
            for row in rows
        ]
