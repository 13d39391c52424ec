"""What can be wrong with a file or with a row of it: codes that are stored, and their wording for people."""

from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import MendableError, Text


class RowProblem(StrEnum):
    """Why a row is left out. The others are imported."""

    NUL = "nul"
    ENCODING = "encoding"
    TOO_LONG = "too_long"
    UNCLOSED_QUOTE = "unclosed_quote"
    QUOTE = "quote"
    COLUMNS = "columns"
    NOT_JSON = "not_json"
    NOT_OBJECT = "not_object"
    NO_ID = "no_id"
    ID_TOO_LONG = "id_too_long"
    TIME = "time"
    NUMBER = "number"
    CONSENT = "consent"
    NO_EVENT = "no_event"
    UNSTORABLE = "unstorable"


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
    RowProblem.NO_EVENT: _("The name of the event is empty"),
    RowProblem.UNSTORABLE: _("It holds a character or number that cannot be stored"),
}


class FileCode(StrEnum):
    """Why a file is refused as a whole, or its import ended."""

    EMPTY = "empty"
    NO_ROWS = "no_rows"
    TOO_LARGE = "too_large"
    UTF16 = "utf16"
    PACKED = "packed"
    SPREADSHEET = "spreadsheet"
    BINARY = "binary"
    JSON_ARRAY = "json_array"
    ENCODING = "encoding"
    LONG_LINE = "long_line"
    COLUMNS_MISSING = "columns_missing"
    MOSTLY_BROKEN = "mostly_broken"
    DAMAGED = "damaged"
    REMOVED = "removed"
    GAVE_UP = "gave_up"


FILE_TEXTS: dict[str, Text] = {
    FileCode.EMPTY: _("The file is empty."),
    FileCode.NO_ROWS: _("The file has a header and no rows."),
    FileCode.TOO_LARGE: _("The file is too large."),
    FileCode.UTF16: _("The file is in UTF-16. Save it as “CSV UTF-8” and upload it again."),
    FileCode.PACKED: _("The file is packed (ZIP or gzip). Unpack it and upload what is in it."),
    FileCode.SPREADSHEET: _("The file is a spreadsheet. Save it as “CSV UTF-8” and upload it again."),
    FileCode.BINARY: _("The file is no text: it holds NUL bytes."),
    FileCode.JSON_ARRAY: _("The file is one JSON array. Save it with one object a line (JSONL)."),
    FileCode.ENCODING: _("The file is neither in UTF-8 nor in TIS-620 (Windows-874). Save it as “CSV UTF-8”."),
    FileCode.LONG_LINE: _("The first line is longer than 1 MB: this is not a file of rows."),
    FileCode.COLUMNS_MISSING: _("The file lacks columns that the mapping names."),
    FileCode.MOSTLY_BROKEN: _("Most rows are broken. Check the delimiter, the encoding and the mapping."),
    FileCode.DAMAGED: _("The stored file is damaged."),
    FileCode.REMOVED: _("The file has been removed; upload it again."),
    FileCode.GAVE_UP: _("Processing failed several times at the same place."),
}


class FileProblem(MendableError):
    """The file as a whole cannot be taken; `code` is one of FileCode, `line` where it was seen."""

    code = "file"

    def __init__(self, code: FileCode, *, line: int | None = None, **options: Any) -> None:
        super().__init__(FILE_TEXTS[code], field="file", code=code.value, **options)
        self.line = line
