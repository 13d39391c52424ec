"""What a message says about a customer, on its way from the landing to the source record."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ingestion.normalise.traits import NormalisedTraits


class SourceFacts(NamedTuple):
    """What reading needs to know of a source. The short name is also the namespace of its ids."""

    id: int
    slug: str
    phone_region: str


class RecordKey(NamedTuple):
    """What identifies a source record."""

    source_id: int
    kind: str  # SourceRecord.Kind
    external_id: str


class StatedIdentifier(NamedTuple):
    """An identifier as a message states it; `namespace` is final."""

    kind: str
    namespace: str
    value: str
    raw: str
    is_evidence: bool
    problem: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What one message says about one customer. `traits` None: nothing about the person, only that they were there.

    `own` is the identifier that the record's own id is (a user id, a device); it is stated when the record is born.
    """

    key: RecordKey
    occurred_at: datetime
    received_at: datetime
    traits: NormalisedTraits | None = None
    identifiers: tuple[StatedIdentifier, ...] = ()
    own: StatedIdentifier | None = None
    operation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """Where a statement's rows belong."""

    record_id: int
    profile_id: int
