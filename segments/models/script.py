"""What agents say to the customers of a segment."""

from typing import ClassVar

from django.db import models
from django.utils.translation import get_language

from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, Classification
from segments.models.segment import Segment
from segments.querysets import ScriptQuerySet


class Script(models.Model):
    """One row: what agents of every department say to customers of a segment. A customer of several segments gets the
    one of the first rank. Written by `segments.scripts.authoring`; goes with its segment."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    segment = models.OneToOneField(Segment, on_delete=models.CASCADE, related_name="script")
    text = models.TextField(max_length=2000, blank=True)  # English
    text_th = models.TextField(max_length=2000, blank=True)
    rank = models.PositiveIntegerField(db_index=True)  # the lowest is said
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    changed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ScriptQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="script_says_something", condition=~models.Q(text="") | ~models.Q(text_th=""))
        ]

    @property
    def words(self) -> str:
        """The text in the reader's language; in the other one where it has none."""
        is_thai = (get_language() or "").startswith("th")
        return (self.text_th or self.text) if is_thai else (self.text or self.text_th)

    @property
    def language(self) -> str:
        """Of `words`, for screen readers."""
        return "th" if self.words == self.text_th else "en"


class ScriptVersion(models.Model):
    """One row: the words that a script had. Written with each change of them; immutable."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    script = models.ForeignKey(Script, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    text_th = models.TextField(blank=True)
    actor = models.CharField(max_length=60)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["script", "version"], name="script_version_once")]
