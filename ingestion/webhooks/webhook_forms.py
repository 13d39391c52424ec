"""Forms of webhooks: one per kind, with the fields of its settings, and the secret beside them."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core.outgoing import MAX_URL_LENGTH
from ingestion import mappings, vocabulary
from ingestion.models import Source, Webhook
from ingestion.webhooks.endpoints import LONGEST_SECRET
from ingestion.webhooks.signatures import ALGORITHMS, ENCODINGS

_CODE: Final = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off", "class": "form-control mono"}


class SecretForm(forms.Form):
    """The secret by which reports are known to be genuine."""

    secret = forms.CharField(
        label=_("Shared secret"),
        max_length=LONGEST_SECRET,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("It is stored encrypted and never shown again."),
    )

    def __init__(self, *args: Any, kind: str, **options: Any) -> None:
        super().__init__(*args, **options)
        if kind == Webhook.Kind.GENERIC:
            field = self.fields["secret"]
            field.required = False
            field.help_text = _("Empty: a secret is made here and shown once, for you to enter in the other system.")


class _SettingsForm(forms.Form):
    """Settings of a webhook of `source`; `cleaned_data` is what `endpoints.make` and `change` take."""

    def __init__(self, *args: Any, source: Source, **options: Any) -> None:
        super().__init__(*args, **options)
        self.source = source


class ShopifyForm(_SettingsForm):
    """What of a Shopify shop is taken."""

    purpose = forms.ChoiceField(
        label=_("Marketing consent"),
        required=False,
        help_text=_("Shopify keeps a customer's consent for e-mail and SMS. It is recorded here for this purpose."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        purposes = [(slug, label) for slug, label in vocabulary.consent()[0]]
        field = self.fields["purpose"]
        field.choices = [("", _("Is not taken from Shopify")), *purposes]  # type: ignore[attr-defined]
        if "purpose" not in self.initial and "marketing" in dict(purposes):
            field.initial = "marketing"


class LineForm(_SettingsForm):
    """What of a LINE official account is kept, and who else gets its reports."""

    keep_text = forms.BooleanField(
        label=_("Keep what people write"),
        required=False,
        initial=True,
        help_text=_("Switched off, only that a message came is kept. Tokens for answering are never kept."),
    )
    relay_url = forms.CharField(
        label=_("Address of your chatbot"),
        required=False,
        max_length=MAX_URL_LENGTH,
        widget=forms.URLInput(attrs=_CODE | {"placeholder": "https://bot.example.com/line"}),
        help_text=_("LINE knows one webhook only. Every report goes on to this address at once, unchanged and signed."),
    )


class GenericForm(_SettingsForm):
    """How another system signs, and what its JSON means."""

    mapping = forms.ChoiceField(
        label=_("Mapping"), help_text=_("Says what the JSON means. Mappings are saved when a JSON file is imported.")
    )
    list_path = forms.CharField(
        label=_("Where the rows are"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=_CODE | {"placeholder": "data.items"}),
        help_text=_("Path of a list in the JSON. Empty: the report is one row, or a list of rows."),
    )
    id_path = forms.CharField(
        label=_("A row's own id"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=_CODE | {"placeholder": "id"}),
        help_text=_("Path within a row; the same id is taken once. Empty: the same report is taken once."),
    )
    header = forms.CharField(
        label=_("Header of the signature"), max_length=60, initial="X-Signature", widget=forms.TextInput(attrs=_CODE)
    )
    signature_prefix = forms.CharField(
        label=_("Text before the signature"),
        required=False,
        max_length=40,
        strip=False,
        widget=forms.TextInput(attrs=_CODE | {"placeholder": "sha256="}),
    )
    algorithm = forms.ChoiceField(
        label=_("Algorithm"), choices=[(name, f"HMAC-{name.upper()}") for name in ALGORITHMS], initial="sha256"
    )
    encoding = forms.ChoiceField(label=_("Written as"), choices=[(name, name) for name in ENCODINGS], initial="hex")
    timestamp_header = forms.CharField(
        label=_("Header of the time"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs=_CODE | {"placeholder": "X-Timestamp"}),
        help_text=_("When the system signs “time.body” (Unix seconds): reports older than 5 minutes are refused."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = mappings.names_for(self.source)
        self.fields["mapping"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]


FORMS: Final[dict[str, type[_SettingsForm]]] = {
    Webhook.Kind.SHOPIFY: ShopifyForm,
    Webhook.Kind.LINE: LineForm,
    Webhook.Kind.GENERIC: GenericForm,
}
