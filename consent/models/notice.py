"""What people read when they are asked."""

from typing import ClassVar

from django.db import models
from django.utils.translation import get_language

from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, Classification
from consent.models.purpose import Purpose


class Notice(models.Model):
    """One row: a version of what people read about a purpose, in Thai and English (PDPA s.23). Written by
    `consent.notices`; append-only by trigger, since consents name the version that they rest on. The one that was
    published last is in force."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="notices")
    version = models.CharField(max_length=40)  # as consents name it
    text = models.TextField()
    text_th = models.TextField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar = ["-published_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["purpose", "version"], name="notice_version_once"),
        ]

    @property
    def words(self) -> str:
        """In the reader's language."""
        return self.text_th if get_language() == "th" else self.text
