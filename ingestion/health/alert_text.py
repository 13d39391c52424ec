"""What an alert says, in the reader's language: on the screen, in a mail, in a webhook. Never a customer's data."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from ingestion import wording
from ingestion.models import Alert, AlertKind

UNITS = {
    AlertKind.BACKLOG: "minutes",
    AlertKind.SILENT: "hours",
    AlertKind.QUARANTINE: "percent",
    AlertKind.IMPORT: "imports",
    AlertKind.CLOCK: "minutes",
}


def title(alert: Alert) -> str:
    """ "Web shop: silent"."""
    return f"{alert.source}: {alert.get_kind_display()}"


def describe(alert: Alert) -> str:
    """One or two sentences: what was found when it opened, and the limit."""
    if alert.kind == AlertKind.QUARANTINE:
        return _("%(share)s of 100 messages of the last hour cannot be used (limit: %(limit)s).") % {
            "share": f"{alert.value:.0f}",
            "limit": f"{alert.threshold:.0f}",
        }
    if alert.kind == AlertKind.IMPORT:
        return _("The last import failed.")
    per_unit = 3600 if alert.kind == AlertKind.SILENT else 60
    spans = {"span": wording.span(alert.value * per_unit), "limit": wording.span(alert.threshold * per_unit)}
    if alert.kind == AlertKind.SILENT:
        return _("Nothing has come for %(span)s. It is never silent for longer than %(limit)s.") % spans
    if alert.kind == AlertKind.BACKLOG:
        return _("Messages have been waiting to be processed for %(span)s (limit: %(limit)s).") % spans
    return _("Its clock is wrong by %(span)s (limit: %(limit)s).") % spans


def next_step(alert: Alert) -> str:
    """What to look at first."""
    return {
        AlertKind.BACKLOG: _("Look whether the worker runs and keeps up."),
        AlertKind.SILENT: _("Look whether the system runs, and whether its key still works."),
        AlertKind.QUARANTINE: _("Look into the quarantine; often a field has changed its name or form."),
        AlertKind.IMPORT: _("Open the import; it says what is wrong with the file."),
        AlertKind.CLOCK: _("Set the clock of the system that sends."),
    }[AlertKind(alert.kind)]


def address(alert: Alert) -> str:
    """Where a person reads on; empty while PUBLIC_URL is not set."""
    if not settings.PUBLIC_URL:
        return ""
    return settings.PUBLIC_URL.rstrip("/") + reverse("ingestion:source", args=[alert.source_id])
