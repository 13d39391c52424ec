"""The form in which a list is asked for."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import User
from consent.models import Channel, Purpose
from segments.exports import formats
from segments.exports.asking import MOST_HELD_OUT, Wish
from segments.exports.columns import DEFAULT, offered
from segments.models import SegmentExport

_LISTS = tuple(kind for kind, form in formats.FORMATS.items() if not form.is_platform)


def _choices() -> list[Any]:
    labels = dict(SegmentExport.Format.choices)
    return [
        (_("Lists"), [(kind, labels[kind]) for kind in formats.FORMATS if kind in _LISTS]),
        (_("Ad and message platforms"), [(kind, labels[kind]) for kind in formats.FORMATS if kind not in _LISTS]),
    ]


class ExportForm(forms.Form):
    """On what ground a list leaves, in what form, by which channel it will be used, and who is held out to measure."""

    purpose = forms.ModelChoiceField(
        label=_("Purpose"), queryset=Purpose.objects.filter(is_active=True), empty_label=_("Choose…")
    )
    format = forms.ChoiceField(label=_("Form"), choices=_choices, initial=SegmentExport.Format.CSV)
    channel = forms.ChoiceField(
        label=_("Channel"),
        required=False,
        choices=[("", _("Choose…")), *Channel.choices],
        help_text=_("By which the list will be used. Platforms have their own: their files hold what they ask for."),
    )
    columns = forms.MultipleChoiceField(label=_("Columns"), required=False, widget=forms.CheckboxSelectMultiple)
    holdout_percent = forms.IntegerField(
        label=_("Held out, percent"),
        initial=10,
        min_value=0,
        max_value=MOST_HELD_OUT,
        help_text=_(
            "So many stay out by lot. After 14 days both groups are compared, and you see what the list brought."
        ),
    )
    outcome = forms.ChoiceField(
        label=_("What counts as success"),
        choices=SegmentExport.Outcome.choices,
        initial=SegmentExport.Outcome.ORDERS,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        columns = self.fields["columns"]
        columns.choices = list(offered(by).items())  # type: ignore[attr-defined]
        columns.initial = list(DEFAULT)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("format") in _LISTS and not given.get("channel"):
            self.add_error("channel", _("Choose the channel by which the list will be used."))
        return given

    @property
    def wish(self) -> Wish:
        """What a valid form asks for."""
        given = self.cleaned_data
        is_list = given["format"] in _LISTS
        chosen = set(given["columns"])
        offered_names = [name for name, _label in self.fields["columns"].choices]  # type: ignore[attr-defined]
        return Wish(
            purpose=given["purpose"],
            format=given["format"],
            channel=given["channel"] if is_list else "",
            columns=[name for name in offered_names if name in chosen] if is_list else (),
            holdout_percent=given["holdout_percent"],
            outcome=given["outcome"],
        )
