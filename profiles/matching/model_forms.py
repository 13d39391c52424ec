"""Forms of the pages about models."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from profiles.matching import lifecycle
from profiles.models import MatchModel


class ThresholdsForm(forms.Form):
    """Two scores in percent; which orders of them make sense is `lifecycle.choose_thresholds`'s."""

    attach = forms.DecimalField(
        label=_("Joined by itself from"),
        min_value=0,
        max_value=100,
        decimal_places=4,
        help_text=_("Percent. Above 50: names alone never join."),
    )
    review = forms.DecimalField(
        label=_("A person is asked from"),
        min_value=0,
        max_value=100,
        decimal_places=4,
        help_text=_("Percent. Pairs below are left alone."),
    )

    @classmethod
    def of(cls, model: MatchModel) -> "ThresholdsForm":
        """As the model has them now."""
        thresholds = {"attach": model.attach_threshold, "review": model.review_threshold}
        return cls(initial={name: round(100 * one, 4) for name, one in thresholds.items() if one is not None})

    def shares(self) -> dict[str, float]:
        """0–1, of a valid form."""
        return {name: float(value) / 100 for name, value in self.cleaned_data.items()}


class ActivationForm(forms.Form):
    """Why a model that learned from few labels is taken into use; asked for only then."""

    reason = forms.CharField(
        label=_("Why it is taken into use nevertheless"),
        max_length=lifecycle.LONGEST_REASON,
        required=False,
        help_text=_(
            "Kept with the model, for colleagues who ask later. Name no customer: no erasure would find it here."
        ),
    )

    def __init__(self, *args: Any, asks: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = asks
