"""Codes for what can be wrong with a file, a row, a mapping. Stored and counted; `problems` words them."""

from enum import StrEnum


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
    VALUE = "value"
    NO_EVENT = "no_event"
    UNSTORABLE = "unstorable"


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


class MappingCode(StrEnum):
    """What can be wrong with a definition; worded in `problems.MAPPING_TEXTS`."""

    VERSION = "version"
    ROWS = "rows"
    DATES = "dates"
    EMPTY = "empty"
    FIELDS = "fields"
    FIELD = "field"
    TARGET = "target"
    NOT_HERE = "not_here"
    SOURCE = "source"
    NAME = "name"
    TWICE = "twice"
    PURPOSE = "purpose"
    VALUES = "values"
    EVIDENCE = "evidence"
    STEPS = "steps"
    OWNER = "owner"
    NO_EVENT = "no_event"
    NO_ORDER = "no_order"
    NO_LINE = "no_line"
    NO_OWNER = "no_owner"
    NO_STATEMENT = "no_statement"
    NO_PRODUCT = "no_product"
    NOTHING = "nothing"
    COLUMN = "column"
