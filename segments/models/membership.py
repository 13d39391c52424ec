"""Who is in which segment, and who was: memberships as they are stored."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from profiles.models import Profile
from segments.models.segment import Segment
from segments.querysets_membership import SegmentPassageQuerySet, SegmentStateQuerySet


class SegmentState(models.Model):
    """One row: a person who is in a segment, or is outside and will be moved by time alone ("no order for 90 days").

    Seen with all departments' eyes. Derived: a full evaluation makes the same rows. Written by
    `segments.membership.writing` alone; goes when the person leaves and time will not bring them back by itself.
    No foreign keys in the database: they would cost more than the row, and a full evaluation finds what is left over.
    """

    # Both moments follow from moments of what the person did.
    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "profile": PSEUDONYMOUS,
        "is_member": PERSONAL,
        "since": PERSONAL,
        "next_change_at": PERSONAL,
    }

    pk = models.CompositePrimaryKey("segment_id", "profile_id")
    # The key finds the members of a segment, keyset.
    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, db_index=False, db_constraint=False, related_name="states"
    )
    profile = models.ForeignKey(
        Profile, on_delete=models.CASCADE, db_index=False, db_constraint=False, related_name="segment_states"
    )
    since = models.DateTimeField()  # of what `is_member` says: when the person came in, or went out
    # The first moment at which time alone may change it; null: it stays until something is heard of the person.
    # Conditions that look at days and not at moments are not in it: their segments are evaluated anew at midnight.
    next_change_at = models.DateTimeField(null=True)
    is_member = models.BooleanField()

    objects = SegmentStateQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="segment_state_of_use", condition=models.Q(is_member=True) | models.Q(next_change_at__isnull=False)
            )
        ]
        indexes: ClassVar = [
            # the segments of one person
            models.Index(fields=["profile"], name="segment_state_of_person"),
            # whose time has come
            models.Index(
                fields=["next_change_at"],
                name="segment_state_due",
                condition=models.Q(next_change_at__isnull=False),
            ),
        ]


class SegmentPassage(models.Model):
    """One row: a person entered a segment, or left it. Never moved by a merge: each profile keeps what it went through.

    Written with each change of a `SegmentState`, kept for `segments.membership.forgetting.KEPT`. After an erasure the
    number stays and the person goes: `profile` is null and `at` the beginning of the day.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "profile": PSEUDONYMOUS, "at": PERSONAL}

    class Cause(models.TextChoices):
        EVENT = "event", _("something that happened")
        TIME = "time", _("time that passed")
        DEFINITION = "definition", _("a change of the definition")
        MERGE = "merge", _("a merge")
        UNMERGE = "unmerge", _("an unmerge")
        ERASURE = "erasure", _("an erasure")

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()  # ours; when time alone did it, the moment at which it was due
    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, db_index=False, db_constraint=False, related_name="passages"
    )
    profile = models.ForeignKey(
        Profile,
        null=True,
        on_delete=models.SET_NULL,
        db_index=False,
        db_constraint=False,
        related_name="segment_passages",
    )
    entered = models.BooleanField()  # false: left
    cause = models.CharField(max_length=10, choices=Cause.choices)

    objects = SegmentPassageQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # adds and drops of a segment per day
            models.Index(fields=["segment", "at"], name="segment_passage_of_segment"),
            # what one person went through
            models.Index(fields=["profile", "at"], name="segment_passage_of_person"),
        ]


class SegmentFreshness(models.Model):
    """One row: how far the stored membership of a segment is to be relied on. Written by `segments.membership`."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Problem(models.TextChoices):
        NONE = "", _("none")
        UNREADABLE = "unreadable", _("the definition cannot be read any more")
        TOO_SLOW = "too_slow", _("the evaluation took too long")
        FAILED = "failed", _("the evaluation failed")

    segment = models.OneToOneField(
        Segment, primary_key=True, on_delete=models.CASCADE, db_constraint=False, related_name="freshness"
    )
    version = models.PositiveIntegerField(default=0)  # the definition that the members are by; 0: never evaluated
    n_members = models.PositiveIntegerField(default=0)
    evaluated_at = models.DateTimeField(null=True)  # the last evaluation of everybody
    took_ms = models.PositiveIntegerField(null=True)  # that evaluation, written down
    # The next evaluation of everybody: at once, at midnight when the definition looks at days, or at night.
    due_at = models.DateTimeField()
    problem = models.CharField(max_length=12, choices=Problem.choices, blank=True)

    class Meta:
        indexes: ClassVar = [
            # what is to be evaluated next
            models.Index(fields=["due_at"], name="segment_freshness_due"),
        ]


class PendingMembership(models.Model):
    """One row: what a committed step changed about some people, which their memberships do not follow yet. Nobody is in
    it where it is the catalogue that changed.

    Written in the step's own transaction, gone in the one that writes the memberships: whoever dies between the two
    loses nothing. Usually lives for a second.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "profile_ids": PSEUDONYMOUS, "touchpoint_ids": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    aspect = models.CharField(max_length=12)  # segments.membership.touches.Aspect
    subject = models.BigIntegerField(null=True)  # what of the aspect: the event type; null: all of it
    cause = models.CharField(max_length=10, choices=SegmentPassage.Cause.choices)
    profile_ids = ArrayField(models.BigIntegerField())
    touchpoint_ids = ArrayField(models.UUIDField(), default=list)  # those that came, where that is all that happened
