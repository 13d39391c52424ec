"""Sources and what arrives from them, until the digest has made profiles of it.

Ingestion knows nothing of people: it hands batches over by table state and profiles claim them.
"""

from ingestion.models.files import FieldMapping, FileImport
from ingestion.models.inbound import InboundBatch, QuarantinedItem, SeenMessage, SuppressedIdentifier
from ingestion.models.source import Source, WriteKey

__all__ = [
    "FieldMapping",
    "FileImport",
    "InboundBatch",
    "QuarantinedItem",
    "SeenMessage",
    "Source",
    "SuppressedIdentifier",
    "WriteKey",
]
