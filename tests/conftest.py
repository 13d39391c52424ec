"""Fixtures for every test. The database's part of a run is in `tests/database.py`."""

import hypothesis
import pytest
from pytest_django import DjangoDbBlocker, Settings

from cdp_site.core import memory
from tests import database

# The suite tries the same examples on every machine; `--hypothesis-profile=explore` looks for new ones.
# How long it takes to draw them says how busy the machine is.
_TOO_SLOW = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("suite", derandomize=True, database=None, suppress_health_check=_TOO_SLOW)
hypothesis.settings.register_profile("explore", derandomize=False, database=None, print_blob=True)
hypothesis.settings.load_profile("suite")

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


@pytest.fixture
def in_english(settings: Settings) -> None:
    """Pages come in English where nobody chose a language."""
    settings.LANGUAGE_CODE = "en"


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A test's name says nothing of the bytes that it is given: packed ones hold the time at which they were packed,
    and every process that runs tests has to find the same names."""
    return argname if isinstance(val, bytes) else None
