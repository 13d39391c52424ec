"""Profiles and the records that they are made of."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Func, TextField
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cdp_site.core.ids import uuid7
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from ingestion.models import Source
from profiles.querysets import ProfileQuerySet

FACETS = ("birth_date", "city", "country", "gender", "language", "postcode", "province")
"""Traits by which people are picked out all the time: their golden values stand in columns of their own, too."""
DAY_FACETS = ("birth_date",)
"""Those of which a column holds days that there are, written YYYY-MM-DD, and nothing else; in the order of days."""
LONGEST_FACET = 100  # bytes: an index holds them
_DAY = (
    "^[12][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))$|^([12][0-9](0[48]|[2468][048]|[13579][26])|(1[26]|2[048])00)-02-29$"
)


def _holds(trait: str) -> str:
    """Whether a facet holds a text; %(expressions)s is the golden record."""
    text = f"%(expressions)s ->> '{trait}'"
    return f"{text} ~ '{_DAY}'" if trait in DAY_FACETS else f"octet_length({text}) <= {LONGEST_FACET}"


def _facet(trait: str) -> models.GeneratedField:
    """The golden value of a trait if it is a text that the facet holds; a column `facet_<trait>`."""
    is_text = f"jsonb_typeof(%(expressions)s -> '{trait}') = 'string'"
    template = f"CASE WHEN {is_text} AND {_holds(trait)} THEN %(expressions)s ->> '{trait}' END"
    return models.GeneratedField(
        expression=Func(F("golden"), template=template),
        output_field=TextField(null=True, db_collation="C" if trait in DAY_FACETS else None),
        db_persist=True,
    )


def _facets_tell() -> models.GeneratedField:
    """Whether no value of a facet is anything else, so that the facets tell all that the golden record does."""
    others = [
        f"coalesce(jsonb_typeof(%(expressions)s -> '{trait}') NOT IN ('string', 'null') OR NOT {_holds(trait)}, false)"
        for trait in FACETS
    ]
    return models.GeneratedField(
        expression=Func(F("golden"), template=f"NOT ({' OR '.join(others)})"),
        output_field=models.BooleanField(),
        db_persist=True,
    )


_IS_PERSON = models.Q(kind="identified", state="live")


class Profile(models.Model):
    """One row: the birth profile of one source record; live while its record is the anchor of its component.

    Derived (rebuild_profiles): kind, state, redirect_to, golden, sort_name; of golden, by the database: the facets. A
    redirected row keeps old links and returns to life on unmerge. Written by the resolution pipeline; deleted by
    erasure.
    """

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "public_id": PSEUDONYMOUS,
        "golden": PERSONAL,
        "sort_name": PERSONAL,
        **{f"facet_{trait}": PERSONAL for trait in FACETS},
    }

    class Kind(models.TextChoices):
        IDENTIFIED = "identified", _("known person")
        ANONYMOUS = "anonymous", _("anonymous visitor")

    class State(models.TextChoices):
        LIVE = "live", pgettext_lazy("profile", "live")
        REDIRECTED = "redirected", _("merged into another")
        ERASING = "erasing", _("being erased")

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.LIVE)
    redirect_to = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="births")
    golden = models.JSONField(default=dict)  # trait → winning value over all departments
    sort_name = models.CharField(max_length=120, blank=True)  # Thai order: leading vowels swapped behind consonants
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    facet_birth_date = _facet("birth_date")
    facet_city = _facet("city")
    facet_country = _facet("country")
    facet_gender = _facet("gender")
    facet_language = _facet("language")
    facet_postcode = _facet("postcode")
    facet_province = _facet("province")
    facets_tell = _facets_tell()

    objects = ProfileQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="profile_redirect_iff_redirected",
                condition=models.Q(state="redirected", redirect_to__isnull=False)
                | (~models.Q(state="redirected") & models.Q(redirect_to__isnull=True)),
            )
        ]
        indexes: ClassVar = [
            # list of people in name order, keyset
            models.Index(fields=["sort_name", "id"], name="profile_people", condition=_IS_PERSON),
            # who is a person at all
            models.Index(fields=["id"], name="profile_live", condition=_IS_PERSON),
            # what a segment asks of people most: read alone, without the rows, and of ages just those that are meant
            models.Index(
                fields=["facet_birth_date", "id"],
                name="profile_facets",
                include=[f"facet_{trait}" for trait in FACETS if trait != "birth_date"],
                condition=_IS_PERSON & models.Q(facets_tell=True),
            ),
            models.Index(
                fields=["id"], name="profile_beside_facets", condition=_IS_PERSON & models.Q(facets_tell=False)
            ),
        ]


class SourceRecord(models.Model):
    """One row: what one source knows of one customer, device or (source "cdp") what agents added.

    The truth that profiles are derived from. `attributes` holds the current normalised values, patched per trait:
    absent = unchanged, null = cleared. Written by the digest and by agents; deleted by erasure.
    """

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "external_id": PERSONAL,
        "attributes": PERSONAL,
        "content_hash": PSEUDONYMOUS,
    }

    class Kind(models.TextChoices):
        IDENTIFIED = "identified", _("customer")
        ANONYMOUS = "anonymous", _("device")
        AGENT = "agent", _("added by agents")

    id = models.BigAutoField(primary_key=True)  # intake sequence
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    external_id = models.CharField(max_length=200)
    birth_profile = models.OneToOneField(Profile, on_delete=models.PROTECT, related_name="birth_record")
    tied_to = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="agent_records")
    attributes = models.JSONField(default=dict)  # trait → value; a list for several values
    attribute_times = models.JSONField(default=dict)  # trait → ISO time at which the source stated it
    content_hash = models.BinaryField(max_length=16)
    first_seen_at = models.DateTimeField()  # source's clock
    last_seen_at = models.DateTimeField()  # source's clock
    received_at = models.DateTimeField()  # ours, of the first message
    operation_id = models.UUIDField(null=True)  # what created it

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "kind", "external_id"], name="source_record_external_id"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tied_to"], name="agent_record_of", condition=models.Q(tied_to__isnull=False)),
        ]


class SourceRecordVersion(models.Model):
    """One row: the content of a source record after a change; immutable. Written only when the content hash changed."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "attributes": PERSONAL, "content_hash": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="versions")
    attributes = models.JSONField()
    content_hash = models.BinaryField(max_length=16)
    occurred_at = models.DateTimeField()  # source's clock
    received_at = models.DateTimeField()  # ours
    operation_id = models.UUIDField(null=True)


class Membership(models.Model):
    """One row: a record belonged to a profile from `valid_from` until `valid_to`. Derived; the current one of each
    record has no end. Written by the resolution pipeline."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": PSEUDONYMOUS, "id": NONE, "valid_from": NONE, "valid_to": NONE}

    id = models.BigAutoField(primary_key=True)
    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, db_index=False, related_name="memberships")
    profile = models.ForeignKey(Profile, on_delete=models.PROTECT, db_index=False, related_name="memberships")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    decision_id = models.BigIntegerField(null=True)  # the LinkDecision that brought it there; null at birth

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["record"],
                name="membership_current",
                condition=models.Q(valid_to__isnull=True),
                include=["profile"],
            )
        ]
        indexes: ClassVar = [
            # records of one profile now
            models.Index(
                fields=["profile"],
                name="membership_of_profile",
                condition=models.Q(valid_to__isnull=True),
                include=["record"],
            ),
            # history of one record
            models.Index(fields=["record", "valid_from"], name="membership_history"),
            # records of one profile on an earlier day
            models.Index(fields=["profile"], name="membership_of_past", condition=models.Q(valid_to__isnull=False)),
        ]
