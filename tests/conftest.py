"""Fixtures for every test. The database's part of a run is in `tests/database.py`."""

import pytest
from pytest_django import DjangoDbBlocker

from cdp_site.core import memory
from tests import database

pytest_plugins = ["tests.cast", "tests.customers"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Test databases are copies of a migrated template."""
    with django_db_blocker.unblock():
        database.use_template()


@pytest.fixture(autouse=True)
def _nothing_remembered_from_another_test() -> None:
    """A process lives longer than a test's database, or than what a test rolls back."""
    memory.forget_all()
