"""Forms of the health of sources: what is watched, who is told, how long what came raw is kept."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from cdp_site.core import outgoing
from cdp_site.core.models import Department
from ingestion.health.retention import Days
from ingestion.models import AlertRecipient, WatchRule

LONGEST_DAYS = 3_650


class WatchRuleForm(forms.ModelForm):
    """A switch for each kind of alert, and its limit."""

    class Meta:
        model = WatchRule
        fields: ClassVar = [
            "silence",
            "silence_hours",
            "quarantine",
            "quarantine_percent",
            "backlog",
            "backlog_minutes",
            "imports",
            "clock",
            "clock_minutes",
        ]
        help_texts: ClassVar = {
            "silence_hours": _("Hours. Empty: longer than it usually is, by what it sent in the last two weeks."),
            "quarantine_percent": _("Of 100 messages of an hour; at least 20 messages."),
            "backlog_minutes": _("Minutes. An import may wait twelve times as long."),
            "clock_minutes": _("Minutes; also when many messages are dated in the future."),
        }

    @property
    def pairs(self) -> list[tuple[forms.BoundField, forms.BoundField | None]]:
        """Each switch with its limit, in the order of the page."""
        limits = {
            "silence": "silence_hours",
            "quarantine": "quarantine_percent",
            "backlog": "backlog_minutes",
            "imports": None,
            "clock": "clock_minutes",
        }
        return [(self[switch], self[limit] if limit else None) for switch, limit in limits.items()]


class RetentionForm(forms.Form):
    """Days for which each is kept; of a source an empty field means the company's number."""

    quarantine_days = forms.IntegerField(
        label=_("Held-back messages"),
        min_value=1,
        max_value=LONGEST_DAYS,
        help_text=_("Days. Then what such a message says is removed; that it came stays counted."),
    )
    file_days = forms.IntegerField(
        label=_("Imported files"),
        min_value=1,
        max_value=LONGEST_DAYS,
        help_text=_("Days. The record of the import stays, without its file."),
    )
    batch_days = forms.IntegerField(
        label=_("List of received batches"),
        min_value=1,
        max_value=LONGEST_DAYS,
        help_text=_("Days. Then only sums by the hour are kept; the account stays exact."),
    )

    def __init__(self, *args: Any, company: Days | None = None, **options: Any) -> None:
        """`company` are the numbers that hold where a source has none; without it the form is the company's own."""
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            field.required = company is None
            if company is not None:
                field.widget.attrs["placeholder"] = getattr(company, name)


class RecipientForm(forms.Form):
    """Somebody who is told of alerts."""

    channel = forms.ChoiceField(
        label=_("How"),
        choices=AlertRecipient.Channel.choices,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        initial=AlertRecipient.Channel.EMAIL,
    )
    address = forms.CharField(
        label=_("Address"), max_length=500, help_text=_("A mailbox, or a web address that begins with https://.")
    )
    department = forms.ModelChoiceField(
        queryset=Department.objects.all(),
        required=False,
        label=_("Alerts about"),
        empty_label=_("All sources"),
        help_text=_("Of a department: its own sources and the common ones."),
    )
    language = forms.ChoiceField(label=_("Language of mails"), choices=settings.LANGUAGES)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        address = cleaned.get("address", "").strip()
        if cleaned.get("channel") == AlertRecipient.Channel.EMAIL and address:
            try:
                validate_email(address)
            except forms.ValidationError as error:
                self.add_error("address", error)
        elif address:
            try:
                outgoing.check(address)
            except outgoing.RefusedAddress as refusal:
                self.add_error("address", str(refusal.message))
        return cleaned
