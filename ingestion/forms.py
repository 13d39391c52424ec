"""Forms of the ingestion app's screens."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import Department
from ingestion.models import Source
from ingestion.sources import MAX_SLUG_LENGTH

KINDS = [(kind, capfirst(label)) for kind, label in Source.Kind.choices if kind != Source.Kind.INTERNAL]
LOWEST_TRUST = 100


class _DepartmentField(forms.ModelChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            queryset=Department.objects.all(),
            required=False,
            label=_("Department"),
            empty_label=_("All departments"),
            help_text=_("Whose people see what this source brings."),
            **options,
        )


class NewSourceForm(forms.Form):
    """A system of the company that is going to send data."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("As people here call it."))
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS)
    department = _DepartmentField()
    slug = forms.SlugField(
        label=_("Short name"),
        required=False,
        max_length=MAX_SLUG_LENGTH,
        help_text=_("Small Latin letters, digits and hyphens; made from the name when empty. It never changes later."),
    )

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].lower()
        if slug and Source.objects.named(slug).exists():
            raise forms.ValidationError(_("Another source has this short name. Choose a different one."))
        return slug


class SourceForm(forms.Form):
    """What may change of a source."""

    name = forms.CharField(label=_("Name"), max_length=100)
    department = _DepartmentField()
    trust_rank = forms.IntegerField(
        label=_("Trust rank"),
        min_value=1,
        max_value=LOWEST_TRUST,
        help_text=_("1 is trusted most. Where sources disagree about a customer, the lower number wins."),
    )
    is_active = forms.BooleanField(
        label=_("Takes data"),
        required=False,
        help_text=_("When switched off its keys are refused; what it has brought stays."),
    )


class WriteKeyForm(forms.Form):
    """Where a new write key is going to be kept."""

    SECRET, PUBLIC = "secret", "public"

    access = forms.ChoiceField(
        label=_("Where will it be kept?"),
        choices=[
            (SECRET, _("On a server: secret, may say who somebody is")),
            (PUBLIC, _("In a browser or an app: public, adds behaviour and joins nobody")),
        ],
        initial=SECRET,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
