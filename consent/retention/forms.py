"""The form of a rule."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consent.models import KeepingRule
from consent.retention import rules
from profiles.models import EventType

_OF = {KeepingRule.Kind.TOUCHPOINTS: "event_type", KeepingRule.Kind.TRAITS: "trait_group"}


class RuleForm(forms.ModelForm):
    """Of what a rule is: its kind says whether a type, a group or neither belongs to it."""

    class Meta:
        model = KeepingRule
        fields = ("kind", "event_type", "trait_group", "days")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["event_type"].queryset = EventType.objects.all()  # type: ignore[attr-defined]
        self.fields["trait_group"].queryset = rules.groups()  # type: ignore[attr-defined]
        self.fields["event_type"].help_text = _("For touchpoints of a type.")
        self.fields["trait_group"].help_text = _("For values of a group. What identifies a customer goes with them.")
        self.fields["days"].help_text = _("At least 30. 365 are a year, 730 two, 1,826 five.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        wanted = _OF.get(cleaned.get("kind", ""))
        for name in _OF.values():
            if name != wanted:
                cleaned[name] = None
            elif cleaned.get(name) is None and name not in self.errors:
                self.add_error(name, _("Choose what the rule is about."))
        return cleaned

    def validate_unique(self) -> None:
        """A rule about the same is changed, not refused."""

    def validate_constraints(self) -> None:
        """As above; what belongs to which kind `clean` has seen to."""
