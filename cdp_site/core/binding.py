"""A cursor for large values: they travel beside the statement and not within it, written out and parsed again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


@contextmanager
def cursor() -> Iterator[CursorWrapper]:
    """On Django's own connection and in its transaction; `%b` marks a parameter to be sent as bytes, and what comes
    back comes in binary. Django's own cursor writes parameters into the statement's text: of 50 KB it makes 100."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as bound:
        bound.format = psycopg.pq.Format.BINARY
        wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
        yield wrap(cast("CursorWrapper", bound))  # what the wrapper wraps is no wrapper
