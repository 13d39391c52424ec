"""Keeps the stored values of computed traits as a full computation would make them.

What changed about people is noted in the transaction that changed it (`note`), and followed a moment later (`follow`)
for those people and the traits that rest on it. What time alone changes is followed at its minute (`turn`). Everybody's
values are computed when a definition changes, some minutes after the catalogue said something new, and each night
(`refresh`), in chunks of people, each a transaction of its own: whoever is killed on the way loses nothing, and nobody
waits long. The keeper (`segments.keeper`) takes the rounds.

One lock orders them: a chunk that was read before a step committed would otherwise be written after it.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from psycopg import sql

from cdp_site.core.access import EVERYTHING
from profiles import signals
from profiles.models import EventType, Profile
from profiles.signals import Aspect, Touch
from segments import audience
from segments.definition.next_change import midnight, next_midnight
from segments.definition.viewer import Those
from segments.keeper import SOON, Budget
from segments.models import ComputedTrait, ComputedValue
from segments.traits import reading, usage
from segments.traits.reading import Known, Seen
from segments.traits.statement import difference

log = structlog.get_logger("traits")
SQL = sql.SQL

NOTES_AT_ONCE = 50  # of some 2,000 people at most: a second's work
PEOPLE_AT_ONCE = 20_000  # of everybody: about a second's work at ten touchpoints each
DUE_AT_ONCE = 5_000
NIGHT = timedelta(minutes=40)  # after midnight: before memberships are evaluated anew, which may rest on them
NIGHT_LASTS = timedelta(minutes=40)
TRY_AGAIN = timedelta(minutes=10)
LIMIT_SECONDS = 30
"""A statement about a chunk of people that takes longer is given up: many times what one takes."""
_LOCK = 0x7EA17

# The aspects that a trait may rest on; of events and orders only such as one asks for.
_NOTE = """
INSERT INTO segments_pendingvalues (aspect, subject, cause, profile_ids)
SELECT t.aspect, t.subject, t.cause, t.profile_ids
  FROM json_to_recordset(%s::json) AS t(aspect text, subject bigint, cause text, profile_ids bigint[])
 WHERE EXISTS (
       SELECT FROM segments_computedtrait c
        WHERE c.archived_at IS NULL AND CASE t.aspect
              WHEN 'event' THEN t.subject IS NULL OR EXISTS (
                   SELECT FROM profiles_eventtype e
                    WHERE e.id = t.subject AND c.definition @> jsonb_build_object(
                          'where', jsonb_build_object('of', jsonb_build_array(jsonb_build_object('event', e.name)))))
              WHEN 'orders' THEN c.definition @> '{"where": {"of": [{"kind": "order_total"}]}}'
                              OR c.definition @> '{"where": {"of": [{"kind": "order_line"}]}}'
              ELSE true END)
"""
_TAKE = """
DELETE FROM segments_pendingvalues
 WHERE id IN (SELECT id FROM segments_pendingvalues ORDER BY id LIMIT %s)
RETURNING aspect, subject, cause, profile_ids
"""
_ASPECTS = frozenset({Aspect.EVENT, Aspect.ORDERS, Aspect.PERSON, Aspect.PRODUCTS})


# ── what changed about people ────────────────────────────────────────────────────────────────────────────────────────


def note(touches: Sequence[Touch]) -> None:
    """Write down in the caller's transaction whose values have to follow. One statement."""
    rows = [
        {"aspect": one.aspect, "subject": one.subject, "cause": one.cause, "profile_ids": sorted(one.profile_ids)}
        for one in touches
        if one.aspect in _ASPECTS
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, [msgspec.json.encode(rows).decode()])


def note_products() -> None:
    """Write down in the caller's transaction that the catalogue says something else. One statement."""
    note([Touch(Aspect.PRODUCTS, ())])


@transaction.atomic
def follow() -> bool:
    """Bring up to date whose values wait, as many as a round takes; False when nobody waits. The traits for which the
    round has no time left are computed for everybody."""
    budget = Budget()
    hold()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [NOTES_AT_ONCE])
        notes: list[tuple[str, int | None, str, list[int]]] = cursor.fetchall()
    if not notes:
        return False
    type_ids = {subject for aspect, subject, _cause, _ids in notes if aspect == Aspect.EVENT and subject is not None}
    names = dict(EventType.objects.filter(pk__in=type_ids).values_list("pk", "name"))
    # Nothing is computed about anonymous visitors, who are most of what comes.
    touched = {profile_id for *_rest, ids in notes for profile_id in ids}
    anonymous = Profile.objects.filter(pk__in=touched, kind=Profile.Kind.ANONYMOUS)
    persons = touched - set(anonymous.values_list("pk", flat=True))  # with those who are gone: their values go
    now, every = timezone.now(), reading.seen(EVERYTHING)
    if any(aspect == Aspect.PRODUCTS for aspect, *_rest in notes):
        _ask_soon(every.known)
    for known in every.known:
        people: dict[str, set[int]] = {}
        for aspect, subject, cause, ids in notes:
            if _rests_on(known, aspect, names.get(subject or 0)):
                people.setdefault(cause, set()).update(persons.intersection(ids))
        if budget.is_spent and any(people.values()):
            _postpone(known.trait, until=now)
            continue
        for cause, whose in people.items():
            if whose:
                _compute(every, known, sorted(whose), now, cause=cause)
    return True


