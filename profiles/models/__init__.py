"""Schema of the profiles app: who people are and what they did."""

from profiles.models.accounts import Account, AccountMembership
from profiles.models.behaviour import (
    HAS_LIST,
    EventType,
    KindOfData,
    Note,
    Pin,
    Touchpoint,
    Trait,
    TraitGroup,
)
from profiles.models.calling import Call, CallerCheck
from profiles.models.cases import Case, CaseNote
from profiles.models.catalogue import ExchangeRate, Product, Synonym, Term
from profiles.models.dispositions import Disposition
from profiles.models.editing import AgentEdit, NoteDraft, Presence
from profiles.models.identity import (
    Identifier,
    IdentifierKey,
    LinkDecision,
    NameToken,
    PendingResolution,
    RecordName,
)
from profiles.models.matching import (
    BlockKey,
    MatchChange,
    MatchLabel,
    MatchModel,
    MatchRun,
    ReviewPair,
    RunRecord,
    ScoredPair,
    UnmatchedChange,
    VerifiedRecord,
)
from profiles.models.openings import CustomerOpening, OpeningReason
from profiles.models.orders import Order, OrderLine, Refund
from profiles.models.page import PanelPlace
from profiles.models.profile import DAY_FACETS, FACETS, Membership, Profile, SourceRecord, SourceRecordVersion
from profiles.models.quality import QualityFinding, QualityLook
from profiles.models.reverts import OrderShare, RecordShare, Revert, TouchpointShare

__all__ = [
    "DAY_FACETS",
    "FACETS",
    "HAS_LIST",
    "Account",
    "AccountMembership",
    "AgentEdit",
    "BlockKey",
    "Call",
    "CallerCheck",
    "Case",
    "CaseNote",
    "CustomerOpening",
    "Disposition",
    "EventType",
    "ExchangeRate",
    "Identifier",
    "IdentifierKey",
    "KindOfData",
    "LinkDecision",
    "MatchChange",
    "MatchLabel",
    "MatchModel",
    "MatchRun",
    "Membership",
    "NameToken",
    "Note",
    "NoteDraft",
    "OpeningReason",
    "Order",
    "OrderLine",
    "OrderShare",
    "PanelPlace",
    "PendingResolution",
    "Pin",
    "Presence",
    "Product",
    "Profile",
    "QualityFinding",
    "QualityLook",
    "RecordName",
    "RecordShare",
    "Refund",
    "Revert",
    "ReviewPair",
    "RunRecord",
    "ScoredPair",
    "SourceRecord",
    "SourceRecordVersion",
    "Synonym",
    "Term",
    "Touchpoint",
    "TouchpointShare",
    "Trait",
    "TraitGroup",
    "UnmatchedChange",
    "VerifiedRecord",
]
