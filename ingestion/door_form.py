"""The form of a source's doors: which web pages may send to it, and how much."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ingestion.tracking.origins import check_origin

MOST_ORIGINS = 50
FASTEST = 1_000_000  # messages a second; more than any machine takes


class DoorForm(forms.Form):
    """Who may send to a source from a browser, and how fast everybody together."""

    allowed_origins = forms.CharField(
        label=_("Web pages that may send"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "placeholder": "https://shop.example.com"}),
        help_text=_(
            "One address a line, without a path. A public key works from these pages only; without any, no page can "
            "read the answers."
        ),
    )
    rate_per_second = forms.IntegerField(
        label=_("Messages a second"),
        required=False,
        min_value=1,
        max_value=FASTEST,
        help_text=_("What is above it is asked to come again later. Empty: the platform's own limit, if it has one."),
    )

    def clean_allowed_origins(self) -> list[str]:
        """The lines, each an origin, each once."""
        lines = dict.fromkeys(line.strip() for line in self.cleaned_data["allowed_origins"].splitlines())
        origins = [line for line in lines if line]
        if len(origins) > MOST_ORIGINS:
            raise ValidationError(_("At most %(most)s addresses."), params={"most": MOST_ORIGINS})
        for origin in origins:
            check_origin(origin)
        return origins
