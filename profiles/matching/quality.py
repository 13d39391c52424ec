"""How good the data is that customers are made of: who is in a source twice, what cannot be matched, who may be several
people, which identifiers say nothing.

A look goes over everything and takes seconds to minutes, so it is a job: nightly, and when somebody asks. Its numbers
are kept, to be compared with the next ones; the gravest cases behind each number, until the next look.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec
import structlog
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit, jobs
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import User
from ingestion.normalise.traits import names_of
from profiles.matching import active, rails
from profiles.models import QualityFinding, QualityLook
from profiles.resolution import neighbourhood
from profiles.resolution.evidence import DEFAULT_SETTINGS
from profiles.resolution.partition import Refusal, partition

log = structlog.get_logger("matching")

JOB: Final = "profiles.matching.quality.run"
ACTOR: Final = "system:quality"
MOST: Final = 500  # cases that are kept behind a number, of each source: more is no list to be worked off by hand
MOST_KEYS: Final = 5_000  # shared identifiers of which it is asked why they join nobody; those of most people first
KEYS_AT_ONCE: Final = 200
LOOKS_KEPT: Final = 30
LEASE: Final = timedelta(minutes=30)  # a look that has not ended by then has died

Kind = QualityFinding.Kind
# A user's or an order's number meets nothing outside of its own source, and a device is no person.
MEETING_KINDS: Final = sorted(DEFAULT_SETTINGS.unique_kinds - {"user"} | set(DEFAULT_SETTINGS.contact_kinds))
_NAME_PARTS: Final = ["title", "first_name", "last_name", "name", "display_name", "nickname"]
_WHY_NOT: Final = (Refusal.AMBIGUOUS, Refusal.NAMES_DIFFER, Refusal.ID_CONFLICT, Refusal.FAN_OUT, Refusal.NEVER)


class OfSource(msgspec.Struct):
    """One source: its records of known people, and how many people they are. `twice`: people who are in it several
    times, by `surplus` records too many; `keyless`: records that nothing could match."""

    source: int
    records: int = 0
    people: int = 0
    twice: int = 0
    surplus: int = 0
    keyless: int = 0


class OfKind(msgspec.Struct):
    """Identifiers of a kind that several people state: how many, on how many of them most, and how many are on so many
    that they say nothing about anybody."""

    kind: str
    keys: int
    overloaded: int
    most: int


class Figures(msgspec.Struct):
    """What a look has counted; people are live customers. `refused`: reason → unions that were not made, over `asked`
    of the shared identifiers."""

    sources: list[OfSource] = []
    names: int = 0
    two_ids: int = 0
    large: int = 0
    largest: int = 0
    shared: list[OfKind] = []
    refused: dict[str, int] = {}
    proposed: int = 0
    asked: int = 0
    seconds: float = 0.0

    def totals(self) -> dict[str, int]:
        """What is compared with an earlier look."""
        return {
            "twice": sum(one.twice for one in self.sources),
            "keyless": sum(one.keyless for one in self.sources),
            "alarms": self.names + self.two_ids + self.large,
            "shared": sum(one.keys for one in self.shared),
        }


def latest() -> list[tuple[QualityLook, Figures]]:
    """The last look and the one before it, as far as there are any."""
    looks = QualityLook.objects.exclude(ended_at=None).order_by("-pk")[:2]
    return [(look, msgspec.convert(look.figures, Figures)) for look in looks]


def running() -> QualityLook | None:
    """The look that is under way."""
    return QualityLook.objects.filter(ended_at=None, started_at__gt=timezone.now() - LEASE).order_by("-pk").first()


# --- looking ------------------------------------------------------------------------------------------------------


@transaction.atomic
def start(*, by: User) -> QualityLook:
    """Look again, in a job. Raises ConflictProblem while a look is under way."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE profiles_qualitylook IN SHARE ROW EXCLUSIVE MODE")  # two people, one look
    if running() is not None:
        raise ConflictProblem(_("The data is being looked at already."))
    look = QualityLook.objects.create(started_by=audit.actor_name(by))
    audit.record(action="quality.look", target=look, by=by)
    jobs.enqueue(JOB, look.pk)
    return look


def run(look_id: int | str) -> None:
    """Look at everything. A look that has ended is left alone."""
    look = QualityLook.objects.filter(pk=look_id, ended_at=None).first()
    if look is None:
        return
    began = time.monotonic()
    with transaction.atomic():
        figures = _count(look)
        _ask_why(look, figures)
        figures.seconds = round(time.monotonic() - began, 1)
        look.figures, look.ended_at = msgspec.to_builtins(figures), timezone.now()
        look.save(update_fields=["figures", "ended_at"])
        QualityFinding.objects.filter(look__lt=look).delete()
        kept = QualityLook.objects.order_by("-pk").values_list("pk", flat=True)[:LOOKS_KEPT]
        QualityLook.objects.filter(pk__lt=min(kept)).delete()
    log.info("quality_looked", look=look.pk, seconds=figures.seconds, **figures.totals())


