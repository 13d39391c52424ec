"""What can be wrong with a file, a row, a mapping: the wording for people."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import MendableError, Text
from ingestion.files.codes import FileCode, MappingCode, RowProblem
from ingestion.normalise.values import Problem

ROW_TEXTS: dict[str, Text] = {
    RowProblem.NUL: _("It holds a NUL byte"),
    RowProblem.ENCODING: _("Its characters are not in the encoding of the file"),
    RowProblem.TOO_LONG: _("It is longer than 1 MB"),
    RowProblem.UNCLOSED_QUOTE: _("A quotation mark is opened and not closed"),
    RowProblem.QUOTE: _("There is text behind a closing quotation mark"),
    RowProblem.COLUMNS: _("It has another number of columns than the header"),
    RowProblem.NOT_JSON: _("It is not valid JSON"),
    RowProblem.NOT_OBJECT: _("It is not a JSON object"),
    RowProblem.NO_ID: _("The record id is empty"),
    RowProblem.ID_TOO_LONG: _("An id is longer than 200 characters"),
    RowProblem.TIME: _("The time cannot be read"),
    RowProblem.NUMBER: _("A number cannot be read"),
    RowProblem.CONSENT: _("The value of a consent column is neither yes nor no"),
    RowProblem.VALUE: _("The value is not in the list of values"),
    RowProblem.NO_EVENT: _("The name of the event is empty"),
    RowProblem.UNSTORABLE: _("It holds a character or number that cannot be stored"),
}


FILE_TEXTS: dict[str, Text] = {
    FileCode.EMPTY: _("The file is empty."),
    FileCode.NO_ROWS: _("The file has a header and no rows."),
    FileCode.TOO_LARGE: _("The file is too large."),
    FileCode.NESTED: _("Inside the archive is another archive or a spreadsheet. Unpack it and upload what is in it."),
    FileCode.BOMB: _("The file is packed far tighter than rows can be: unpacked it would fill the disk."),
    FileCode.MANY_FILES: _("There is more than one file in the archive. Upload them one by one."),
    FileCode.LOCKED: _("The file is locked with a password. Save it without one and upload it again."),
    FileCode.DAMAGED_ARCHIVE: _("The packed file or spreadsheet is damaged and cannot be opened."),
    FileCode.SPREADSHEET: _(
        "The file is of an Excel before 2007, or locked with a password. Save it as XLSX or “CSV UTF-8”."
    ),
    FileCode.SHEET_TOO_LARGE: _("The spreadsheet is too large to be opened here. Save the sheet as “CSV UTF-8”."),
    FileCode.NO_SHEET: _("The spreadsheet has no such sheet."),
    FileCode.BINARY: _("The file is no text: it holds NUL bytes."),
    FileCode.JSON_ARRAY: _("The file is one JSON array. Save it with one object a line (JSONL)."),
    FileCode.NOT_JSON_LINES: _("None of the first lines is a JSON object that can be read."),
    FileCode.ENCODING: _("The file is neither in UTF-8 nor in TIS-620 (Windows-874). Save it as “CSV UTF-8”."),
    FileCode.LONG_LINE: _("A line is longer than 1 MB and does not end: this is not a file of rows."),
    FileCode.COLUMNS_MISSING: _("The file lacks columns that the mapping names."),
    FileCode.MOSTLY_BROKEN: _("Most rows are broken. Check the delimiter, the encoding and the mapping."),
    FileCode.DAMAGED: _("The stored file is damaged."),
    FileCode.REMOVED: _("The file has been removed; upload it again."),
    FileCode.GAVE_UP: _("Processing failed several times at the same place."),
}


# Of values in the preview: kept as they came, and no evidence of who somebody is.
VALUE_TEXTS: dict[str, Text] = {
    Problem.MASKED: _("Hidden by the source"),
    Problem.JUNK: _("A placeholder, not a real value"),
    Problem.MALFORMED: _("Does not have the form of its kind"),
    Problem.COMPANY_ID: _("A company's number, not a person's"),
    Problem.CHECKSUM: _("The check digit does not fit"),
    Problem.UNSEALED: _("Not kept"),
    Problem.SWITCHBOARD: _("An office's number with an extension"),
    Problem.AMBIGUOUS_YEAR: _("The year has two digits: say which era is meant"),
    Problem.DATE_ORDER: _("Day and month do not fit the chosen order"),
    Problem.WRONG_TYPE: _("A text or a number is needed here"),
    Problem.TOO_LONG: _("Too long"),
    Problem.TOO_MANY: _("More values than one person has"),
}
MAPPING_TEXTS: dict[str, Text] = {
    MappingCode.VERSION: _("This is no mapping of a version that is known here."),
    MappingCode.ROWS: _("Say what a row is: a customer, something that happened, an order line, or a consent."),
    MappingCode.DATES: _("The order of dates or the era of two-digit years is not known."),
    MappingCode.EMPTY: _("Say what an empty cell means: unchanged or cleared."),
    MappingCode.FIELDS: _("Choose what at least one column becomes."),
    MappingCode.FIELD: _("This field is not understood."),
    MappingCode.TARGET: _("There is no such target."),
    MappingCode.NOT_HERE: _("A row of this kind has no such target."),
    MappingCode.SOURCE: _("Give either a column or a fixed value."),
    MappingCode.NAME: _("Give a name; in small Latin letters, digits and _ where it is an id or an attribute."),
    MappingCode.TWICE: _("Two columns have this target; only one can."),
    MappingCode.PURPOSE: _("Say which purpose and which channel the consent is for."),
    MappingCode.VALUES: _("Say which values mean yes and which mean no."),
    MappingCode.EVIDENCE: _("Choose how the consent was given; the text of the notice has at most 500 characters."),
    MappingCode.STEPS: _("A step lacks what it needs, or does not fit what the column becomes."),
    MappingCode.OWNER: _("Say what becomes of a row without a record id: left out, or somebody unknown."),
    MappingCode.NO_EVENT: _("Give the event a name, or choose the column that holds it."),
    MappingCode.NO_ORDER: _("Choose the column that holds the order number."),
    MappingCode.NO_LINE: _("Choose a column for the product, the line number or the order's total."),
    MappingCode.NO_OWNER: _("Choose the column that tells whose row it is: a record id or a device id."),
    MappingCode.NO_STATEMENT: _("Choose the columns of purpose, channel and state, and when it was said."),
    MappingCode.NO_PRODUCT: _("Choose the column that holds the product code."),
    MappingCode.NOTHING: _("Choose at least one attribute, identifier or consent."),
    MappingCode.COLUMN: _("The file has no such column."),
}


class FileProblem(MendableError):
    """The file as a whole cannot be taken; `code` is one of FileCode, `line` where it was seen."""

    code = "file"

    def __init__(self, code: FileCode, *, line: int | None = None, **options: Any) -> None:
        super().__init__(FILE_TEXTS[code], field="file", code=code.value, **options)
        self.line = line
