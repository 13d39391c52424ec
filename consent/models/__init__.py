"""Schema of the consent app: purposes, the ledger, requests of data subjects."""

from consent.models.breach import Breach, BreachPerson
from consent.models.forwarded import ForwardedRequest
from consent.models.hold import LegalHold
from consent.models.ledger import ConsentEntry, RepeatedCell, SecondedCell, VoidEntry
from consent.models.messages import MessageGateway, OutgoingMessage
from consent.models.notice import Notice
from consent.models.package import AccessPackage
from consent.models.purpose import Channel, Purpose
from consent.models.request import DataSubjectRequest, ErasureStep
from consent.models.request_steps import IdentityCode, RequestAlert
from consent.models.retention import KeepingRule, RemovedByRule

__all__ = [
    "AccessPackage",
    "Breach",
    "BreachPerson",
    "Channel",
    "ConsentEntry",
    "DataSubjectRequest",
    "ErasureStep",
    "ForwardedRequest",
    "IdentityCode",
    "KeepingRule",
    "LegalHold",
    "MessageGateway",
    "Notice",
    "OutgoingMessage",
    "Purpose",
    "RemovedByRule",
    "RepeatedCell",
    "RequestAlert",
    "SecondedCell",
    "VoidEntry",
]
