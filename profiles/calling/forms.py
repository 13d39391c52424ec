"""What an agent writes during a call. Nothing of it is kept by the browser."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from profiles.calling import facts, newcomers, numbers
from profiles.calling.facts import Kind

_UNKEPT = {"autocomplete": "off", "spellcheck": "false"}


class NumberForm(forms.Form):
    """The number that calls."""

    number = forms.CharField(
        label=_("Number of the caller"),
        max_length=numbers.LONGEST,
        help_text=_("As the telephone shows it, in any format."),
        widget=forms.TextInput(attrs={**_UNKEPT, "type": "tel", "inputmode": "tel", "autofocus": True}),
    )


class FactsForm(forms.Form):
    """What the caller answers; a field for each fact that can be asked."""

    def __init__(self, *args: Any, askable: Iterable[Kind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in askable:
            question = facts.QUESTIONS[kind]
            self.fields[kind.value] = forms.CharField(
                label=str(question.text),
                help_text=str(question.hint),
                max_length=facts.LONGEST,
                required=False,
                widget=forms.TextInput(attrs=_UNKEPT),
            )

    @property
    def answers(self) -> dict[Kind, str]:
        return {Kind(name): said for name, said in self.cleaned_data.items() if said}


class NewcomerForm(forms.Form):
    """A caller whom nobody knows yet."""

    first_name = forms.CharField(
        label=_("First name"), max_length=newcomers.LONGEST_NAME, widget=forms.TextInput(attrs=_UNKEPT)
    )
    last_name = forms.CharField(
        label=_("Last name"), max_length=newcomers.LONGEST_NAME, required=False, widget=forms.TextInput(attrs=_UNKEPT)
    )
    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs={**_UNKEPT, "inputmode": "email"}),
    )
