"""Imported files and the mappings that say what their columns mean."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from ingestion.models.source import Source
from ingestion.querysets import FileImportQuerySet, RowDigestsQuerySet
from ingestion.querysets_mappings import FieldMappingQuerySet


class FieldMapping(models.Model):
    """One row: a version of how a file's columns become a message. Written on the mapping screen; a changed mapping
    is a new version. Presets ship as files in ingestion/files/presets."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    name = models.SlugField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.CASCADE)
    definition = models.JSONField()  # see ingestion/files/mapping.py; carries its own version number
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)

    objects = FieldMappingQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["name", "version"], name="mapping_name_version")]


class FileImport(models.Model):
    """One row: one uploaded file on its way in. Written by the upload, moved on by its job; the file itself lies
    encrypted in the import store and goes after IMPORT_FILE_DAYS, the row stays as the record of what happened."""

    # The file's content is personal. Its name is chosen by staff; screens show it to those who see identifiers.
    # Where a file has no header and was taken to have one, its first row stands in `columns`: both go with the file.
    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "stored_as": PERSONAL,
        "columns": PERSONAL,
        "sheets": PERSONAL,
        "sheet": PERSONAL,
        "original_as": PERSONAL,
    }

    class Status(models.TextChoices):
        UPLOADED = "uploaded", _("waiting for its mapping")
        READY = "ready", _("waiting to start")
        LANDING = "landing", _("reading")
        LANDED = "landed", _("read")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    mapping = models.ForeignKey(FieldMapping, null=True, on_delete=models.PROTECT)
    operation_id = models.UUIDField(null=True)
    file_name = models.CharField(max_length=200)
    size = models.BigIntegerField()  # bytes
    sha256 = models.BinaryField(max_length=32)
    stored_as = models.CharField(max_length=80, blank=True)  # name in the import store; empty once removed
    arrived_as = models.CharField(max_length=10, blank=True)  # a code of files.archives.Packing; stored unpacked
    sheets = models.JSONField(default=list)  # names of a workbook's sheets
    sheet = models.CharField(max_length=100, blank=True)  # the one that is imported
    original_as = models.CharField(max_length=80, blank=True)  # the workbook in the store, while a sheet can be chosen
    format = models.CharField(max_length=10)  # csv, jsonl
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=2, blank=True)
    has_header = models.BooleanField(default=True)  # csv: the first row names the columns
    columns = models.JSONField(default=list)  # names by which a mapping calls them; paths for jsonl
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.UPLOADED)
    problem = models.CharField(max_length=40, blank=True)  # a code of files.codes.FileCode
    problem_line = models.BigIntegerField(null=True)
    offset = models.BigIntegerField(default=0)  # bytes of the file behind the last committed row
    line = models.BigIntegerField(default=0)  # physical lines up to there
    rows_read = models.BigIntegerField(default=0)
    rows_broken = models.BigIntegerField(default=0)
    broken_rows = models.JSONField(default=list)  # first 1,000: {"line", "code", "column"?}; never the row itself
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)  # the job that holds it; a dead job's import is taken up again
    attempts = models.PositiveSmallIntegerField(default=0)  # jobs that took it up since it last got on

    objects = FileImportQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            # the watchdog's look for imports that nobody holds
            models.Index(
                fields=["lease_until"],
                name="file_import_running",
                condition=models.Q(status__in=["ready", "landing"]),
            )
        ]

    @property
    def is_finished(self) -> bool:
        """Nothing will change any more; the digest may still be at work on what was landed."""
        return self.status in (self.Status.LANDED, self.Status.FAILED, self.Status.CANCELLED)


class RowDigests(models.Model):
    """One row: digests of the rows in one landed chunk of an import, of eight bytes each, where equal rows are told
    apart by how often they came. An import that resumes knows by them what came before without reading it again.
    Written with the chunk; all go when the import ends."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "digests": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    file_import = models.ForeignKey(FileImport, on_delete=models.CASCADE)
    digests = models.BinaryField()

    objects = RowDigestsQuerySet.as_manager()
