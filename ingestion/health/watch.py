"""The watch: measures every source by its rule and opens and closes alerts. Run by the clock, each minute.

An alert opens once, when a measure reaches its limit, and closes when the measure has been clearly below it (half of
it) for CALM: what swings around the limit makes one alert. Who is to hear of it is noted in the same transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from ingestion.health import delivery, rhythm, skew
from ingestion.models import AccountRow, Alert, AlertDelivery, AlertKind, FileImport, FutureHour, Source, WatchRule

CALM: Final = timedelta(minutes=10)
QUARANTINE_WINDOW: Final = timedelta(hours=1)
FEWEST_QUARANTINED: Final = 20  # a handful of bad messages is no spike
BULK_PATIENCE: Final = 12  # an import may wait that many times as long as what is live
IMPORT_WINDOW: Final = timedelta(days=7)
FUTURE_WINDOW: Final = timedelta(days=1)
FEWEST_FUTURE: Final = 20
RHYTHM_WINDOW: Final = timedelta(days=400)  # after a year of silence nothing is usual any more
_LOCK: Final = 0x5EA7C4  # one watch at a time, whatever process it runs in


@dataclass(frozen=True, slots=True)
class Reading:
    """A measure and its limit, in the unit of the kind (`Alert.threshold`)."""

    source_id: int
    kind: AlertKind
    value: float
    limit: float

    @property
    def is_bad(self) -> bool:
        return self.value >= self.limit

    @property
    def is_good(self) -> bool:
        return self.value < self.limit / 2


@dataclass(frozen=True, slots=True)
class Outcome:
    opened: int = 0
    closed: int = 0


def check() -> Outcome:
    """Measure every source and bring its alerts up to date. One transaction; does nothing while another one runs."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return Outcome()
        sources = {source.pk: source for source in Source.objects.active().external()}
        return _settle(sources, list(measure(sources.values())), now=timezone.now())


def measure(sources: Iterable[Source]) -> Iterable[Reading]:
    """What is watched at these sources; six queries, two more when one of them has been quiet for long."""
    rules = {source.pk: WatchRule(source=source) for source in sources}
    rules.update(WatchRule.objects.in_bulk(rules.keys()))
    yield from _backlogs({pk: rule for pk, rule in rules.items() if rule.backlog})
    yield from _silences({pk: rule for pk, rule in rules.items() if rule.silence})
    yield from _quarantines({pk: rule for pk, rule in rules.items() if rule.quarantine})
    yield from _imports({pk: rule for pk, rule in rules.items() if rule.imports})
    yield from _clocks({pk: rule for pk, rule in rules.items() if rule.clock})


_Rules = Mapping[int, WatchRule]

_WAITING = """
SELECT source_id,
       extract(epoch FROM %(now)s - min(received_at) FILTER (WHERE lane < 2)) / 60,
       extract(epoch FROM %(now)s - min(received_at) FILTER (WHERE lane = 2)) / 60
  FROM ingestion_inboundbatch WHERE status = 'waiting' GROUP BY source_id
"""


def _backlogs(rules: _Rules) -> Iterable[Reading]:
    """Minutes that the oldest message has waited."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"now": timezone.now()})
        waited = {pk: max(float(live or 0), float(bulk or 0) / BULK_PATIENCE) for pk, live, bulk in cursor.fetchall()}
    for pk, rule in rules.items():
        yield Reading(pk, AlertKind.BACKLOG, waited.get(pk, 0.0), float(rule.backlog_minutes))


_LAST = """
SELECT wanted.source_id, greatest(
         (SELECT max(received_at) FROM ingestion_inboundbatch AS batch WHERE batch.source_id = wanted.source_id),
         (SELECT last_received_at FROM ingestion_receivedhour AS hour WHERE hour.source_id = wanted.source_id
           ORDER BY hour.hour DESC LIMIT 1))
  FROM unnest(%s::bigint[]) AS wanted(source_id)
