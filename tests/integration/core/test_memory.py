"""What a process remembers is what was committed, until it is told that the database is another."""

import pytest
from django.db import transaction

from cdp_site.core import memory
from cdp_site.core.memory import Memory


@pytest.mark.django_db(transaction=True)
def test_only_what_is_committed_is_remembered() -> None:
    known: Memory[str, int] = Memory()
    with transaction.atomic():
        known.remember({"kept": 1})
        assert known == {}
    assert known == {"kept": 1}

    with transaction.atomic():
        known.remember({"lost": 2})
        transaction.set_rollback(True)
    assert known == {"kept": 1}


def test_everything_is_forgotten_at_once() -> None:
    known: Memory[str, int] = Memory()
    other: Memory[str, int] = Memory()
    known["a"] = other["b"] = 1

    memory.forget_all()

    assert known == other == {}
