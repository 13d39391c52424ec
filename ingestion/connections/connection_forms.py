"""Forms of the connections: databases that are asked, folders that are watched."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import User
from ingestion import mappings
from ingestion.files import presets
from ingestion.models import Pull, Source, WatchedFolder

LONGEST_PAUSE = 7 * 24 * 60  # minutes


class _ConnectionForm(forms.Form):
    """What both have: whose data it is, and how its columns are read."""

    source = forms.ModelChoiceField(queryset=Source.objects.none(), label=_("Source"))
    mapping_name = forms.ChoiceField(
        label=_("Mapping"), help_text=_("Import one file by hand first: its mapping is saved and can be chosen here.")
    )
    is_active = forms.BooleanField(label=_("Switched on"), required=False, initial=True)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        source, mapping_name = self.fields["source"], self.fields["mapping_name"]
        if isinstance(source, forms.ModelChoiceField) and isinstance(mapping_name, forms.ChoiceField):
            source.queryset = Source.objects.visible_to(user).external()
            saved = [(name, name) for name in mappings.all_names()]
            shipped = [(name, presets.title(name)) for name in presets.load()]
            mapping_name.choices = [("", "—"), (_("Saved mappings"), saved), (_("Presets"), shipped)]


class PullForm(_ConnectionForm):
    """A table or query of a company's own database."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("As people here call it."))
    address = forms.CharField(
        label=_("Address of the database"),
        max_length=1_000,
        help_text=_(
            "postgresql://user:password@host:5432/database; also mysql and mssql. Kept encrypted, never shown."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    relation = forms.CharField(
        label=_("Table, or a SELECT"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "mono"}),
    )
    cursor_column = forms.CharField(
        label=_("Cursor column"),
        max_length=128,
        help_text=_("A number or time that grows with every new or changed row, such as updated_at."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    every_minutes = forms.IntegerField(label=_("Ask every … minutes"), min_value=1, max_value=LONGEST_PAUSE, initial=60)

    field_order = (
        "name",
        "source",
        "address",
        "relation",
        "cursor_column",
        "mapping_name",
        "every_minutes",
        "is_active",
    )

    @classmethod
    def of(cls, pull: Pull | None, *, user: User, data: Any = None) -> "PullForm":
        """Filled with what is known; a held address stays when the field is left empty."""
        names = ("name", "source", "relation", "cursor_column", "mapping_name", "every_minutes", "is_active")
        initial = {} if pull is None else {name: getattr(pull, name) for name in names}
        form = cls(data, initial=initial, user=user)
        if pull is not None:
            form.fields["address"].required = False
            form.fields["address"].help_text = _("Empty: it stays %(address)s.") % {"address": pull.shown_address}
        return form


class FolderForm(_ConnectionForm):
    """A folder in which files arrive."""

    path = forms.CharField(
        label=_("Folder"),
        max_length=400,
        help_text=_("As the server sees it; a mounted SFTP folder is one like any other."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    pattern = forms.CharField(
        label=_("File names"),
        max_length=100,
        initial="*",
        help_text=_("* stands for any letters: members-*.csv. Others are left where they are."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )

    field_order = ("source", "path", "pattern", "mapping_name", "is_active")

    @classmethod
    def of(cls, folder: WatchedFolder | None, *, user: User, data: Any = None) -> "FolderForm":
        names = ("source", "path", "pattern", "mapping_name", "is_active")
        return cls(data, initial={} if folder is None else {name: getattr(folder, name) for name in names}, user=user)