"""


def _silences(rules: _Rules) -> Iterable[Reading]:
    """Hours since the last message, of sources that have sent before and whose rhythm is known or set."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_LAST, [list(rules)])
        quiet = {pk: now - last for pk, last in cursor.fetchall() if last is not None}
    own_rhythm = [pk for pk, span in quiet.items() if rules[pk].silence_hours is None and span >= rhythm.SHORTEST]
    allowed = _rhythms(own_rhythm, now) if own_rhythm else {}
    for pk, span in quiet.items():
        fixed = rules[pk].silence_hours
        limit = timedelta(hours=fixed) if fixed else allowed.get(pk, rhythm.SHORTEST)
        if fixed or pk in allowed or span < rhythm.SHORTEST:
            yield Reading(pk, AlertKind.SILENT, span / timedelta(hours=1), limit / timedelta(hours=1))


def _rhythms(source_ids: list[int], now: datetime) -> dict[int, timedelta]:
    hours: dict[int, list[datetime]] = {}
    received = AccountRow.objects.of_sources(source_ids).received_since(now - RHYTHM_WINDOW)
    for pk, hour in received.active_hours():
        hours.setdefault(pk, []).append(hour)
    found = {pk: rhythm.longest_pause(active) for pk, active in hours.items()}
    return {pk: pause for pk, pause in found.items() if pause is not None}


def _quarantines(rules: _Rules) -> Iterable[Reading]:
    """Messages held back, of 100 that the last hour brought and that are digested."""
    since = timezone.now() - QUARANTINE_WINDOW
    rows = {row["source"]: row for row in AccountRow.objects.received_since(since).equation_by_source()}
    for pk, rule in rules.items():
        row = rows.get(pk)
        held = row["quarantined"] if row else 0
        share = 100.0 * held / (row["received"] - row["waiting"]) if row and held >= FEWEST_QUARANTINED else 0.0
        yield Reading(pk, AlertKind.QUARANTINE, share, float(rule.quarantine_percent))


def _imports(rules: _Rules) -> Iterable[Reading]:
    """1 while the last import of the last days is one that failed."""
    since = timezone.now() - IMPORT_WINDOW
    last = FileImport.objects.of_sources(rules.keys()).last_status_by_source(since)
    for pk in rules:
        yield Reading(pk, AlertKind.IMPORT, float(last.get(pk) == FileImport.Status.FAILED), 1.0)


def _clocks(rules: _Rules) -> Iterable[Reading]:
    """Minutes between the sender's clock and ours; or by which messages are dated in the future, when it is many."""
    skews = skew.of_sources(rules.keys())
    ahead = FutureHour.objects.of_sources(rules.keys()).furthest_by_source(
        timezone.now() - FUTURE_WINDOW, fewest=FEWEST_FUTURE
    )
    for pk, rule in rules.items():
        apart = abs(skews[pk].seconds) / 60 if pk in skews else 0.0
        future = ahead[pk] / timedelta(minutes=1) if pk in ahead else 0.0
        yield Reading(pk, AlertKind.CLOCK, max(apart, future), float(rule.clock_minutes))


# --- alerts ---------------------------------------------------------------------------------------------------------


def _settle(sources: Mapping[int, Source], readings: list[Reading], *, now: datetime) -> Outcome:
    """Open and close; what is no longer watched closes without a word."""
    alerts = {(one.source_id, one.kind): one for one in Alert.objects.open().select_for_update().order_by("pk")}
    watched = {(reading.source_id, reading.kind.value) for reading in readings}
    for key in alerts.keys() - watched:
        _close(alerts[key], now)
    opened = [reading for reading in readings if reading.is_bad and (reading.source_id, reading.kind) not in alerts]
    for reading in opened:
        alert = Alert.objects.create(
            source=sources[reading.source_id],
            kind=reading.kind,
            opened_at=now,
            value=reading.value,
            threshold=reading.limit,
        )
        delivery.announce(alert, AlertDelivery.Event.OPENED)
    closed = 0
    for reading in readings:
        held = alerts.get((reading.source_id, reading.kind.value))
        if held is not None and _calms_down(held, reading, now):
            _close(held, now)
            delivery.announce(held, AlertDelivery.Event.CLOSED)
            closed += 1
    return Outcome(len(opened), closed)


def _calms_down(alert: Alert, reading: Reading, now: datetime) -> bool:
    """Whether it has been good for long enough; notes since when it has."""
    good_since = (alert.good_since or now) if reading.is_good else None
    if good_since != alert.good_since:
        alert.good_since = good_since
        alert.save(update_fields=["good_since"])
    return good_since is not None and now - good_since >= CALM


def _close(alert: Alert, now: datetime) -> None:
    alert.closed_at = now
    alert.save(update_fields=["closed_at"])
