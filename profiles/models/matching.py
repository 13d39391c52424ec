"""What the learned matching keeps: versions of the model, verdicts of people, pairs that wait for one, runs."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from profiles.models.profile import SourceRecord
from profiles.querysets import MatchRunQuerySet
from profiles.querysets_models import MatchModelQuerySet


class MatchModel(models.Model):
    """One row: a version of the matching model. Its file holds weights and rules for keys, no values of anybody; it is
    made from the labels alone and can be made again. Written by the training job; activated by a steward."""

    # The reason of an override is about the model, as a segment's description is about the segment; its form says so.
    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Status(models.TextChoices):
        TRAINING = "training", _("is being trained")
        FAILED = "failed", _("could not be trained")
        READY = "ready", _("ready, not in use")
        ACTIVE = "active", _("in use")
        RETIRED = "retired", _("replaced, its merges stand")
        WITHDRAWN = "withdrawn", _("rolled back")

    id = models.BigAutoField(primary_key=True)
    version = models.PositiveIntegerField(unique=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.TRAINING)
    progress = models.JSONField(default=dict)  # {"phase", "done", "total"}
    beat_at = models.DateTimeField(null=True)  # the training job's sign of life
    problem = models.JSONField(null=True)  # {"code", …}: why it could not be trained
    labels = models.JSONField(default=dict)  # {"same", "different", "held_out_same", "held_out_different"}
    measures = models.JSONField(default=dict)  # {"precision", "recall", "f1", "agreement", …} on held-out labels
    histogram = models.JSONField(default=list)  # pairs by score, equal bins: [{"same", "different", "other"}]
    proposals = models.JSONField(default=list)  # [{"precision", "attach", "review", "pairs", "hours"}]
    attach_threshold = models.FloatField(null=True)  # 0–1: from here on records are joined
    review_threshold = models.FloatField(null=True)  # 0–1: from here on a person is asked
    thresholds_at = models.DateTimeField(null=True)  # a trial from before then tried others
    seconds = models.FloatField(null=True)
    memory_mb = models.PositiveIntegerField(null=True)
    file_mac = models.BinaryField(max_length=32, null=True)
    file_bytes = models.PositiveIntegerField(null=True)
    override_reason = models.CharField(max_length=300, blank=True)  # activated although there are few labels
    created_by = models.CharField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)
    activated_by = models.CharField(max_length=60, blank=True)
    activated_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # replaced or rolled back

    objects = MatchModelQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["status"], name="match_model_one_active", condition=models.Q(status="active")
            ),
        ]


class MatchLabel(models.Model):
    """One row: what a person said of two records. `record_a` is the lower id. What is taken back stays as a row with
    `undone_at`; the newest standing one of a person counts. Never holds values of the records."""

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "record_a": PSEUDONYMOUS,
        "record_b": PSEUDONYMOUS,
        "comment": PERSONAL,
    }

    class Verdict(models.TextChoices):
        SAME = "same", _("same person")
        DIFFERENT = "different", _("different people")
        RELATED = "related", _("related, not the same")
        UNSURE = "unsure", _("cannot be told")

    class Origin(models.TextChoices):
        QUEUE = "queue", _("review")
        TRAINING = "training", _("training")
        CALL = "call", _("asked at a call")
        PROFILE = "profile", _("customer's page")
        BULK = "bulk", _("many at once")

    id = models.BigAutoField(primary_key=True)
    record_a = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")
    record_b = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    is_held_out = models.BooleanField(default=False)  # measures models and stewards, trains none
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)
    operation_id = models.UUIDField(null=True)  # the merge or the refusal that it became
    model = models.ForeignKey(MatchModel, null=True, on_delete=models.SET_NULL, related_name="+")
    score = models.FloatField(null=True)  # what the model had said, 0–1
    comment = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="match_label_ordered", condition=models.Q(record_a__lt=models.F("record_b"))),
        ]
        indexes: ClassVar = [
            # what has been said of a pair; of everything, newest first
            models.Index(fields=["record_a", "record_b"], name="match_label_of_pair"),
            models.Index(fields=["by", "-at"], name="match_label_of_person"),
        ]


class ReviewPair(models.Model):
    """One row: two records that may be one person, waiting for a person's verdict, or settled. `record_a` is the lower
    id. Written by online and batch matching and by training; what was settled is not asked again."""

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "record_a": PSEUDONYMOUS,
        "record_b": PSEUDONYMOUS,
        "evidence": PSEUDONYMOUS,
    }

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SECOND = "second", _("waiting for a second person")
        SETTLED = "settled", _("settled")
        GONE = "gone", _("settled by other evidence")

    class Reason(models.TextChoices):
        BAND = "band", _("the model is not sure")
        GUARD = "guard", _("a guard rail held it back")
        VERIFIED = "verified", _("a verified record")
        TRAINING = "training", _("the model learns from it")
        HELD_OUT = "held_out", _("measures the model and the stewards")

    id = models.BigAutoField(primary_key=True)
    record_a = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")
    record_b = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=10, choices=Reason.choices)
    model = models.ForeignKey(MatchModel, null=True, on_delete=models.SET_NULL, related_name="+")
    score = models.FloatField(null=True)  # 0–1
    evidence = models.JSONField(default=dict)  # {"prior", "fields": [[field, log-odds], …]}: never a value
    worth = models.FloatField(default=0)  # what a merge is worth: orders and reach of both, higher first
    is_held_out = models.BooleanField(default=False)
    weight = models.FloatField(default=1, db_default=1)  # of a pair that is held out: how many pairs it stands for
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    claimed_until = models.DateTimeField(null=True)
    is_flagged = models.BooleanField(default=False)  # somebody wants a colleague to look
    asks_at_call = models.BooleanField(default=False)  # one question on the agent's page
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["record_a", "record_b"], name="review_pair_once"),
            models.CheckConstraint(name="review_pair_ordered", condition=models.Q(record_a__lt=models.F("record_b"))),
        ]
        indexes: ClassVar = [
            # the queue: what comes first, by worth, by uncertainty; questions for a call
            models.Index(
                fields=["-worth", "id"],
                name="review_first",
                condition=models.Q(state="second") | models.Q(state="waiting", is_flagged=True),
            ),
            models.Index(fields=["-worth", "id"], name="review_by_worth", condition=models.Q(state="waiting")),
            models.Index(fields=["score", "id"], name="review_by_score", condition=models.Q(state="waiting")),
            models.Index(fields=["record_b"], name="review_at_call", condition=models.Q(asks_at_call=True)),
        ]


class BlockKey(models.Model):
    """One row: a record has a blocking key: records that share one are compared. `key` is a keyed hash of rule and
    value. Written with the record while a model is in use; made anew when another is activated."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": PSEUDONYMOUS, "id": NONE}

    id = models.BigAutoField(primary_key=True)
    key = models.BigIntegerField()
    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="block_keys")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["key", "record"], name="block_key_once")]


