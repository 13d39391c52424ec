"""Computed traits, their values, and what waits to be computed."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from profiles.models import Profile, Trait, TraitGroup
from segments.models.membership import SegmentPassage
from segments.querysets_traits import ComputedTraitQuerySet


class ComputedTrait(models.Model):
    """One row: a value of each customer that is worked out from what they did. Written by `segments.traits.authoring`;
    definitions call it `computed.<slug>`, which never changes. Who sees its group sees it, as every trait."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=100)
    name_th = models.CharField(_("name in Thai"), max_length=100, blank=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    group = models.ForeignKey(TraitGroup, verbose_name=_("group"), on_delete=models.PROTECT, related_name="+")
    definition = models.JSONField()  # segments/traits/reader.py; carries its own version number
    data_type = models.CharField(max_length=10, choices=Trait.DataType.choices)  # of each channel's value
    version = models.PositiveIntegerField(default=1)
    computed_version = models.PositiveIntegerField(default=0)  # the definition that everybody's values are by
    computed_at = models.DateTimeField(null=True)  # ours; when everybody's value was last computed
    due_at = models.DateTimeField(default=timezone.now)  # ours; when everybody's value is computed next
    computed_to = models.BigIntegerField(default=0)  # the last profile of that run so far; 0: none
    again_at = models.DateTimeField(null=True)  # ours; when it is run once more, told of while it ran; null: as ever
    archived_at = models.DateTimeField(null=True)  # no longer computed; its values are gone
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ComputedTraitQuerySet.as_manager()

    class Meta:
        verbose_name = _("computed trait")
        verbose_name_plural = _("computed traits")
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "name"], name="computed_trait_name")]

    def __str__(self) -> str:
        return self.name_th if (get_language() or "").startswith("th") and self.name_th else self.name

    @property
    def is_complete(self) -> bool:
        """Whether everybody's value is of the present definition."""
        return self.computed_version == self.version


class ComputedTraitVersion(models.Model):
    """One row: a definition that a computed trait had. Written with each change; immutable."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    trait = models.ForeignKey(ComputedTrait, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    definition = models.JSONField()
    actor = models.CharField(max_length=60)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["trait", "version"], name="computed_trait_version_once")
        ]


class ComputedValue(models.Model):
    """One row: a computed trait of a live, known customer. Derived (`segments.traits.keeping`) from all sources: who
    does not see all is never shown it. Who has no row has the value of nothing (`formula.OF_NONE`).

    No foreign keys in the database: they would cost more than the row, and a full computation finds what is left over.
    """

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "profile": PSEUDONYMOUS,
        "value": PERSONAL,
        "next_change_at": PERSONAL,  # follows from a moment of what the customer did
    }

    pk = models.CompositePrimaryKey("trait_id", "profile_id")
    trait = models.ForeignKey(
        ComputedTrait, on_delete=models.CASCADE, db_index=False, db_constraint=False, related_name="values"
    )
    profile = models.ForeignKey(
        Profile, on_delete=models.CASCADE, db_index=False, db_constraint=False, related_name="computed_values"
    )
    next_change_at = models.DateTimeField(null=True)  # the first moment at which time alone may change it; null: never
    value = models.JSONField(null=True)  # null: none yet, but `next_change_at` may bring one

    class Meta:
        indexes: ClassVar = [
            # the panel of one customer
            models.Index(fields=["profile"], name="computed_value_of_person"),
            # what time changes next
            models.Index(
                fields=["next_change_at"],
                name="computed_value_due",
                condition=models.Q(next_change_at__isnull=False),
            ),
        ]


class PendingValues(models.Model):
    """One row: what a committed step changed about some people, which their computed traits do not follow yet.

    Written in the step's own transaction, gone in the one that computes the values: whoever dies between the two loses
    nothing. Usually lives for a second.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "profile_ids": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    aspect = models.CharField(max_length=12)  # segments.membership.touches.Aspect
    subject = models.BigIntegerField(null=True)  # the event type of the aspect "event"
    cause = models.CharField(max_length=10, choices=SegmentPassage.Cause.choices)
    profile_ids = ArrayField(models.BigIntegerField())
