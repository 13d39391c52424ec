"""What a computed trait is called, and who sees it. The formula is written in the controls of the builder (`page`)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import User
from profiles.models import TraitGroup
from segments.models import ComputedTrait


class TraitForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100)
    name_th = forms.CharField(label=_("Name in Thai"), max_length=100, required=False)
    description = forms.CharField(label=_("What it is for"), max_length=300, required=False)
    group = forms.ModelChoiceField(
        label=_("Group of attributes"),
        queryset=TraitGroup.objects.none(),
        help_text=_("Who sees this group sees the trait, as far as they see what it is computed from."),
    )

    def __init__(self, *args: Any, author: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].queryset = TraitGroup.objects.visible_to(author).owned_by(author.department)  # type: ignore[attr-defined]

    @classmethod
    def initial_of(cls, trait: ComputedTrait | None) -> dict[str, Any]:
        if trait is None:
            return {"group": TraitGroup.objects.filter(slug="behavioural").values_list("pk", flat=True).first()}
        return {
            "name": trait.name,
            "name_th": trait.name_th,
            "description": trait.description,
            "group": trait.group_id,
        }
