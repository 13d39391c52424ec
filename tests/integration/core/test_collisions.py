"""Two people who wait for each other's locks: one is through, the other is told to look again."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.http import HttpResponse
from django.test import RequestFactory

from cdp_site.core import rest
from cdp_site.core.collisions import as_conflict
from cdp_site.core.middleware import ErrorTreeMiddleware
from ingestion.models import Source

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def collision(web_shop: Source, pos: Source) -> OperationalError:
    """What the database raises in one of two transactions that lock two rows in opposite orders."""
    ready = threading.Barrier(2)

    def lock(first: Source, second: Source) -> OperationalError | None:
        try:
            with transaction.atomic():
                Source.objects.select_for_update().get(pk=first.pk)
                ready.wait(timeout=20)
                Source.objects.select_for_update().get(pk=second.pk)
        except OperationalError as error:
            return error
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(lock, web_shop, pos), pool.submit(lock, pos, web_shop)]
        (error,) = [found for end in ends if (found := end.result()) is not None]
    return error


def test_a_deadlock_is_a_conflict_that_the_person_mends(collision: OperationalError, rf: RequestFactory) -> None:
    problem = as_conflict(collision)
    assert problem is not None
    assert problem.hint

    page = ErrorTreeMiddleware(lambda _request: HttpResponse()).process_exception(rf.get("/"), collision)
    assert page is not None
    assert page.status_code == 409
    answer = rest.exception_handler(collision, {})
    assert answer is not None
    assert answer.status_code == 409
    assert answer.data["error"]["code"] == "conflict"


def too_slow() -> None:
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL statement_timeout TO 1")
        cursor.execute("SELECT count(*) FROM generate_series(1, 100000000)")


def test_other_errors_of_the_database_are_no_conflict(db: None) -> None:
    with pytest.raises(OperationalError) as caught:
        too_slow()
    assert as_conflict(caught.value) is None
    assert as_conflict(ValueError()) is None
    assert rest.exception_handler(ValueError(), {}) is None
