"""Schema of the consent app: purposes, the ledger, requests of data subjects."""

from consent.models.forwarded import ForwardedRequest
from consent.models.ledger import ConsentEntry, RepeatedCell, SecondedCell, VoidEntry
from consent.models.purpose import Channel, Purpose
from consent.models.request import DataSubjectRequest, ErasureStep

__all__ = [
    "Channel",
    "ConsentEntry",
    "DataSubjectRequest",
    "ErasureStep",
    "ForwardedRequest",
    "Purpose",
    "RepeatedCell",
    "SecondedCell",
    "VoidEntry",
]