class MatchRun(models.Model):
    """One row: a run of matching over everything or over what changed, real or in the shadow. Resumable: `cursor` says
    how far it came."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Kind(models.TextChoices):
        BATCH = "batch", _("matching")
        SHADOW = "shadow", _("trial of a model")
        ROLLBACK = "rollback", _("taking a model's merges back")

    class Status(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("finished")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    model = models.ForeignKey(MatchModel, null=True, on_delete=models.SET_NULL, related_name="runs")
    everything = models.BooleanField(default=False)  # not only what changed since the last run
    phase = models.CharField(max_length=20, blank=True)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    cursor = models.JSONField(default=dict)
    report = models.JSONField(default=dict)  # counts by name; see `run_report`
    beat_at = models.DateTimeField(null=True)
    cancel_asked = models.BooleanField(default=False)
    problem = models.CharField(max_length=300, blank=True)
    started_by = models.CharField(max_length=60)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    objects = MatchRunQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # two runs at once would each decide without the other's links
            models.UniqueConstraint(
                fields=["status"],
                name="match_run_one_running",
                condition=models.Q(status="running", kind__in=["batch", "shadow"]),
            ),
        ]


class RunRecord(models.Model):
    """One row: a record that a run over what changed looks at, in the order of ids. Written by the run, also for the
    records that it reaches; goes with its end."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "record": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(MatchRun, on_delete=models.CASCADE, db_index=False, related_name="+")
    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "record"], name="run_record_once")]


class ScoredPair(models.Model):
    """One row: two records that a run has found alike, at least as much as a person would be asked about. Written by
    the run; goes with its end."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "record_a": PSEUDONYMOUS, "record_b": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(MatchRun, on_delete=models.CASCADE, related_name="+")
    record_a = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")
    record_b = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")
    score = models.FloatField()  # 0–1


class MatchChange(models.Model):
    """One row: a link that a run made, took back or held back; of a trial: would. Listed by its report, for some months
    after its end (profiles.matching.forgetting)."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "record_a": PSEUDONYMOUS, "record_b": PSEUDONYMOUS}

    class Action(models.TextChoices):
        LINK = "link", _("joined")
        WITHDRAW = "withdraw", _("parted")
        REVIEW = "review", _("a person is asked")
        HELD_BACK = "held_back", _("held back by a guard rail")

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(MatchRun, on_delete=models.CASCADE, related_name="changes")
    action = models.CharField(max_length=10, choices=Action.choices)
    record_a = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")
    record_b = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")
    score = models.FloatField(null=True)
    guard = models.CharField(max_length=20, blank=True)  # which guard rail


class UnmatchedChange(models.Model):
    """One row: a record whose names or keys changed since the last batch run looked at it. Written with the record
    while a model is in use; goes when a run has looked."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": PSEUDONYMOUS, "since": NONE}

    record = models.OneToOneField(SourceRecord, primary_key=True, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(auto_now_add=True)


class VerifiedRecord(models.Model):
    """One row: a person has made sure that this record's profile is right: the model changes it no more, it asks."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "record": PSEUDONYMOUS, "reason": PERSONAL}

    record = models.OneToOneField(SourceRecord, primary_key=True, on_delete=models.CASCADE, related_name="verified")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(max_length=300, blank=True)
