"""What a look at the quality of the data has found."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.personal_data import NONE, PSEUDONYMOUS, Classification
from ingestion.models import Source
from profiles.models.identity import IdentifierKey
from profiles.models.profile import Profile


class QualityLook(models.Model):
    """One row: a look at all data. Written by a job, nightly and when somebody asks; the last thirty are kept, so that
    it is seen what became better."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.BigAutoField(primary_key=True)
    started_by = models.CharField(max_length=60)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    figures = models.JSONField(default=dict)  # profiles.matching.quality.Figures: counts, by ids of sources


class QualityFinding(models.Model):
    """One row: whom, or which identifier, a number of the latest look is about; the gravest have the lowest ids. Goes
    with the next look."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "profile": PSEUDONYMOUS, "key": PSEUDONYMOUS}

    class Kind(models.TextChoices):
        TWICE = "twice", _("several records in one source")
        KEYLESS = "keyless", _("no identifier to be matched by")
        NAMES = "names", _("many given names")
        TWO_IDS = "two_ids", _("two national IDs")
        LARGEST = "largest", _("most records")
        SHARED = "shared", _("identifier of several people")
        AMBIGUOUS = "ambiguous", _("cannot be told whose identifier it is")
        PROPOSED = "proposed", _("an agent typed somebody else's identifier")

    id = models.BigAutoField(primary_key=True)
    look = models.ForeignKey(QualityLook, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    source = models.ForeignKey(Source, null=True, on_delete=models.CASCADE, related_name="+")
    # No constraints: what removes profiles and keys in SQL need not know of this list, which misses what is gone.
    profile = models.ForeignKey(Profile, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    key = models.ForeignKey(
        IdentifierKey, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    size = models.PositiveIntegerField()  # records, names, ids or people, as the kind says

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="quality_finding_of_one",
                condition=models.Q(profile__isnull=False, key__isnull=True)
                | models.Q(profile__isnull=True, key__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            # the list behind a number, the gravest first
            models.Index(fields=["look", "kind", "source", "id"], name="quality_finding_list"),
        ]
