"""Forms of the import screens; the mapping itself is `mapping_form`."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import User
from ingestion.models import FileImport, Source

ENCODINGS = [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8 (BOM)"), ("cp874", "TIS-620, Windows-874")]
DELIMITERS = [(",", _("comma")), (";", _("semicolon")), ("\t", _("tab")), ("|", _("vertical bar"))]


class UploadForm(forms.Form):
    """A file of a source."""

    source = forms.ModelChoiceField(
        queryset=Source.objects.none(), label=_("Source"), help_text=_("The system that the file was exported from.")
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, TSV, XLSX, or JSON with one object a line; also packed as ZIP or gzip."),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.jsonl,.ndjson,.json,.xlsx,.zip,.gz,text/csv"}),
        error_messages={"required": _("Choose a file.")},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["source"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = Source.objects.visible_to(user).external().active()


class FileFormatForm(forms.Form):
    """What a file is, where it was detected wrongly."""

    sheet = forms.CharField(label=_("Sheet"), required=False)
    encoding = forms.ChoiceField(label=_("Encoding"), choices=ENCODINGS)
    delimiter = forms.ChoiceField(label=_("Columns are separated by"), choices=DELIMITERS, required=False)
    has_header = forms.BooleanField(label=_("The first row names the columns"), required=False)

    @property
    def encoding_label(self) -> str:
        return dict(ENCODINGS)[self.initial["encoding"]]

    @classmethod
    def of(cls, file_import: FileImport) -> "FileFormatForm":
        """Filled with what is known now; a JSON file has neither delimiter nor header, only a workbook has sheets, and
        its cells are in no encoding."""
        form = cls(
            initial={
                "sheet": file_import.sheet,
                "encoding": file_import.encoding,
                "delimiter": file_import.delimiter,
                "has_header": file_import.has_header,
            }
        )
        if file_import.format != "csv":
            del form.fields["delimiter"]
            del form.fields["has_header"]
        if file_import.sheets:
            form.fields["sheet"].widget = forms.Select(choices=[(name, name) for name in file_import.sheets])
            form.fields["encoding"].widget = form.fields["delimiter"].widget = forms.HiddenInput()
        else:
            del form.fields["sheet"]
        return form
