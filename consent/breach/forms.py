"""Forms of the breach helper."""

from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.breach import finding, leaks
from consent.models import Breach, Channel, Purpose

MOMENT = {"type": "datetime-local"}
NO_NAMES = _("No names of customers.")


def _moment() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs=MOMENT, format="%Y-%m-%dT%H:%M")


class BreachForm(forms.Form):
    """What leaked, and since when it is known."""

    kind = forms.ChoiceField(label=_("What leaked?"), choices=[])
    reference = forms.CharField(label=_("Which one?"), required=False, max_length=64)
    file = forms.FileField(label=_("The list as a file"), required=False, help_text=_("Text or CSV, up to 10 MB."))
    pasted = forms.CharField(
        label=_("Or its lines"),
        required=False,
        max_length=200_000,
        help_text=_("It is read once, and not kept."),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )
    since = forms.DateTimeField(label=_("In the wrong hands from"), required=False, widget=_moment())
    until = forms.DateTimeField(label=_("In the wrong hands to"), required=False, widget=_moment())
    noticed_at = forms.DateTimeField(
        label=_("When did you notice?"), help_text=_("The 72 hours run from here."), widget=_moment()
    )
    what = forms.CharField(
        label=_("What happened?"), max_length=500, help_text=NO_NAMES, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = leaks.kinds()
        self.fields["kind"].choices = [(leak.key, leak.title) for leak in known]  # type: ignore[attr-defined]
        hints = [f"{leak.title}: {leak.hint}" for leak in known if leak.key != leaks.LIST]
        self.fields["reference"].help_text = " ".join(hints)
        self.fields["noticed_at"].initial = timezone.now

    @property
    def said(self) -> dict[str, Any]:
        """What `recording.record` takes."""
        names = ("kind", "reference", "since", "until", "noticed_at", "what")
        return {name: self.cleaned_data[name] for name in names} | {"text": self._list()}

    def _list(self) -> str:
        file = self.cleaned_data["file"]
        return str(self.cleaned_data["pasted"] if file is None else finding.text_of(file.read(finding.MOST_BYTES + 1)))


class JudgeForm(forms.ModelForm):
    """How high the risk is, and what was done."""

    class Meta:
        model = Breach
        fields = ("risk", "data", "measures")
        labels: ClassVar = {"risk": _("Risk"), "data": _("Which data?"), "measures": _("What was done?")}
        widgets: ClassVar = {"measures": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("data", "measures"):
            self.fields[name].help_text = NO_NAMES


class ListForm(forms.Form):
    """For what and by what the affected are written to: the gate is asked for exactly that."""

    purpose = forms.ModelChoiceField(label=_("Purpose"), queryset=Purpose.objects.none())
    channel = forms.ChoiceField(label=_("Channel"), choices=Channel.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A notice that the law demands is no marketing: purposes that rest on consent are not offered.
        needed = Purpose.objects.filter(is_active=True).exclude(basis=Purpose.Basis.CONSENT)
        self.fields["purpose"].queryset = needed  # type: ignore[attr-defined]