def look_nightly() -> None:
    """For the clock."""
    run(QualityLook.objects.create(started_by=ACTOR).pk)


# --- counting -----------------------------------------------------------------------------------------------------

# One pass over records. Lists of what is excluded are joined: of a subquery a planner might ask for each row anew.
_HELD = """
DROP TABLE IF EXISTS quality_held;
CREATE TEMP TABLE quality_held ON COMMIT DROP AS
SELECT m.profile_id, r.source_id, count(*)::int AS records,
       count(*) FILTER (WHERE met.record_id IS NULL AND blocked.record_id IS NULL)::int AS keyless
  FROM profiles_sourcerecord r
  JOIN profiles_membership m ON m.record_id = r.id AND m.valid_to IS NULL
  JOIN profiles_profile p ON p.id = m.profile_id AND p.state = 'live' AND p.kind = 'identified'
  LEFT JOIN (SELECT DISTINCT record_id FROM profiles_identifier
              WHERE is_evidence AND kind = ANY(%(kinds)s)) AS met ON met.record_id = r.id
  LEFT JOIN (SELECT DISTINCT record_id FROM profiles_blockkey WHERE %(matched)s) AS blocked ON blocked.record_id = r.id
 WHERE r.kind = 'identified'
 GROUP BY m.profile_id, r.source_id
"""
_SOURCES = """
SELECT source_id, sum(records)::int, count(*)::int, (count(*) FILTER (WHERE records > 1))::int,
       (sum(records) - count(*))::int, sum(keyless)::int
  FROM quality_held GROUP BY source_id ORDER BY source_id
"""
_KEEP_OF_SOURCE = """
INSERT INTO profiles_qualityfinding (look_id, kind, source_id, profile_id, size)
SELECT %(look)s, kind, source_id, profile_id, size
  FROM (SELECT one.kind, h.source_id, h.profile_id, one.size,
               row_number() OVER (PARTITION BY one.kind, h.source_id ORDER BY one.size DESC, h.profile_id) AS place
          FROM quality_held h
         CROSS JOIN LATERAL (VALUES ('twice', h.records, 2), ('keyless', h.keyless, 1)) AS one(kind, size, least)
         WHERE one.size >= one.least) AS ranked
 WHERE place <= %(most)s ORDER BY kind, source_id, place
"""
_LARGE = """
SELECT count(*) FILTER (WHERE n > %(limit)s), coalesce(max(n), 0)
  FROM (SELECT sum(records)::int AS n FROM quality_held GROUP BY profile_id) AS person
"""
_KEEP_LARGE = """
INSERT INTO profiles_qualityfinding (look_id, kind, profile_id, size)
SELECT %(look)s, 'largest', profile_id, sum(records) AS n
  FROM quality_held GROUP BY profile_id HAVING sum(records) > 1 ORDER BY n DESC, profile_id LIMIT %(most)s
"""
_TWO_IDS = """
SELECT i.profile_id, count(DISTINCT i.value)::int AS n
  FROM profiles_identifier i
  JOIN profiles_profile p ON p.id = i.profile_id AND p.state = 'live'
 WHERE i.kind = 'citizen' AND i.is_evidence
 GROUP BY i.profile_id, i.namespace HAVING count(DISTINCT i.value) > 1
 ORDER BY n DESC, i.profile_id
"""
# People of several records, for each of whom names are compared.
_NAMED = """
SELECT m.profile_id, json_agg(DISTINCT said.names)::text
  FROM (SELECT profile_id FROM quality_held GROUP BY profile_id HAVING sum(records) > %(limit)s) AS large
  JOIN profiles_membership m ON m.profile_id = large.profile_id AND m.valid_to IS NULL
  JOIN profiles_sourcerecord r ON r.id = m.record_id AND r.kind = 'identified'
 CROSS JOIN LATERAL (SELECT jsonb_object_agg(part, r.attributes -> part) AS names
                       FROM unnest(%(parts)s::text[]) AS part WHERE r.attributes ? part) AS said
 WHERE said.names IS NOT NULL
 GROUP BY m.profile_id HAVING count(DISTINCT said.names) > %(limit)s
"""
_SHARED = """
DROP TABLE IF EXISTS quality_shared;
CREATE TEMP TABLE quality_shared ON COMMIT DROP AS
SELECT k.id, k.kind, k.namespace, k.value, count(DISTINCT i.profile_id)::int AS people
  FROM profiles_identifierkey k
  JOIN profiles_identifier i USING (kind, namespace, value)
  JOIN profiles_profile p ON p.id = i.profile_id AND p.state = 'live' AND p.kind = 'identified'
 WHERE k.shared AND i.is_evidence
 GROUP BY k.id HAVING count(DISTINCT i.profile_id) > 1
"""
_KINDS = """
SELECT kind, count(*)::int, (count(*) FILTER (WHERE people > %(limit)s))::int, max(people)
  FROM quality_shared GROUP BY kind ORDER BY 2 DESC, kind
"""
_KEEP_SHARED = """
INSERT INTO profiles_qualityfinding (look_id, kind, key_id, size)
SELECT %(look)s, 'shared', id, people
  FROM (SELECT id, kind, people, row_number() OVER (PARTITION BY kind ORDER BY people DESC, id) AS place
          FROM quality_shared) AS ranked
 WHERE place <= %(most)s ORDER BY people DESC, id
"""
_PROPOSED = """
SELECT i.profile_id, count(*)::int AS n
  FROM profiles_sourcerecord r
  JOIN profiles_identifier i ON i.record_id = r.id AND i.problem = '' AND i.kind = ANY(%(kinds)s)
  JOIN profiles_identifierkey k ON (k.kind, k.namespace, k.value) = (i.kind, i.namespace, i.value)
  JOIN profiles_profile p ON p.id = i.profile_id AND p.state = 'live'
 WHERE r.kind = 'agent' AND k.profile_id IS DISTINCT FROM i.profile_id
 GROUP BY i.profile_id ORDER BY n DESC, i.profile_id
"""