def _rests_on(known: Known, aspect: str, event: str | None) -> bool:
    if aspect == Aspect.EVENT:
        return event is None or event in known.formula.events
    return aspect != Aspect.ORDERS or not known.formula.touchpoints


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def turn() -> bool:
    """Bring up to date whose values time alone has changed, as many as a round takes; False when there are none."""
    budget = Budget()
    hold()
    now = timezone.now()
    due = list(
        ComputedValue.objects.filter(next_change_at__lte=now)
        .order_by("next_change_at")
        .values_list("trait_id", "profile_id")[:DUE_AT_ONCE]
    )
    if not due:
        return False
    every = reading.seen(EVERYTHING)
    known = {one.trait.pk: one for one in every.known}
    for trait_id in sorted({trait_id for trait_id, _profile_id in due}):
        if budget.is_spent:
            break  # the others' time has come in the next round, too
        ids = sorted(profile_id for of_trait, profile_id in due if of_trait == trait_id)
        if trait_id not in known or not _compute(every, known[trait_id], ids, now, cause="time"):
            # Of an archived trait, or one that fails: a computation of everybody finds the moments again.
            ComputedValue.objects.filter(trait_id=trait_id, profile_id__in=ids).update(next_change_at=None)
    return True


# ── everybody ────────────────────────────────────────────────────────────────────────────────────────────────────────


def ask_everybody(trait: ComputedTrait) -> None:
    """Have everybody's value computed as soon as the current transaction is committed."""
    ComputedTrait.objects.filter(pk=trait.pk).update(due_at=timezone.now(), computed_to=0, again_at=None)


def _ask_soon(every: Iterable[Known]) -> None:
    """Have everybody's values of traits that ask the catalogue computed within some minutes: what comes in pieces (its
    feed) is followed once for many of them. What is being computed is computed to its end, and then again."""
    soon = timezone.now() + SOON
    asking = [known.trait.pk for known in every if known.formula.asks_catalogue]
    traits = ComputedTrait.objects.filter(pk__in=asking)
    traits.filter(computed_to=0, due_at__gt=soon).update(due_at=soon)
    traits.filter(computed_to__gt=0, again_at=None).update(again_at=soon)


@transaction.atomic
def refresh() -> bool:
    """Compute the next chunk of people's values of the trait that is due first; False when none is.

    Where everybody was asked for anew since the trait was read, that begins from the first person: this chunk may be of
    what was before."""
    hold()
    due = ComputedTrait.objects.in_use().filter(due_at__lte=timezone.now()).order_by("due_at", "pk").first()
    if due is None:
        return False
    one = reading.one_in_use(due.pk)
    known = next(iter(one.known), None)
    if known is None:
        _postpone(due, until=timezone.now() + TRY_AGAIN)
        return True
    trait, now = known.trait, timezone.now()
    end = Profile.objects.aggregate(last=Max("pk"))["last"] or 0
    chunk = range(trait.computed_to + 1, trait.computed_to + PEOPLE_AT_ONCE + 1)
    if not _compute(one, known, chunk, now, cause="time"):
        return True
    as_read = ComputedTrait.objects.filter(
        pk=trait.pk, version=trait.version, due_at=trait.due_at, computed_to=trait.computed_to
    )
    if chunk[-1] < end:
        as_read.update(computed_to=chunk[-1])
        return True
    due_at = trait.again_at or _next(known, now)
    if as_read.update(computed_to=0, computed_version=trait.version, computed_at=now, due_at=due_at, again_at=None):
        log.info("computed", trait=trait.pk)
        if not trait.is_complete:  # nobody was told meanwhile whose value became another by time alone, or failed
            usage.ask_again(trait)
    return True


def _next(known: Known, now: datetime) -> datetime:
    """When everybody's values are computed next: at midnight where conditions compare with today, else at a moment of
    the next night; each trait its own, so that they do not all come at once."""
    zone = ZoneInfo(settings.COMPANY_TIME_ZONE)
    if known.formula.changes_daily:
        return next_midnight(now, zone)
    own = NIGHT + NIGHT_LASTS * (known.trait.pk % 100) / 100
    tonight = midnight(now.astimezone(zone).date(), zone) + own
    return tonight if tonight > now else next_midnight(now, zone) + own


# ── computing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def hold() -> None:
    """Be the only one who computes values until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _compute(every: Seen, known: Known, profile_ids: Collection[int], now: datetime, *, cause: str) -> bool:
    """Bring the stored values of these people up to date, and tell whose changed; False when the database refuses.

    While the trait is not complete, what asks for it computes it for itself: then a chunk of everybody is no news, and
    of single people each may be. One that fails is not complete from then on, and does not hold up the others.
    """
    trait = known.trait
    try:
        statement = difference(trait.pk, every.ground(known, now), _those(profile_ids))
        with audience.time_limit(LIMIT_SECONDS), connection.cursor() as cursor:
            cursor.execute(statement)
            changed: Collection[int] = [profile_id for (profile_id,) in cursor.fetchall()]
    except Exception as error:  # whatever it is, the other traits go on; the error may hold a value
        log.warning("computing_failed", trait=trait.pk, error=type(error).__name__)
        _postpone(trait, until=timezone.now() + TRY_AGAIN)
        return False
    if not trait.is_complete:
        changed = () if isinstance(profile_ids, range) else profile_ids
    signals.tell_touched(Touch(Aspect.COMPUTED, changed, trait.pk, cause))
    return True


def _postpone(trait: ComputedTrait, *, until: datetime) -> None:
    """What asks for the trait computes it for itself until everybody has been computed anew."""
    ComputedTrait.objects.filter(pk=trait.pk).update(computed_version=0, computed_to=0, due_at=until)


def _those(profile_ids: Collection[int]) -> Those:
    if isinstance(profile_ids, range):
        return lambda column: SQL("{} BETWEEN {} AND {}").format(column, profile_ids[0], profile_ids[-1])
    return lambda column: SQL("{} = ANY({}::bigint[])").format(column, list(profile_ids))
