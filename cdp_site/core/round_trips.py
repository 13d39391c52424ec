"""Several statements in one round trip to the database, where many small ones would cost more in waiting than in work.

Each statement still sees what was committed while the one before it waited for a lock. A mistake in one is raised by
whoever fetches next, at the latest when the round trip ends; those after it have not been carried out.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias

from django.db import connection
from psycopg.pq import PipelineStatus

Query: TypeAlias = tuple[str, Sequence[Any] | Mapping[str, Any]]
"""A statement and its parameters."""


@contextmanager
def together() -> Iterator[None]:
    """Wait for the database only where rows are fetched, and in the end. Inside, no cursor knows its `rowcount`.

    Within another round trip it is part of that.
    """
    connection.ensure_connection()
    if _is_under_way():
        yield
    else:
        with connection.wrap_database_errors, connection.connection.pipeline():
            yield


def rows(*queries: Query) -> list[list[tuple[Any, ...]]]:
    """The rows of each query, and of whatever the round trip has sent before."""
    with ExitStack() as open_cursors:
        cursors = [open_cursors.enter_context(connection.cursor()) for _ in queries]
        with together():
            for cursor, (statement, parameters) in zip(cursors, queries, strict=True):
                cursor.execute(statement, parameters)
        return [cursor.fetchall() for cursor in cursors]


def _is_under_way() -> bool:
    return bool(connection.connection.pgconn.pipeline_status != PipelineStatus.OFF)
