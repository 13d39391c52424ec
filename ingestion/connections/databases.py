"""A company's own database, read and never written: PostgreSQL, MySQL and MariaDB, SQL Server.

An address is a URL of SQLAlchemy; it holds a password and is neither shown nor logged. Only hosts that the operator of
this platform allows (PULL_HOSTS) are talked to. What is asked is one table or one SELECT, in a read-only transaction,
with a time limit, row by row.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from django.conf import settings
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from cdp_site.core.errors import MendableError
from ingestion.connections.wording_pulls import PULL_TEXTS, PullCode

CONNECT_SECONDS: Final = 10
FETCHED_AT_ONCE: Final = 1_000
LONGEST_ADDRESS: Final = 1_000
_DRIVERS: Final = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "mssql": "mssql+pyodbc",
}
# What may stand behind the question mark; others read files of this server or send it elsewhere.
_OPTIONS: Final = frozenset({"sslmode", "charset", "driver", "Encrypt", "TrustServerCertificate", "application_name"})
_TABLE: Final = re.compile(r"[\w$]+(?:\.[\w$]+)?")
_SELECT: Final = re.compile(r"(?:select|with)\b", re.IGNORECASE)


class PullProblem(MendableError):
    """Why a database cannot be asked; `code` is one of PullCode. Says nothing of what the database answered: that
    could hold values or the address."""

    def __init__(self, code: PullCode, *, field: str | None = None) -> None:
        super().__init__(PULL_TEXTS[code], field=field, code=code.value)


def parse(address: str) -> URL:
    """The address with its driver. Raises PullProblem for what is none, and for hosts that are not allowed."""
    try:
        url = sa.make_url(address.strip())
    except (ArgumentError, ValueError) as error:
        raise PullProblem(PullCode.ADDRESS, field="address") from error
    driver = _DRIVERS.get(url.drivername.partition("+")[0])
    if driver is None or len(address) > LONGEST_ADDRESS or not url.database or set(url.query) - _OPTIONS:
        raise PullProblem(PullCode.ADDRESS, field="address")
    if not url.host or url.host.lower() not in {host.lower() for host in settings.PULL_HOSTS}:
        raise PullProblem(PullCode.REFUSED_HOST, field="address")
    return url.set(drivername=driver)


def shown(address: str) -> str:
    """The address without user and password."""
    url = parse(address)
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()}://{url.host}{port}/{url.database}"


def check_relation(relation: str) -> None:
    """Raises PullProblem for anything but a table's name or one SELECT."""
    text = relation.strip()
    if not _TABLE.fullmatch(text) and (not _SELECT.match(text) or ";" in text):
        raise PullProblem(PullCode.RELATION, field="relation")


@dataclass(frozen=True)
class Asked:
    """What is asked of a database: the rows of `relation` in the order of `cursor_column`, from `since` on."""

    address: str
    relation: str
    cursor_column: str
    since: Any = None


@contextmanager
def rows(asked: Asked, *, most: int) -> Iterator[Iterator[Mapping[str, Any]]]:
    """The rows, fetched as they are read; those at `since` come again. Raises PullProblem, also while they are read."""
    with _connected(asked.address) as connection:
        statement = _statement(connection, asked).limit(most)
        streamed = connection.execution_options(yield_per=FETCHED_AT_ONCE)
        with _mended(asked.cursor_column):
            result = streamed.execute(statement)
        try:
            yield _mappings(result, asked)
        finally:
            with _mended():
                result.close()


def _mappings(result: sa.CursorResult[Any], asked: Asked) -> Iterator[Mapping[str, Any]]:
    with _mended(asked.cursor_column):
        for row in result.mappings():
            yield {str(name): value for name, value in row.items()}


def first_row(asked: Asked) -> Mapping[str, Any] | None:
    """For the connection test: the first row, None when there is none. Raises PullProblem."""
    check_relation(asked.relation)
    with rows(asked, most=1) as found:
        return next(found, None)


@contextmanager
def _connected(address: str) -> Iterator[Connection]:
    """A read-only transaction with a time limit; nothing is ever committed."""
    url = parse(address)
    try:
        engine = sa.create_engine(url, poolclass=NullPool, connect_args=_connect_arguments(url), hide_parameters=True)
    except (NoSuchModuleError, ImportError) as error:
        raise PullProblem(PullCode.DRIVER, field="address") from error
    try:
        with _mended():
            connection = engine.connect()
        with connection:
            with _mended():
                for command in _limits(connection):
                    connection.exec_driver_sql(command)
            yield connection
    finally:
        engine.dispose()


