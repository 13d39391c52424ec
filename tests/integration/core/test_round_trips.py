"""Several statements are sent at once, and each answers for itself."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from psycopg.pq import PipelineStatus

from cdp_site.core import round_trips

pytestmark = pytest.mark.django_db


def is_under_way() -> bool:
    return bool(connection.connection.pgconn.pipeline_status != PipelineStatus.OFF)


def test_each_query_has_its_rows() -> None:
    assert round_trips.rows() == []
    assert round_trips.rows(("SELECT 1", []), ("SELECT %(n)s::int, 'b'", {"n": 2})) == [[(1,)], [(2, "b")]]
    assert round_trips.rows(("SELECT 1 WHERE false", [])) == [[]]


def test_a_round_trip_within_another_is_part_of_it() -> None:
    with round_trips.together():
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE passing (n int) ON COMMIT DROP")
            cursor.execute("INSERT INTO passing VALUES (1)")
        assert round_trips.rows(("SELECT n FROM passing", []), ("SELECT count(*) FROM passing", [])) == [[(1,)], [(1,)]]
        assert is_under_way()
    assert not is_under_way()


def write_and_fail() -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO passing VALUES (1)")
        raise ZeroDivisionError


def test_what_a_savepoint_takes_back_is_gone() -> None:
    with round_trips.together():
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE passing (n int) ON COMMIT DROP")
        with pytest.raises(ZeroDivisionError):
            write_and_fail()
        assert round_trips.rows(("SELECT n FROM passing", [])) == [[]]


@pytest.mark.parametrize(
    "queries", [[("SELECT 1 / 0", []), ("SELECT 1", [])], [("SELECT 1", []), ("SELECT 1 / 0", [])]]
)
def test_a_mistake_is_raised_as_the_databases(queries: list[Any]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        round_trips.rows(*queries)
    assert not is_under_way()
    assert round_trips.rows(("SELECT 1", [])) == [[(1,)]]


def test_a_mistake_for_which_nobody_waits_is_raised_in_the_end() -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), round_trips.together(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    assert round_trips.rows(("SELECT 1", [])) == [[(1,)]]
