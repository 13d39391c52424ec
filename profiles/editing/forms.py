"""The form of a trait, or of all the parts of a name or an address."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from profiles.editing.fields import Editable, Field
from profiles.editing.reading import LONGEST, Unreadable

_INPUT_MODES = {"phone": "tel", "email": "email", "postcode": "numeric"}


class TraitForm(forms.Form):
    """One field a trait; what is wrong with a value is for `reading` to say."""

    def __init__(self, data: Any = None, *, editable: Editable) -> None:
        super().__init__(data, auto_id="edit-%s", prefix="trait")
        self.editable = editable
        for one in editable.fields:
            self.fields[one.trait.name] = _form_field(one, is_focused=one.trait == editable.trait)

    @property
    def said(self) -> dict[str, str]:
        """Trait → what was typed, of those that were asked for."""
        names = {one.trait.name: self.add_prefix(one.trait.name) for one in self.editable.fields}
        return {trait: self.data[name] for trait, name in names.items() if name in self.data}

    @property
    def is_single(self) -> bool:
        """Whether one trait is asked for: its name is beside the form already."""
        return len(self.fields) == 1

    def tell(self, problem: Unreadable) -> None:
        """Show what is wrong, each with its field."""
        self.full_clean()
        for trait, text in problem.problems.items():
            self.add_error(trait if trait in self.fields else None, str(text))


def _form_field(one: Field, *, is_focused: bool) -> forms.Field:
    focus = {"data-focus": True} if is_focused else {}
    hint = _("Leave it empty to keep %(value)s.") % {"value": one.hidden} if one.is_hidden else ""
    if one.choices:
        return forms.ChoiceField(
            choices=list(one.choices),
            label=str(one.trait),
            initial=one.text,
            required=False,
            help_text=hint,
            widget=forms.Select(attrs=focus),
        )
    mode = _INPUT_MODES.get(one.trait.name)
    attrs = {"autocomplete": "off", "maxlength": LONGEST, **focus, **({"inputmode": mode} if mode else {})}
    return forms.CharField(
        label=str(one.trait),
        initial=one.text,
        required=False,
        help_text=hint or _hint(one),
        widget=forms.TextInput(attrs=attrs),
    )


def _hint(one: Field) -> str:
    if one.trait.data_type == one.trait.DataType.DATE:
        return _("Day, month, year; either era.")
    if one.trait.data_type == one.trait.DataType.LIST or one.trait.name in ("email", "phone"):
        return _("Several with commas between them.")
    return ""
