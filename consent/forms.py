"""Forms of the consent screens."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cdp_site.core.hashing import keyed
from consent.ledger import Evidence
from consent.models import Purpose
from consent.wording import EVIDENCE

CHECK = {"class": "form-check-input"}
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def mark_of(address: str) -> str:
    """What stands for an address in a form."""
    return keyed(address, purpose="consent.answer").hex()[:24]


class AnswerForm(forms.Form):
    """What the customer said, and how we know. `overrules` names the denial that the form has shown."""

    evidence = forms.ChoiceField(label=_("How did the customer tell you?"), choices=[])
    reference = forms.CharField(
        label=_("Reference"),
        max_length=40,
        required=False,
        help_text=_("Number of the call or form; no names."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    addresses = forms.MultipleChoiceField(
        label=_("For which address?"),
        required=False,
        choices=[],
        widget=forms.CheckboxSelectMultiple(attrs=CHECK),
    )
    by_guardian = forms.BooleanField(
        label=_("A parent or guardian said it for a minor"),
        required=False,
        widget=forms.CheckboxInput(attrs=CHECK),
    )
    overrules = forms.UUIDField(required=False, widget=forms.HiddenInput)
    answer = forms.ChoiceField(choices=[("grant", ""), ("deny", "")])

    def __init__(self, *args: Any, addresses: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["evidence"].choices = [(way, EVIDENCE[way]) for way in Evidence]  # type: ignore[attr-defined]
        # The page knows an address by its mark: who sees it masked must not find it in the source of the page.
        self._by_mark = {mark_of(value): value for value, _text in addresses}
        self.all_addresses = list(self._by_mark.values())
        marks = [(mark_of(value), text) for value, text in addresses]
        self.fields["addresses"].choices = marks  # type: ignore[attr-defined]
        self.fields["addresses"].initial = list(self._by_mark)
        if len(addresses) < 2:
            del self.fields["addresses"]

    @property
    def chosen(self) -> list[str]:
        """The addresses that were ticked; the only one when there is but one."""
        chosen = [self._by_mark[mark] for mark in self.cleaned_data.get("addresses", [])]
        return chosen or (self.all_addresses if len(self.all_addresses) == 1 else [])

    @property
    def is_partial(self) -> bool:
        """Whether the answer is about some addresses and not about others."""
        return 0 < len(self.chosen) < len(self.all_addresses)

    @property
    def how(self) -> Evidence:
        return Evidence(self.cleaned_data["evidence"])

    @property
    def named_denial(self) -> UUID | None:
        denial: UUID | None = self.cleaned_data["overrules"]
        return denial


class TrailForm(forms.Form):
    """Filters of the audit. The days are whole ones in the company's time zone, the last one included."""

    action = forms.ChoiceField(label=pgettext_lazy("audit", "Action"), required=False, choices=[])
    actor = forms.ChoiceField(label=_("Who"), required=False, choices=[])
    kind = forms.ChoiceField(label=_("Kind of object"), required=False, choices=[])
    target = forms.CharField(label=_("Object"), required=False, max_length=64)
    since = forms.DateField(label=_("From"), required=False, widget=DAY)
    until = forms.DateField(label=pgettext_lazy("last day", "To"), required=False, widget=DAY)

    def __init__(
        self, *args: Any, actions: list[str], actors: list[tuple[str, str]], kinds: list[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["action"].choices = [("", _("Every action")), *((one, one) for one in actions)]  # type: ignore[attr-defined]
        self.fields["actor"].choices = [("", _("Everybody")), *actors]  # type: ignore[attr-defined]
        self.fields["kind"].choices = [("", _("Every kind")), *((one, one) for one in kinds)]  # type: ignore[attr-defined]

    @property
    def filters(self) -> dict[str, Any]:
        """What was chosen; nothing of a form in which something does not fit."""
        return {name: value for name, value in self.cleaned_data.items() if value} if self.is_valid() else {}

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """The same as a form sends it."""
        return [(name, str(value)) for name, value in self.filters.items()]


class TermsForm(forms.Form):
    """How long consents to a purpose hold, and whose count."""

    months = forms.IntegerField(
        label=_("Consent holds for how many months?"),
        required=False,
        min_value=1,
        max_value=240,
        help_text=_("Empty: until it is withdrawn. A consent that is older counts no more, at once."),
    )
    young = forms.ChoiceField(
        label=_("Who consents for a minor?"),
        choices=Purpose.Young.choices,
        widget=forms.RadioSelect(attrs=CHECK),
    )
    is_sharing = forms.BooleanField(
        label=_("This is a sale or sharing of data (CCPA): a browser that sends Sec-GPC: 1 refuses it"),
        required=False,
        widget=forms.CheckboxInput(attrs=CHECK),
    )


class NoticeForm(forms.Form):
    """A new version of what people read."""

    version = forms.RegexField(
        label=_("Version"),
        regex=r"^[0-9A-Za-z._-]{1,40}$",
        help_text=_("Such as 2026-11. Events and files name it as notice_version."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    text_th = forms.CharField(label=_("Text in Thai"), max_length=5000, widget=forms.Textarea(attrs={"rows": 6}))
    text = forms.CharField(label=_("Text in English"), max_length=5000, widget=forms.Textarea(attrs={"rows": 6}))
