"""People as plain data: what sources said and what happened, before anything is derived from it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from consent import states
from consent.contacts import HARMLESS

BASES: Mapping[str, states.Basis] = {"research": states.Basis.LEGITIMATE_INTEREST}
"""Legal bases of purposes that are not asked for consent."""


@dataclass(frozen=True)
class RawSource:
    slug: str
    trust_rank: int


@dataclass(frozen=True)
class RawTouchpoint:
    source: str
    event: str
    occurred_at: dt.datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RawProduct:
    """A product of the catalogue; `namespace` is the slug of the source that sells it."""

    namespace: str
    sku: str
    name: str = ""
    category: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RawLine:
    sku: str = ""
    name: str = ""
    category: str = ""
    color: str = ""
    coupon: str = ""
    quantity: Decimal = Decimal("1.000")
    unit_price: Decimal | None = None
    list_price: Decimal | None = None
    discount: Decimal = Decimal(0)
    coupon_discount: Decimal = Decimal(0)


@dataclass(frozen=True)
class RawIdentifier:
    """An address as a record holds it: `is_current`, unless it has stated another since; `is_ended`, when somebody
    else claimed it later."""

    kind: str
    value: str
    problem: str = ""
    is_current: bool = True
    is_ended: bool = False

    @property
    def is_good(self) -> bool:
        return self.problem in HARMLESS and self.is_current and not self.is_ended


@dataclass(frozen=True)
class RawOrder:
    source: str
    total: Decimal
    placed_at: dt.datetime
    currency: str = "THB"
    refunded: Decimal = Decimal(0)
    is_cancelled: bool = False
    lines: tuple[RawLine, ...] = ()
    discount: Decimal = Decimal(0)


@dataclass(frozen=True)
class RawConsent:
    purpose: str
    channel: str
    state: str
    occurred_at: dt.datetime
    address: str = ""
    origin: str = "event"


@dataclass(frozen=True)
class RawRecord:
    """What one source knows. `times`: trait → when it was stated; others when the record was last seen."""

    source: str
    last_seen_at: dt.datetime
    attributes: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, dt.datetime] = field(default_factory=dict)
    pins: frozenset[str] = frozenset()
    consents: tuple[RawConsent, ...] = ()
    identifiers: tuple[RawIdentifier, ...] = ()
    lists: frozenset[str] = frozenset()  # ids


@dataclass(frozen=True)
class RawPerson:
    """The first record is the anchor; touchpoints and orders hang on it whatever source they came by."""

    records: tuple[RawRecord, ...]
    touchpoints: tuple[RawTouchpoint, ...] = ()
    orders: tuple[RawOrder, ...] = ()
    kind: str = "identified"
    state: str = "live"
    asks_erasure: bool = False


@dataclass(frozen=True)
class Eyes:
    """A viewer in terms of a population: None sees every source."""

    sources: frozenset[str] | None = None
    hidden_traits: frozenset[str] = frozenset()
    hidden_events: frozenset[str] = frozenset()

    def see(self, source: str) -> bool:
        return self.sources is None or source in self.sources


EVERYTHING = Eyes()
