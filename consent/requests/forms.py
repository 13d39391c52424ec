"""Forms of the pages of requests."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import User
from consent.forms import CHECK
from consent.models import DataSubjectRequest, MessageGateway, Purpose
from consent.requests import delegates, gateways, regimes
from consent.requests.identity import Way
from profiles.editing.fields import is_editable
from profiles.models import Trait

Kind = DataSubjectRequest.Kind
Check = DataSubjectRequest.IdentityCheck
# What a person of staff may say of how somebody was identified; codes and systems say it themselves.
SEEN = [choice for choice in Check.choices if choice[0] not in {Check.CODE, Check.SYSTEM}]


class ChangeForm(forms.Form):
    """What a rectification puts right."""

    trait = forms.ChoiceField(label=_("What should be put right?"), required=False, choices=[])
    value = forms.CharField(
        label=_("What is right?"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        traits = [one for one in Trait.objects.select_related("group").order_by("position", "name") if is_editable(one)]
        self.fields["trait"].choices = [("", "—"), *((one.name, str(one)) for one in traits)]  # type: ignore[attr-defined]

    @property
    def changes(self) -> dict[str, str]:
        """Trait → value; nothing when nothing was said."""
        trait, value = self.cleaned_data.get("trait", ""), self.cleaned_data.get("value", "").strip()
        return {trait: value} if trait and value else {}


class IntakeForm(ChangeForm):
    """A request as it came in."""

    profile = forms.UUIDField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=_("What does the customer ask for?"), choices=Kind.choices, initial=Kind.ERASURE)
    regime = forms.ChoiceField(label=_("Under which law?"), choices=[])
    received_at = forms.DateTimeField(
        label=_("When did the customer ask?"),
        help_text=_("The legal period runs from here."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    identity_checked = forms.ChoiceField(
        label=_("How was the customer identified?"),
        choices=[*SEEN, ("later", _("Not yet: a one-time code, or later"))],
        widget=forms.RadioSelect(attrs=CHECK),
    )
    proof_seen = forms.CharField(
        label=_("What was seen?"),
        max_length=200,
        required=False,
        help_text=_("The kind of document and its day; no numbers and no copy. Of a representative: the authority."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    purposes = forms.MultipleChoiceField(
        label=_("Which purposes?"),
        required=False,
        choices=[],
        help_text=_("Of an objection, a restriction or a withdrawal; none means all."),
        widget=forms.CheckboxSelectMultiple(attrs=CHECK),
    )
    note = forms.CharField(
        label=_("Remark"),
        max_length=500,
        required=False,
        help_text=_("Deleted with the customer's data."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    field_order = (
        "profile", "kind", "regime", "received_at", "identity_checked", "proof_seen", "purposes", "trait", "value",
        "note",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["regime"].choices = [(key, str(one)) for key, one in regimes.regimes().items()]  # type: ignore[attr-defined]
        self.fields["regime"].initial = settings.REQUEST_HOME_REGIME
        known = Purpose.objects.filter(is_active=True).exclude(basis=Purpose.Basis.LEGAL_OBLIGATION)
        self.fields["purposes"].choices = [(str(one.pk), str(one)) for one in known]  # type: ignore[attr-defined]

    def clean_received_at(self) -> datetime:
        received_at: datetime = self.cleaned_data["received_at"]
        if received_at > timezone.now():
            raise forms.ValidationError(_("The request cannot have been received in the future."))
        return received_at

    def clean_identity_checked(self) -> str:
        said: str = self.cleaned_data["identity_checked"]
        return "" if said == "later" else said

    @property
    def given(self) -> dict[str, Any]:
        """What `consent.requests.receive` takes. Purposes and changes count for the kinds that have them."""
        said = self.cleaned_data
        of_use = {Kind.OBJECTION, Kind.RESTRICTION, Kind.WITHDRAWAL}
        plain = ("kind", "regime", "received_at", "identity_checked", "proof_seen", "note")
        return {name: said[name] for name in plain} | {
            "purposes": [int(one) for one in said["purposes"]] if said["kind"] in of_use else [],
            "changes": self.changes if said["kind"] == Kind.RECTIFICATION else None,
        }


class RefusalForm(forms.Form):
    """Why a request is not carried out."""

    reason = forms.ChoiceField(label=_("Reason"), choices=[], widget=forms.RadioSelect(attrs=CHECK))
    explanation = forms.CharField(
        label=_("Explanation for the letter"),
        max_length=500,
        required=False,
        help_text=_("In the language of the person; without names."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        covered = DataSubjectRequest.Refusal.COVERED  # the erasure of another request says so itself
        self.fields["reason"].choices = [  # type: ignore[attr-defined]
            choice for choice in DataSubjectRequest.Refusal.choices if choice[0] != covered
        ]


class ExtensionForm(forms.Form):
    """Why the longer period is needed."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("The person is told it; without names."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class CodeForm(forms.Form):
    """Where a one-time code goes."""

    identifier = forms.TypedChoiceField(
        label=_("Send the code to"), coerce=int, choices=[], widget=forms.RadioSelect(attrs=CHECK)
    )

    def __init__(self, *args: Any, ways: list[Way], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        texts = {"email": _("e-mail"), "sms": _("SMS"), "line": _("LINE")}
        self.fields["identifier"].choices = [  # type: ignore[attr-defined]
            (way.identifier, f"{texts[way.channel]} {way.hint}") for way in ways
        ]
        if ways:
            self.fields["identifier"].initial = ways[0].identifier


class ProofForm(forms.Form):
    """A one-time code that was told."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}),
    )


class SeenForm(forms.Form):
    """How somebody was identified without a code."""

    identity_checked = forms.ChoiceField(
        label=_("How was the customer identified?"), choices=SEEN, widget=forms.RadioSelect(attrs=CHECK)
    )
    proof_seen = forms.CharField(
        label=_("What was seen?"),
        max_length=200,
        required=False,
        help_text=_("The kind of document and its day; no numbers and no copy. Of a representative: the authority."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class DelegateForm(forms.Form):
    """Who decides on requests for some days."""

    user = forms.ModelChoiceField(label=_("Who"), queryset=User.objects.none())
    since = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    until = forms.DateField(label=_("Until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["user"]
        field.queryset = delegates.candidates(by)  # type: ignore[attr-defined]
        field.label_from_instance = _named  # type: ignore[attr-defined]
        today: date = timezone.localdate()
        self.fields["since"].initial = today


def _named(user: User) -> str:
    return f"{user.get_full_name() or user.get_username()} ({user.department}, {user.get_role_display()})"


class GatewayForm(forms.Form):
    """A gateway of the company."""

    channel = forms.ChoiceField(label=_("Channel"), choices=MessageGateway.Channel.choices)
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://", "spellcheck": "false"}),
    )
    template = forms.CharField(
        label=_("Body"),
        max_length=2000,
        initial=gateways.EXAMPLE,
        help_text=_("An object of JSON; {to} and {text} are replaced."),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    header = forms.CharField(
        label=_("Header of the key"), max_length=60, required=False, help_text=_("Such as Authorization.")
    )
    secret = forms.CharField(
        label=_("Key"),
        max_length=500,
        required=False,
        help_text=_("Kept sealed and shown never again; empty keeps the one that is there."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    is_active = forms.BooleanField(
        label=_("In operation"), required=False, initial=True, widget=forms.CheckboxInput(attrs=CHECK)
    )


class GatewayTestForm(forms.Form):
    """To whom a test goes."""

    to = forms.CharField(
        label=_("Send a test to"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
