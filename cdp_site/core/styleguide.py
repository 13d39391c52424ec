"""`/styleguide`: every component in every state, in both themes, for whoever builds a page."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_GET

from cdp_site.core.access import requires
from cdp_site.core.context import THEMES

# Names of the design tokens that hold a colour (static/css/tokens.css).
COLOURS = (
    *("bg", "surface", "sunken", "line", "control-line", "ink", "ink-secondary", "hover", "mark"),
    *("accent", "accent-bg", "ok", "ok-bg", "danger", "danger-bg", "warn", "warn-bg"),
)
SPACES = (4, 8, 12, 16, 24, 32)


class Example(forms.Form):
    """One field of each kind; two of them are filled in wrongly."""

    name = forms.CharField(label=_("Name"), help_text=_("As people call it."))
    email = forms.EmailField(label=_("E-mail"))
    purpose = forms.ChoiceField(label=_("Purpose"), choices=[("", _("Choose…")), ("marketing", _("Marketing"))])
    remark = forms.CharField(label=_("Remark"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    since = forms.DateField(label=_("Since"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    way = forms.ChoiceField(
        label=pgettext_lazy("example", "How"),
        choices=[("phone", _("By phone")), ("store", _("In a store"))],
        initial="phone",
        widget=forms.RadioSelect,
    )
    channels = forms.MultipleChoiceField(
        label=_("Channels"),
        choices=[("email", _("E-mail")), ("sms", _("Text message"))],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    agrees = forms.BooleanField(label=_("The customer agrees"), required=False)
    locked = forms.CharField(label=_("Cannot be changed"), required=False, disabled=True, initial="W-10442")


def _example(theme: str) -> Example:
    """Filled in with mistakes; ids differ between the two copies on the page."""
    wrong = {"name": "", "email": "somchai@", "purpose": "marketing", "way": "phone", "channels": ["email"]}
    return Example(wrong, auto_id=f"{theme}_%s")


@requires()
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {
        "copies": [{"shown": theme, "form": _example(theme)} for theme in THEMES],
        "colours": COLOURS,
        "spaces": SPACES,
        "now": timezone.now(),
        "today": timezone.localdate(),
    }
    return render(request, "core/style.html", context)
