"""Why a database or a watched folder could not be read, in the reader's language."""

from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text


class PullCode(StrEnum):
    """Stored with a pull whose last run failed."""

    ADDRESS = "address"
    REFUSED_HOST = "refused_host"
    DRIVER = "driver"
    HOST = "host"
    LOGIN = "login"
    DATABASE = "database"
    RIGHTS = "rights"
    TABLE = "table"
    COLUMN = "column"
    RELATION = "relation"
    QUERY = "query"
    WRITES = "writes"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    CURSOR_TYPE = "cursor_type"
    TIES = "ties"
    MAPPING = "mapping"
    FILE = "file"


PULL_TEXTS: dict[str, Text] = {
    PullCode.ADDRESS: _(
        "Write the address as postgresql://user:password@host:5432/database; mysql and mssql likewise."
    ),
    PullCode.REFUSED_HOST: _(
        "This host is not allowed. The operator of the platform lists allowed ones in PULL_HOSTS."
    ),
    PullCode.DRIVER: _("The driver for this kind of database is not installed."),
    PullCode.HOST: _("The host is not found, or no database answers there."),
    PullCode.LOGIN: _("The database does not know this user or password."),
    PullCode.DATABASE: _("There is no database of this name on the host."),
    PullCode.RIGHTS: _("The user may not read this."),
    PullCode.TABLE: _("There is no such table."),
    PullCode.COLUMN: _("There is no such column."),
    PullCode.RELATION: _("Write a table's name, or one SELECT without a semicolon."),
    PullCode.QUERY: _("The database does not understand the query."),
    PullCode.WRITES: _("The query would write. Only reading is allowed."),
    PullCode.TIMEOUT: _("The database took too long to answer. An index on the cursor column helps."),
    PullCode.CONNECTION: _("The connection to the database failed."),
    PullCode.CURSOR_TYPE: _("The cursor column must hold numbers, dates or times."),
    PullCode.TIES: _("Too many rows have the same value in the cursor column. Choose one that differs more."),
    PullCode.MAPPING: _("The mapping does not fit the columns that came."),
    PullCode.FILE: _("The rows that came cannot be imported."),
}


class FolderCode(StrEnum):
    """Stored with a watched folder that could not be looked at."""

    NOT_ALLOWED = "not_allowed"
    MISSING = "missing"
    UNREADABLE = "unreadable"


FOLDER_TEXTS: dict[str, Text] = {
    FolderCode.NOT_ALLOWED: _(
        "The folder is not below one that the operator of the platform allows (WATCHED_FOLDERS_ROOTS)."
    ),
    FolderCode.MISSING: _("There is no such folder."),
    FolderCode.UNREADABLE: _("The platform may not read this folder, or may not move files in it."),
}


class FileRefused(StrEnum):
    """Why a watched folder's file is not taken, beside what is wrong with files in general."""

    LINK = "link"
    MAPPING = "mapping"
    COLUMNS = "columns"


FILE_REFUSED_TEXTS: dict[str, Text] = {
    FileRefused.LINK: _("It is a link to another place, or cannot be read. Put the file itself into the folder."),
    FileRefused.MAPPING: _("There is no mapping of this name any more."),
    FileRefused.COLUMNS: _("The file lacks columns that the mapping names."),
}
