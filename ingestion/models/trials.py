"""Imports that are tried before they begin."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, Classification
from ingestion.models.files import FileImport
from ingestion.querysets import ImportTrialQuerySet


class ImportTrial(models.Model):
    """One row: what an import would do by a mapping, counted without doing it. Written on the mapping screen, moved on
    by its job; goes with the import."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Status(models.TextChoices):
        READY = "ready", _("waiting to start")
        READING = "reading", _("reading")
        COUNTING = "counting", _("counting")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    file_import = models.ForeignKey(FileImport, on_delete=models.CASCADE, related_name="trials")
    definition = models.JSONField()  # the mapping that is tried, see ingestion/files/mapping.py
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.READY)
    problem = models.CharField(max_length=40, blank=True)  # a code of files.codes.FileCode
    is_whole = models.BooleanField(default=True)  # false: the file has more rows than a trial looks at
    rows_read = models.BigIntegerField(default=0)
    rows_counted = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict)  # ingestion.rehearsal.KINDS
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    lease_until = models.DateTimeField(null=True)  # the job that holds it; a dead job's trial begins anew
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = ImportTrialQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # the watchdog's look for trials that nobody holds
            models.Index(
                fields=["lease_until"],
                name="import_trial_running",
                condition=models.Q(status__in=["ready", "reading", "counting"]),
            ),
        ]
