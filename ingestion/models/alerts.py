"""Alerts: what is watched at a source, what was found, who is told and whether it reached them."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import Department, User
from cdp_site.core.personal_data import NONE, Classification
from ingestion.health.querysets import AlertDeliveryQuerySet, AlertQuerySet, AlertRecipientQuerySet
from ingestion.models.source import Source


class AlertKind(models.TextChoices):
    """What can be wrong with a source, worst first."""

    BACKLOG = "backlog", _("backlog")
    SILENT = "silent", _("silent")
    QUARANTINE = "quarantine", _("violations")
    IMPORT = "import", _("import failed")
    CLOCK = "clock", _("wrong clock")


class WatchRule(models.Model):
    """One row: what is watched at a source, where that differs from the defaults of these fields. Written on its
    settings page."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    source = models.OneToOneField(Source, primary_key=True, on_delete=models.CASCADE, related_name="watch_rule")
    silence = models.BooleanField(_("When nothing comes although it usually does"), default=True)
    silence_hours = models.PositiveSmallIntegerField(  # empty: by its own rhythm
        _("Silent for"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(24 * 60)]
    )
    quarantine = models.BooleanField(_("When many messages cannot be used"), default=True)
    quarantine_percent = models.PositiveSmallIntegerField(  # of the messages of the last hour
        _("Held back, of 100"), default=5, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    backlog = models.BooleanField(_("When messages wait too long"), default=True)
    backlog_minutes = models.PositiveSmallIntegerField(
        _("Waiting for"), default=10, validators=[MinValueValidator(1), MaxValueValidator(24 * 60)]
    )
    imports = models.BooleanField(_("When an import fails"), default=True)
    clock = models.BooleanField(_("When its clock is wrong"), default=True)
    clock_minutes = models.PositiveSmallIntegerField(
        _("Wrong by"), default=30, validators=[MinValueValidator(1), MaxValueValidator(24 * 60)]
    )


class Alert(models.Model):
    """One row: something was wrong with a source, from when to when. Written by `health.watch`; a person may
    acknowledge it. Kept as the source's history."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, db_index=False)  # alert_of_source
    kind = models.CharField(max_length=12, choices=AlertKind.choices)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    good_since = models.DateTimeField(null=True)  # it closes when things have been good for a while
    value = models.FloatField()  # what was measured when it opened; its unit is that of the kind's threshold
    threshold = models.FloatField()  # hours (silent), percent (violations), minutes (backlog, clock), 1 (import)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # opened once
            models.UniqueConstraint(
                fields=["source", "kind"], name="alert_open_once", condition=models.Q(closed_at__isnull=True)
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["source", "-opened_at"], name="alert_of_source")]  # its history


class AlertRecipient(models.Model):
    """One row: an address that alerts go to: of a department's sources and the common ones, or of all. Written on the
    settings page."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}  # of staff

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        WEBHOOK = "webhook", _("Webhook")

    id = models.BigAutoField(primary_key=True)
    department = models.ForeignKey(
        Department,
        verbose_name=_("Sources of"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
    )
    channel = models.CharField(_("Channel"), max_length=8, choices=Channel.choices)
    address = models.CharField(_("Address"), max_length=500)  # of a mailbox, or URL
    language = models.CharField(_("Language"), max_length=2, default="th")
    secret = models.BinaryField(null=True)  # sealed key of the signature (webhooks)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AlertRecipientQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["department", "channel", "address"], name="alert_recipient_once", nulls_distinct=False
            )
        ]
        ordering: ClassVar = ["channel", "address"]


class AlertDelivery(models.Model):
    """One row: one message to one recipient. Written in the transaction that opens or closes the alert; sent by a job,
    which tries again with growing pauses. Goes with its alert or recipient."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Event(models.TextChoices):
        OPENED = "opened", _("opened")
        CLOSED = "closed", _("closed")
        TEST = "test", _("test")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    id = models.BigAutoField(primary_key=True)
    alert = models.ForeignKey(Alert, null=True, on_delete=models.CASCADE, db_index=False)  # alert_told_once
    recipient = models.ForeignKey(AlertRecipient, on_delete=models.CASCADE)
    event = models.CharField(max_length=8, choices=Event.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    problem = models.CharField(max_length=40, blank=True)  # a code of health.delivery, or "http_503"
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    objects = AlertDeliveryQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "recipient", "event"], name="alert_told_once"),
        ]
        indexes: ClassVar = [
            # what is to be sent
            models.Index(fields=["due_at"], name="alert_delivery_due", condition=models.Q(status="waiting")),
        ]