def _count(look: QualityLook) -> Figures:
    """All that SQL can count, with the gravest cases."""
    common: dict[str, Any] = {"look": look.pk, "most": MOST, "kinds": MEETING_KINDS}
    _execute(_HELD, common | {"matched": active.look() is not None})
    figures = Figures(sources=[OfSource(*row) for row in _rows(_SOURCES)])
    _execute(_KEEP_OF_SOURCE, common)
    [(figures.large, figures.largest)] = _rows(_LARGE, {"limit": rails.LIMITS.records})
    _execute(_KEEP_LARGE, common)
    figures.two_ids = _keep(look, Kind.TWO_IDS, _rows(_TWO_IDS))
    figures.names = _keep(look, Kind.NAMES, sorted(_many_names(), key=lambda found: (-found[1], found[0])))
    _execute(_SHARED)
    figures.shared = [OfKind(*row) for row in _rows(_KINDS, {"limit": DEFAULT_SETTINGS.fan_out_cap})]
    _execute(_KEEP_SHARED, common)
    figures.proposed = _keep(look, Kind.PROPOSED, _rows(_PROPOSED, common))
    return figures


def _many_names() -> Iterator[tuple[int, int]]:
    """People whose names clearly differ more often than one person's do, and how often."""
    for profile, said in _rows(_NAMED, {"limit": rails.LIMITS.names, "parts": _NAME_PARTS}):
        names = frozenset(name for attributes in msgspec.json.decode(said) for name in names_of(attributes))
        if len(names) > rails.LIMITS.names and (n := rails.people(names)) > rails.LIMITS.names:
            yield profile, n


# --- why shared identifiers join nobody ---------------------------------------------------------------------------

_CONTACTS = """
SELECT array_agg(i.record_id)
  FROM (SELECT kind, namespace, value, people, row_number() OVER (ORDER BY people DESC, id) AS place
          FROM quality_shared WHERE kind = ANY(%(kinds)s)) AS k
  JOIN profiles_identifier i USING (kind, namespace, value)
 WHERE i.is_evidence AND k.place <= %(most)s
 GROUP BY (k.place - 1) / %(at_once)s ORDER BY 1
"""
_HOW_MANY = "SELECT count(*)::int FROM quality_shared WHERE kind = ANY(%(kinds)s)"


def _ask_why(look: QualityLook, figures: Figures) -> None:
    """Let the resolution say why it joins nobody by e-mails and phones that several people state."""
    kinds = list(DEFAULT_SETTINGS.contact_kinds)
    [(shared,)] = _rows(_HOW_MANY, {"kinds": kinds})
    figures.asked = min(shared, MOST_KEYS)
    refused: set[tuple[Any, ...]] = set()
    unclear: Counter[int] = Counter()
    portions = _rows(_CONTACTS, {"kinds": kinds, "most": MOST_KEYS, "at_once": KEYS_AT_ONCE})
    for (records,) in portions:
        around = neighbourhood.read(set(records))
        found = partition(
            [record.evidence for record in around.records.values()],
            [logged.decision for logged in around.decisions],
            overloaded=around.overloaded,
        )
        for one in found.refused:
            pair = (one.refusal, one.key, one.a, one.b)
            if one.refusal in _WHY_NOT and one.key is not None and one.key[0] in kinds and pair not in refused:
                refused.add(pair)
                if one.refusal is Refusal.AMBIGUOUS:
                    unclear.update({around.records[number].profile_id for number in (one.a, one.b)})
    figures.refused = dict(Counter(str(pair[0]) for pair in refused))
    _keep(look, Kind.AMBIGUOUS, unclear.most_common())


# --- in common ----------------------------------------------------------------------------------------------------


def _keep(look: QualityLook, kind: str, found: Sequence[tuple[int, int]]) -> int:
    """Keep the first of these people, gravest first; returns how many there are."""
    QualityFinding.objects.bulk_create(
        QualityFinding(look=look, kind=kind, profile_id=profile, size=size) for profile, size in found[:MOST]
    )
    return len(found)


def _execute(statement: str, parameters: Mapping[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def _rows(statement: str, parameters: Mapping[str, Any] | None = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()