def _connect_arguments(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "postgresql":
        return {"connect_timeout": CONNECT_SECONDS, "options": "-c default_transaction_read_only=on"}
    if url.get_backend_name() in ("mysql", "mariadb"):
        seconds = settings.PULL_STATEMENT_SECONDS
        return {"connect_timeout": CONNECT_SECONDS, "read_timeout": seconds + CONNECT_SECONDS, "local_infile": False}
    return {"timeout": CONNECT_SECONDS}


def _limits(connection: Connection) -> list[str]:
    seconds = settings.PULL_STATEMENT_SECONDS
    dialect = connection.dialect
    if dialect.name == "postgresql":
        return ["SET TRANSACTION READ ONLY", f"SET LOCAL statement_timeout = '{seconds}s'"]
    if dialect.name in ("mysql", "mariadb"):
        is_mariadb = getattr(dialect, "is_mariadb", False)
        limit = f"max_statement_time = {seconds}" if is_mariadb else f"max_execution_time = {seconds * 1000}"
        return [f"SET SESSION {limit}", "COMMIT", "START TRANSACTION READ ONLY"]
    return [f"SET LOCK_TIMEOUT {seconds * 1000}"]


def _statement(connection: Connection, asked: Asked) -> sa.Select[Any]:
    text = asked.relation.strip()
    if _TABLE.fullmatch(text):
        schema, _dot, name = text.rpartition(".")
        whole: Any = sa.table(name, sa.column(asked.cursor_column), schema=schema or None)
    else:
        whole = sa.text(text.replace(":", r"\:")).columns(sa.column(asked.cursor_column)).subquery("asked")
    column = whole.c[asked.cursor_column]
    statement: sa.Select[Any] = (
        sa.select(sa.literal_column("*")).select_from(whole).where(column.is_not(None)).order_by(column)
    )
    return statement if asked.since is None else statement.where(column >= sa.bindparam("since", asked.since))


# --- what went wrong ------------------------------------------------------------------------------------------------

_BY_STATE: Final = {
    "28P01": PullCode.LOGIN, "28000": PullCode.LOGIN, "3D000": PullCode.DATABASE, "42P01": PullCode.TABLE,
    "42S02": PullCode.TABLE, "3F000": PullCode.TABLE, "42703": PullCode.COLUMN, "42S22": PullCode.COLUMN,
    "42601": PullCode.QUERY, "57014": PullCode.TIMEOUT, "42501": PullCode.RIGHTS, "08001": PullCode.HOST,
    "25006": PullCode.WRITES, "42883": PullCode.QUERY,
}  # fmt: skip
_BY_NUMBER: Final = {  # of MySQL and MariaDB
    2003: PullCode.HOST, 2005: PullCode.HOST, 2006: PullCode.HOST, 1045: PullCode.LOGIN, 1698: PullCode.LOGIN,
    1044: PullCode.RIGHTS, 1142: PullCode.RIGHTS, 1049: PullCode.DATABASE, 1146: PullCode.TABLE,
    1054: PullCode.COLUMN, 1064: PullCode.QUERY, 1969: PullCode.TIMEOUT, 3024: PullCode.TIMEOUT, 1792: PullCode.WRITES,
}  # fmt: skip
# Of connections that PostgreSQL's library refuses without a state.
_BY_WORDS: Final = (
    ("password", PullCode.LOGIN), ("role ", PullCode.LOGIN), ("pg_hba", PullCode.LOGIN),
    ("database ", PullCode.DATABASE),
)  # fmt: skip


@contextmanager
def _mended(cursor_column: str = "") -> Iterator[None]:
    """Errors of the database become a PullProblem; what the database said goes no further."""
    try:
        yield
    except DBAPIError as error:
        raise PullProblem(_code(error)) from None
    except (SQLAlchemyError, OSError, UnicodeError) as error:
        raise PullProblem(PullCode.CONNECTION) from error


def _code(error: DBAPIError) -> PullCode:
    original: Any = error.orig
    state = getattr(original, "sqlstate", None) or ""
    if state in _BY_STATE:
        return _BY_STATE[state]
    arguments = getattr(original, "args", ())
    if arguments and isinstance(arguments[0], int):
        return _BY_NUMBER.get(arguments[0], PullCode.CONNECTION)
    if arguments and arguments[0] in _BY_STATE:  # as pyodbc says it
        return _BY_STATE[arguments[0]]
    if state or not isinstance(error, sa.exc.OperationalError):
        return PullCode.CONNECTION
    said = str(original)
    return next((code for words, code in _BY_WORDS if words in said), PullCode.HOST)


# --- the cursor -----------------------------------------------------------------------------------------------------


class CursorKind(StrEnum):
    NUMBER = "number"
    MOMENT = "moment"
    DAY = "day"


def kept(value: Any) -> str:
    """A cursor's value as it is kept: "number 12", "moment 2026-01-02T03:04:05.000006". Raises PullProblem for what is
    neither number nor time: it could name a person, and its order is the database's own."""
    if isinstance(value, bool):
        raise PullProblem(PullCode.CURSOR_TYPE, field="cursor_column")
    if isinstance(value, int | Decimal):
        return f"{CursorKind.NUMBER} {value}"
    if isinstance(value, datetime):
        return f"{CursorKind.MOMENT} {value.isoformat()}"
    if isinstance(value, date):
        return f"{CursorKind.DAY} {value.isoformat()}"
    raise PullProblem(PullCode.CURSOR_TYPE, field="cursor_column")


def value_of(cursor: str) -> Any:
    """What `kept` was given; None for no value."""
    kind, _space, text = cursor.partition(" ")
    if kind == CursorKind.NUMBER:
        return Decimal(text) if "." in text else int(text)
    if kind == CursorKind.MOMENT:
        return datetime.fromisoformat(text)
    return date.fromisoformat(text) if kind == CursorKind.DAY else None
