"""Chores through django-q2: enqueued on commit, arguments are ids only."""

import re
from uuid import UUID

from django.db import transaction
from django_q.tasks import async_task

# A UUID as text, or a short name of ours such as a holder's. A phone number, an e-mail address, a name in Thai or
# with a capital letter is neither.
_ID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z][a-z0-9_.-]{0,59}")


def enqueue(function: str, *ids: int | str | UUID) -> None:
    """Run `function` (dotted path) with the ids in the job cluster once the current transaction has committed.

    Jobs are idempotent: a crash may run one twice. Personal values never travel as arguments (they would stay in
    the queue's tables), so anything but an id is refused.
    """
    for value in ids:
        if not isinstance(value, int | UUID) and not (isinstance(value, str) and _ID_TEXT.fullmatch(value)):
            raise TypeError(f"job arguments are ids, not any {type(value).__name__}")
    transaction.on_commit(lambda: async_task(function, *(str(i) if isinstance(i, UUID) else i for i in ids)))
