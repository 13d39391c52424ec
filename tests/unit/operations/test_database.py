"""The tests' own database: a test that commits leaves nothing to the next one."""

import pytest
from django.db import connection, transaction

from cdp_site.core import audit
from cdp_site.core.models import AuditEvent
from ingestion.models import Source


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_time", [1, 2])
def test_what_a_test_commits_is_gone_afterwards(_time: int) -> None:
    with transaction.atomic():
        audit.record(action="test.run", target=("test", 1), by="system:test")
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_the_migrations_wrote_is_there_in_every_test() -> None:
    assert Source.objects.filter(kind=Source.Kind.INTERNAL).exists()


@pytest.mark.django_db
def test_each_run_has_its_own_database() -> None:
    assert connection.settings_dict["NAME"].startswith("test_cdp_r")
