"""Sources and what arrives from them, until the digest has made profiles of it.

Ingestion knows nothing of people: it hands batches over by table state and profiles claim them.
"""

from ingestion.models.alerts import Alert, AlertDelivery, AlertKind, AlertRecipient, WatchRule
from ingestion.models.corrections import CorrectionRule, Replay
from ingestion.models.files import FieldMapping, FileImport, RowDigests
from ingestion.models.health import (
    AccountRow,
    FutureHour,
    ImportAccountRow,
    ImportRollUp,
    ReceivedHour,
    RejectedHour,
    RemovedByRetention,
    RetentionRule,
)
from ingestion.models.inbound import InboundBatch, QuarantinedItem, SeenMessage, SuppressedIdentifier
from ingestion.models.plan import PlanObservation, PlanSchema, PlanViolation, Rulebook
from ingestion.models.pulls import ArrivedFile, Pull, WatchedFolder
from ingestion.models.source import SendingRate, Source, WriteKey
from ingestion.models.trials import ImportTrial
from ingestion.models.webhooks import LinkNonce, RelayDelivery, Webhook

__all__ = [
    "AccountRow",
    "Alert",
    "AlertDelivery",
    "AlertKind",
    "AlertRecipient",
    "ArrivedFile",
    "CorrectionRule",
    "FieldMapping",
    "FileImport",
    "FutureHour",
    "ImportAccountRow",
    "ImportRollUp",
    "ImportTrial",
    "InboundBatch",
    "LinkNonce",
    "PlanObservation",
    "PlanSchema",
    "PlanViolation",
    "Pull",
    "QuarantinedItem",
    "ReceivedHour",
    "RejectedHour",
    "RelayDelivery",
    "RemovedByRetention",
    "Replay",
    "RetentionRule",
    "RowDigests",
    "Rulebook",
    "SeenMessage",
    "SendingRate",
    "Source",
    "SuppressedIdentifier",
    "WatchRule",
    "WatchedFolder",
    "Webhook",
    "WriteKey",
]
