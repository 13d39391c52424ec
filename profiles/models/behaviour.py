"""What customers did: event types and touchpoints; and what agents wrote."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Func
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cdp_site.core.access import ContainerQuerySet
from cdp_site.core.ids import uuid7
from cdp_site.core.models import Department, User
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from ingestion.models import Source
from profiles.models.dispositions import Disposition
from profiles.models.profile import Profile, SourceRecord
from profiles.querysets import PinQuerySet, TouchpointQuerySet, TraitGroupQuerySet


class KindOfData(models.TextChoices):
    """The four kinds of data that a customer data platform holds."""

    IDENTITY = "identity", _("Identity")
    DESCRIPTIVE = "descriptive", _("Descriptive")
    BEHAVIOURAL = "behavioural", _("Behavioural")
    QUALITATIVE = "qualitative", _("Qualitative")


class EventType(models.Model):
    """One row: a type of touchpoint, e.g. "Product Viewed". Discovered by the digest; name and department are set in
    the admin."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.SmallAutoField(primary_key=True)
    name = models.CharField(_("name"), max_length=100, unique=True)
    name_th = models.CharField(_("name in Thai"), max_length=100, blank=True)
    kind_of_data = models.CharField(
        _("kind of data"), max_length=12, choices=KindOfData.choices, default=KindOfData.BEHAVIOURAL
    )
    department = models.ForeignKey(
        Department,
        verbose_name=_("department"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        help_text=_("Empty: every department that sees the source sees it."),
    )
    first_seen_at = models.DateTimeField(auto_now_add=True)

    objects = ContainerQuerySet.as_manager()

    class Meta:
        verbose_name = _("event type")
        verbose_name_plural = _("event types")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name_th if get_language() == "th" and self.name_th else self.name


class TraitGroup(models.Model):
    """One row: a group of traits that one department owns, or that is common. Written in the admin."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    name_th = models.CharField(_("name in Thai"), max_length=100, blank=True)
    kind_of_data = models.CharField(_("kind of data"), max_length=12, choices=KindOfData.choices)
    is_sensitive = models.BooleanField(
        _("sensitive"),
        default=False,
        help_text=_("Health, religion and the like (PDPA s.26): nobody sees it but departments that are named."),
    )
    department = models.ForeignKey(
        Department, verbose_name=_("department"), null=True, blank=True, on_delete=models.PROTECT
    )
    position = models.PositiveSmallIntegerField(_("position"), default=100)

    objects = TraitGroupQuerySet.as_manager()

    class Meta:
        verbose_name = _("trait group")
        verbose_name_plural = _("trait groups")
        ordering: ClassVar = ["position", "slug"]

    def __str__(self) -> str:
        return self.name_th if get_language() == "th" and self.name_th else self.name


class Trait(models.Model):
    """One row: an attribute that profiles may have. Standard ones come with a migration, others are discovered by the
    digest into the group "other"."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class DataType(models.TextChoices):
        TEXT = "text", _("text")
        NUMBER = "number", _("number")
        DATE = "date", _("date")
        BOOLEAN = "boolean", _("yes or no")
        LIST = "list", _("list")

    name = models.CharField(_("name"), max_length=80, unique=True)  # snake_case
    label = models.CharField(_("label"), max_length=100, blank=True)
    label_th = models.CharField(_("label in Thai"), max_length=100, blank=True)
    group = models.ForeignKey(TraitGroup, verbose_name=_("group"), on_delete=models.PROTECT, related_name="traits")
    data_type = models.CharField(_("type"), max_length=10, choices=DataType.choices, default=DataType.TEXT)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    first_seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("trait")
        verbose_name_plural = _("traits")
        ordering: ClassVar = ["position", "name"]

    def __str__(self) -> str:
        if get_language() == "th" and self.label_th:
            return self.label_th
        return self.label or self.name.replace("_", " ")


class Pin(models.Model):
    """One row: a steward or agent decided that this record's value of a trait wins. Written on the profile page; one
    that was taken back, replaced or has expired stays, with its end, for the page of an earlier day."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "record": PSEUDONYMOUS}

    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="pins")
    trait = models.CharField(max_length=80)
    actor = models.CharField(max_length=60)
    at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)  # a chore ends it then; null: nobody asked for an end
    ended_at = models.DateTimeField(null=True)  # null: in force

    objects = PinQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["record", "trait"], name="pin_once", condition=models.Q(ended_at__isnull=True)
            )
        ]
        indexes: ClassVar = [
            # what expires next
            models.Index(
                fields=["expires_at"],
                name="pin_expiry",
                condition=models.Q(ended_at__isnull=True, expires_at__isnull=False),
            ),
        ]


HAS_LIST = """%(expressions)s @? 'strict $.* ? (@.type() == "array")'"""
"""Whether an object has a list among its values, as SQL."""


class Touchpoint(models.Model):
    """One row: something that happened between a customer and the company. Owned by its record; `profile` is derived.

    `id` is a UUID made of source and messageId, so that the primary key is also the guard against twice.
    Written by the digest in bulk; deleted by erasure and retention (a SeenMessage stays).
    """

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": PERSONAL,
        "type": NONE,
        "source": NONE,
        "received_at": NONE,
        "operation_id": NONE,
    }

    # Wide columns last, 8-byte ones first: no padding (72 bytes of header and columns before properties).
    occurred_at = models.DateTimeField()  # source's clock, corrected by sentAt: drives timeline, windows, segments
    received_at = models.DateTimeField()  # ours: drives retention and lag
    original_at = models.DateTimeField(null=True)  # originalTimestamp as sent, when it differs from occurred_at
    sent_at = models.DateTimeField(null=True)  # sentAt as sent
    profile = models.ForeignKey(Profile, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    record = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    order = models.ForeignKey("Order", null=True, on_delete=models.SET_NULL, db_index=False, db_constraint=False)
    id = models.UUIDField(primary_key=True, editable=False)
    type = models.ForeignKey(EventType, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    operation_id = models.UUIDField(null=True)  # the import or replay that brought it
    properties = models.JSONField(default=dict)

    objects = TouchpointQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # the timeline, keyset
            models.Index(fields=["profile", "-occurred_at", "-id"], name="touchpoint_timeline"),
            # a segment's "did X in the last N days" over everybody. The table is clustered on it: what is read by time
            # lies together in time whenever the storage is written anew, a week on a tenth of the pages.
            models.Index(fields=["type", "occurred_at"], name="touchpoint_window", include=["profile"]),
            # those of them of which a property is a list, into which a filter has to look
            models.Index(
                fields=["type", "occurred_at"],
                name="touchpoint_lists",
                condition=models.Q(Func(F("properties"), template=HAS_LIST, output_field=models.BooleanField())),
            ),
            # "did X ever / never", last time of X of one person
            models.Index(fields=["type", "profile", "occurred_at"], name="touchpoint_of_type"),
        ]


class Note(models.Model):
    """One row: what a member of staff wrote about a customer. Owned by the agent record; `profile` is derived."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": PERSONAL, "id": NONE, "at": NONE, "author": NONE}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    record = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="notes")
    profile = models.ForeignKey(Profile, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    department = models.ForeignKey(Department, null=True, on_delete=models.PROTECT)
    text = models.TextField(max_length=4000)
    disposition = models.CharField(max_length=12, choices=Disposition.choices, blank=True)
    at = models.DateTimeField(auto_now_add=True)
