"""The form of a rule."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consent.models import KeepingRule
from consent.models.retention import LEAST_DAYS, MOST_DAYS
from consent.retention import rules
from profiles.models import EventType, TraitGroup

_OF = {KeepingRule.Kind.TOUCHPOINTS: "event_type", KeepingRule.Kind.TRAITS: "trait_group"}


class RuleForm(forms.Form):
    """What a rule is about: its kind says whether a type, a group or neither belongs to it. A rule about the same is
    changed by it."""

    kind = forms.ChoiceField(label=_("What is kept"), choices=KeepingRule.Kind.choices)
    event_type = forms.ModelChoiceField(
        label=_("Type of touchpoint"), queryset=EventType.objects.all(), required=False,
        help_text=_("For touchpoints of a type."),
    )  # fmt: skip
    trait_group = forms.ModelChoiceField(
        label=_("Group of attributes"), queryset=TraitGroup.objects.none(), required=False,
        help_text=_("For values of a group. What identifies a customer goes with them."),
    )  # fmt: skip
    days = forms.IntegerField(
        label=_("Kept for (days)"), min_value=LEAST_DAYS, max_value=MOST_DAYS,
        help_text=_("At least 30. 365 are a year, 730 two, 1,826 five."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["trait_group"].queryset = rules.groups()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        wanted = _OF.get(cleaned.get("kind", ""))
        for name in _OF.values():
            if name != wanted:
                cleaned[name] = None
            elif cleaned.get(name) is None and name not in self.errors:
                self.add_error(name, _("Choose what the rule is about."))
        return cleaned
