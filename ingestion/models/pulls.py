"""Where data is fetched instead of sent: databases that are asked on a schedule, folders that are watched."""

from typing import ClassVar

from django.db import models

from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PSEUDONYMOUS, Classification
from ingestion.models.files import FileImport
from ingestion.models.source import Source
from ingestion.querysets import PullQuerySet, WatchedFolderQuerySet


class Pull(models.Model):
    """One row: a table or query of a company's own database whose new rows are imported on a schedule.

    Written on the page of connections; moved on by its job. Switched off rather than deleted. The address holds a
    password: it is sealed, never shown and never logged. The cursor is a number or a time, so it leads to nobody.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "last_rows": PSEUDONYMOUS}

    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    name = models.CharField(max_length=100)
    address = models.BinaryField()  # sealed URL of SQLAlchemy
    shown_address = models.CharField(max_length=300)  # without user and password
    relation = models.TextField()  # a table's name, or one SELECT
    cursor_column = models.CharField(max_length=128)
    mapping_name = models.CharField(max_length=60)
    every_minutes = models.PositiveIntegerField(default=60)
    is_active = models.BooleanField(default=True)
    cursor = models.CharField(max_length=60, blank=True)  # pulls.cursors: the greatest value that was fetched
    last_rows = models.BinaryField(default=bytes)  # keyed hashes of the rows that have it: others may join them later
    next_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    last_run_at = models.DateTimeField(null=True)
    last_import = models.ForeignKey(FileImport, null=True, on_delete=models.SET_NULL)
    problem = models.CharField(max_length=20, blank=True)  # a code of pulls.PullCode
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)

    objects = PullQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "pk"]


class WatchedFolder(models.Model):
    """One row: a folder whose files are imported as they arrive. Written on the page of connections."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    path = models.CharField(max_length=400)
    pattern = models.CharField(max_length=100, default="*")
    mapping_name = models.CharField(max_length=60)
    is_active = models.BooleanField(default=True)
    sizes = models.JSONField(default=dict)  # name → [bytes, time of change] at the last look: what grows is not ready
    last_look_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=20, blank=True)  # a code of watched_folders.FolderCode
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)

    objects = WatchedFolderQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["path", "pk"]


class ArrivedFile(models.Model):
    """One row: a file whose import a watched folder began, by its content, so that it is imported once."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    folder = models.ForeignKey(WatchedFolder, on_delete=models.CASCADE)
    sha256 = models.BinaryField(max_length=32)
    at = models.DateTimeField(auto_now_add=True)
    file_import = models.ForeignKey(FileImport, null=True, on_delete=models.SET_NULL)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["folder", "sha256"], name="arrived_once"),
        ]
