"""Forms of the profiles app."""

from django import forms
from django.utils.translation import gettext_lazy as _

from profiles import notes


class NoteForm(forms.Form):
    """A note about a customer."""

    text = forms.CharField(
        label=_("Note"),
        max_length=notes.LONGEST,
        widget=forms.Textarea(
            attrs={
                "rows": 2,
                "placeholder": _("What should a colleague know?"),
                "data-key": "KeyN",
                "data-key-name": "N",
                "data-key-label": _("Write a note"),
            }
        ),
    )
