"""Identifiers and the decisions that join or part records."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Right
from django.utils.translation import gettext_lazy as _

from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from profiles.models.profile import Profile, SourceRecord
from profiles.querysets import LinkDecisionQuerySet
from profiles.querysets_names import NameTokenQuerySet


class Identifier(models.Model):
    """One row: an identifier as one record holds it. Namespace "global" for e-mail, phone and citizen id, else the
    source's (or a shared one named by the mapping). Written by the digest; `profile` and `valid_to` are derived."""

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "value": PERSONAL,
        "raw": PERSONAL,
        "record": PSEUDONYMOUS,
        "profile": PSEUDONYMOUS,
    }

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20)  # email, phone, user, member, line, citizen, device, …
    namespace = models.CharField(max_length=50)
    value = models.CharField(max_length=254)  # normalised; a keyed hash in hex for citizen ids
    raw = models.CharField(max_length=254)  # as it came, for display
    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="identifiers")
    profile = models.ForeignKey(Profile, on_delete=models.PROTECT, related_name="identifiers")
    is_evidence = models.BooleanField()  # false: masked, junk, malformed, typed by an agent
    problem = models.CharField(max_length=30, blank=True)  # code of ingestion.normalise.values.Problem
    is_current = models.BooleanField(default=True)  # false: the record has since stated other values
    valid_from = models.DateTimeField()  # source's clock
    last_stated_at = models.DateTimeField()  # source's clock
    valid_to = models.DateTimeField(null=True)  # a phone that somebody else claimed later

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["record", "kind", "namespace", "value"], name="identifier_of_record"),
        ]
        indexes: ClassVar = [
            # who holds this key: resolution and exact search
            models.Index(fields=["kind", "value", "namespace"], name="identifier_by_value"),
            # whom a caller may be who says the end of a number
            models.Index(Right("value", 4), name="identifier_last_four", condition=models.Q(kind="phone")),
        ]


class IdentifierKey(models.Model):
    """One row: the one owner of a key that is evidence, or `shared` with none. Derived; the constraint against twins.

    Written by the resolution pipeline under the key's advisory lock."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": PERSONAL, "id": NONE, "shared": NONE, "kind": NONE}

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20)
    namespace = models.CharField(max_length=50)
    value = models.CharField(max_length=254)
    profile = models.ForeignKey(Profile, null=True, on_delete=models.CASCADE, related_name="identifier_keys")
    shared = models.BooleanField(default=False)  # on more people than one: evidence for nobody alone

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "namespace", "value"], name="identifier_key_once"),
            models.CheckConstraint(
                name="identifier_key_owner_or_shared",
                condition=models.Q(shared=True, profile__isnull=True) | models.Q(shared=False, profile__isnull=False),
            ),
        ]


class LinkDecision(models.Model):
    """One row: an edge between two records, or the withdrawal of one. Append-only by trigger; erasure alone deletes.

    `link` joins, `never` vetoes, `related` notes a household, `withdraw` cancels the decision in `withdraws`.
    Deterministic ones are recorded by the pipeline (derived from evidence, kept as history), the others are truth.
    """

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "record_a": PSEUDONYMOUS,
        "record_b": PSEUDONYMOUS,
        "evidence": PSEUDONYMOUS,
        "reason": PERSONAL,
    }

    class Action(models.TextChoices):
        LINK = "link", _("same person")
        NEVER = "never", _("not the same person")
        RELATED = "related", _("related, not the same")
        WITHDRAW = "withdraw", _("withdrawn")

    class Kind(models.TextChoices):
        DETERMINISTIC = "deterministic", _("by an identifier")
        MODEL = "model", _("by the learned model")
        STEWARD = "steward", _("by a person")

    id = models.BigAutoField(primary_key=True)
    action = models.CharField(max_length=10, choices=Action.choices)
    kind = models.CharField(max_length=15, choices=Kind.choices)
    record_a = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")
    record_b = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")
    withdraws = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="withdrawn_by")
    score = models.FloatField(null=True)  # of the model, 0–1
    evidence = models.JSONField(default=dict)  # rule, key kind, namespace; never a value
    reason = models.CharField(max_length=300, blank=True)
    actor = models.CharField(max_length=60)
    at = models.DateTimeField(auto_now_add=True)
    operation_id = models.UUIDField(null=True)

    objects = LinkDecisionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="link_decision_withdraws_iff_withdraw",
                condition=models.Q(action="withdraw", withdraws__isnull=False)
                | (~models.Q(action="withdraw") & models.Q(withdraws__isnull=True)),
            ),
            models.CheckConstraint(
                name="link_decision_two_records", condition=~models.Q(record_a=models.F("record_b"))
            ),
        ]
        indexes: ClassVar = [
            # what a model has joined
            models.Index(fields=["id"], name="link_decision_of_model", condition=models.Q(kind="model", action="link")),
        ]


class PendingResolution(models.Model):
    """One row: a record that belongs to another profile than the one it is in, and could not be moved at once since
    a digest step was writing to it. Written by the resolution pipeline; goes when the move is carried out, right
    after the step."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": PSEUDONYMOUS, "since": NONE}

    record = models.OneToOneField(SourceRecord, primary_key=True, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(auto_now_add=True)


class NameToken(models.Model):
    """One row: a distinct word of somebody's name, with the forms by which it is searched. Written by the digest;
    goes when the last record that uses it goes."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": PERSONAL, "id": NONE, "bearers": NONE, "spellings": NONE}

    id = models.BigAutoField(primary_key=True)
    token = models.CharField(max_length=80)  # folded: lower case, Thai tone marks stripped
    # How it sounds, in Latin letters; "": stored before readings were kept (`name_index.fill_readings`).
    reading = models.CharField(max_length=80, default="")
    skeleton = models.CharField(max_length=40)  # consonants, the same for Thai and Latin spellings
    # Of both see `name_spellings`. About how many records bear it; 0: few, or not counted yet.
    bearers = models.PositiveIntegerField(default=0, db_default=0)
    # Ids of the words of the other script that customers who bear this one bear as well.
    spellings = ArrayField(models.BigIntegerField(), default=list, db_default=[])

    objects = NameTokenQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # Two words may be spelled alike but for a mark that silences a letter, and be read otherwise.
            models.UniqueConstraint(fields=["token", "reading"], name="name_token_once"),
        ]
        indexes: ClassVar = [
            # what is left to be read
            models.Index(fields=["id"], name="name_token_unread", condition=models.Q(reading="")),
        ]


class RecordName(models.Model):
    """One row: a record's name contains a token. Written by the digest with the record's attributes."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": PSEUDONYMOUS, "id": NONE}

    id = models.BigAutoField(primary_key=True)
    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="name_tokens")
    token = models.ForeignKey(NameToken, on_delete=models.CASCADE, db_index=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["token", "record"], name="record_name_once")]
