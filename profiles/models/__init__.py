"""Schema of the profiles app: who people are and what they did."""

from profiles.models.accounts import Account, AccountMembership
from profiles.models.behaviour import (
    EventType,
    KindOfData,
    Note,
    Order,
    OrderLine,
    Pin,
    Refund,
    Touchpoint,
    Trait,
    TraitGroup,
)
from profiles.models.identity import (
    Identifier,
    IdentifierKey,
    LinkDecision,
    NameToken,
    PendingResolution,
    RecordName,
)
from profiles.models.profile import Membership, Profile, SourceRecord, SourceRecordVersion

    "Account",
    "AccountMembership",
__all__ = [
    "EventType",
    "Identifier",
    "IdentifierKey",
    "KindOfData",
    "LinkDecision",
    "Membership",
    "NameToken",
    "Note",
    "Order",
    "OrderLine",
    "PendingResolution",
    "Pin",
    "Profile",
    "RecordName",
    "Refund",
    "SourceRecord",
    "SourceRecordVersion",
    "Touchpoint",
    "Trait",
    "TraitGroup",
]
