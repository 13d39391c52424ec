"""Forms of the lists' pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import Department, User
from ingestion.models import Source
from segments.lists import finding

KIND_LABELS = {
    "email": _("E-mail addresses"),
    "phone": _("Phone numbers"),
    "member": _("Member numbers"),
    "line": _("LINE ids"),
    "user": _("Customer numbers of a source"),
}
LONGEST_TEXT = 1_500_000  # characters that are pasted; the form as a whole stays below Django's 2 MB


class UploadForm(forms.Form):
    """Ids of customers, pasted or in a file."""

    kind = forms.ChoiceField(label=_("What the ids are"))
    source = forms.ModelChoiceField(
        queryset=Source.objects.none(),
        required=False,
        label=_("Whose numbers"),
        empty_label=_("any source's"),
        help_text=_("For numbers that a source gives out: two sources may give the same number to two people."),
    )
    ids = forms.CharField(
        label=_("Ids"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("One a line, or between commas."),
    )
    file = forms.FileField(
        label=_("Or a file"),
        required=False,
        help_text=_("CSV, TSV or XLSX. It is read once and not kept."),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.zip,.gz,text/csv"}),
    )
    column = forms.CharField(
        label=_("Column of the file"),
        required=False,
        max_length=200,
        help_text=_("Empty: the first one that is called like such ids, else the first."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind, source = self.fields["kind"], self.fields["source"]
        if isinstance(kind, forms.ChoiceField) and isinstance(source, forms.ModelChoiceField):
            kind.choices = [(one, KIND_LABELS[one]) for one in finding.kinds_for(user)]
            source.queryset = Source.objects.visible_to(user).external()

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        has_text, has_file = bool((said.get("ids") or "").strip()), bool(said.get("file"))
        if has_text and has_file:
            self.add_error("file", _("Paste ids or choose a file, not both."))
        elif not has_text and not has_file and not self.errors:
            self.add_error("ids", _("Paste ids, or choose a file."))
        return said


class NewListForm(UploadForm):
    """A list that is made of them."""

    name = forms.CharField(label=_("Name"), max_length=120)
    for_everybody = forms.BooleanField(label=_("Other departments may use it, too"), required=False)
    field_order = ("name", "kind", "source", "ids", "file", "column", "for_everybody")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        self.home: Department | None = user.department
        if self.home is None:
            del self.fields["for_everybody"]  # who has no department writes for everybody

    @property
    def department(self) -> Department | None:
        return None if self.cleaned_data.get("for_everybody", True) else self.home


class ChangeListForm(UploadForm):
    """More of them, or others."""

    replaces = forms.TypedChoiceField(
        label=_("Those who are on it now"),
        choices=[("no", _("stay on it")), ("yes", _("are taken off, unless they are among these"))],
        coerce=lambda value: value == "yes",
        initial="no",
        widget=forms.RadioSelect,
    )
    field_order = ("kind", "source", "ids", "file", "column", "replaces")


class RenameForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
