"""Forms of the public pages."""

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from consent.models import DataSubjectRequest
from consent.requests.public import Contact

Kind = DataSubjectRequest.Kind

# In words of the person who asks.
KINDS = [
    (Kind.ACCESS, _("A copy of the data that you have about me")),
    (Kind.PORTABILITY, _("My data as a file for another company")),
    (Kind.RECTIFICATION, _("Put right what is wrong about me")),
    (Kind.ERASURE, _("Erase my data")),
    (Kind.RESTRICTION, _("Keep my data, but do not use it for now")),
    (Kind.OBJECTION, _("I object to a use of my data")),
    (Kind.WITHDRAWAL, _("I withdraw my consent")),
]


class LinkForm(forms.Form):
    """Where the link goes."""

    email = forms.EmailField(label=_("Your e-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))


class RequestForm(forms.Form):
    """What somebody asks for, and how they are reached."""

    kind = forms.ChoiceField(
        label=_("What do you ask for?"), choices=KINDS, widget=forms.RadioSelect(attrs={"class": "form-check-input"})
    )
    name = forms.CharField(label=_("Your name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label=_("Your e-mail address"), required=False, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    phone = forms.CharField(
        label=_("Your phone number"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    represents = forms.CharField(
        label=_("For somebody else? Their name"),
        required=False,
        max_length=150,
        help_text=_("We will ask you for a written authority."),
    )
    text = forms.CharField(
        label=_("What should we know?"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("email") and not cleaned.get("phone") and "email" not in self.errors:
            self.add_error("email", _("Give an e-mail address or a phone number, so that we can answer."))
        return cleaned

    @property
    def contact(self) -> Contact:
        said = {name: self.cleaned_data[name] for name in ("name", "email", "phone", "text", "represents")}
        return Contact(**said, language=(get_language() or "th")[:2])
