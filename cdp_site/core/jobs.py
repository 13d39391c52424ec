"""Chores through django-q2: enqueued on commit, arguments are ids only."""

from uuid import UUID

from django.db import transaction
from django_q.tasks import async_task


def enqueue(function: str, *ids: int | str | UUID) -> None:
    """Run `function` (dotted path) with the ids in the job cluster once the current transaction has committed.

    Jobs are idempotent: a crash may run one twice. Personal values never travel as arguments (they would stay in
    the queue's tables), so anything but an id is refused.
    """
    for value in ids:
        if not isinstance(value, int | UUID) and not (isinstance(value, str) and len(value) <= 40 and "@" not in value):
            raise TypeError(f"job arguments are ids, not {type(value).__name__}")
    transaction.on_commit(lambda: async_task(function, *(str(i) if isinstance(i, UUID) else i for i in ids)))
