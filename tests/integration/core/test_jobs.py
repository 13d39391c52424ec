"""Jobs are enqueued on commit and carry ids alone."""

from uuid import UUID

import pytest
from django.db import transaction
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks

from cdp_site.core import jobs

ID = UUID("01a201c4-30b6-71ab-9966-7fdaa33ce668")  # a new one in each process would be another test

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "value",
    [
        "0812345678",
        "+66812345678",
        "1103700000000",
        "a@shop.test",
        "สมชาย",
        "Somchai",
        "som chai",
        "x" * 61,
        "",
        1.5,
        None,
        ["a"],
        {"phone": 1},
        b"x",
    ],
)
def test_what_is_no_id_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="job arguments are ids"):
        jobs.enqueue("consent.jobs.run_erasure", value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [7, ID, str(ID), "profiles", "core.access_log"])
def test_ids_are_taken(
    value: int | str | UUID, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        jobs.enqueue("consent.jobs.run_erasure", value)
    [task] = [row.task for row in OrmQ.objects.all()]
    assert task["func"] == "consent.jobs.run_erasure"
    assert task["args"] == (str(value) if isinstance(value, UUID) else value,)


def test_a_job_waits_for_the_commit(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as callbacks, transaction.atomic():
        jobs.enqueue("consent.jobs.run_erasure", 1)
        transaction.set_rollback(True)
    assert callbacks == []
    assert not OrmQ.objects.exists()
