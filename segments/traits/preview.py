"""What a formula comes to for a sample of customers, while it is being written and on its page."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Any as Json

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import sql

from cdp_site.core.access import Scope
from cdp_site.core.templatetags.formats import day_text
from profiles import masking
from profiles.channels import TouchChannel
from segments import audience, catalogue, estimate
from segments.definition.people import everybody
from segments.definition.viewer import Those
from segments.models import ComputedTrait
from segments.traits import presenting
from segments.traits.formula import OF_NUMBERS, Calculation, Formula
from segments.traits.reader import serialise
from segments.traits.reading import Known, Seen

SQL = sql.SQL
C = Calculation
SAMPLE = 8_192
MOST_TEXTS = 5
FEWEST_PEOPLE = catalogue.FEWEST_PEOPLE
_TIMES = frozenset({C.FIRST_TIME, C.LAST_TIME, C.DAYS_SINCE})


@dataclass(frozen=True, slots=True)
class Fact:
    """What the values of a channel, or of all, are like."""

    channel: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """`people` were looked at, `with_value` of them have one."""

    people: int
    with_value: int
    facts: Sequence[Fact]


def preview(formula: Formula, scope: Scope) -> Preview:
    """Through the scope's eyes. Nothing is said of single people: a text that fewer than five have is left out. Raises
    TooSlowProblem."""
    sample, moment = estimate.sample_of(SAMPLE), timezone.now()
    unsaved = Known(ComputedTrait(pk=0, definition=serialise(formula)), formula)
    values = Seen([unsaved.trait], scope).ground(unsaved, moment).values(_among(sample.crowd()))
    seen = everybody(catalogue.viewer(scope), now=moment, time_zone=audience.company_time_zone())
    query = SQL("SELECT q.value FROM ({}) p LEFT JOIN ({}) q ON q.profile_id = p.id WHERE {}").format(
        seen, values, sample.holds()
    )
    with audience.time_limit(), connection.cursor() as cursor:
        cursor.execute(query)
        found = [None if value is None else json.loads(value) for (value,) in cursor.fetchall()]
    known = [value for value in found if value is not None]
    return Preview(len(found), len(known), list(_facts(formula, known)))


def _among(crowd: sql.Composable) -> Those:
    return lambda column: SQL("{} = ANY(ARRAY({}))").format(column, crowd)


def _facts(formula: Formula, known: Sequence[Json]) -> Iterator[Fact]:
    if not formula.per_channel:
        if text := _told(formula, known):
            yield Fact("", text)
        return
    for channel in TouchChannel:
        text = _told(formula, [value[channel.value] for value in known if channel.value in value])
        if text:
            yield Fact(str(channel.label), text)


def _told(formula: Formula, values: Sequence[Json]) -> str:
    if len(values) < FEWEST_PEOPLE:
        return ""
    if formula.calculation in _TIMES:
        days = sorted(timezone.localdate(datetime.fromisoformat(value)) for value in values)
        return _("from %(first)s to %(last)s, half of them by %(middle)s") % {
            "first": day_text(days[0]),
            "last": day_text(days[-1]),
            "middle": day_text(days[len(days) // 2]),
        }
    if formula.calculation in OF_NUMBERS | {C.COUNT, C.DISTINCT}:
        numbers = [Decimal(str(value)) for value in values]
        return _("from %(first)s to %(last)s, half of them up to %(middle)s") % {
            "first": presenting.amount(formula, min(numbers)),
            "last": presenting.amount(formula, max(numbers)),
            "middle": presenting.amount(formula, median(numbers)),
        }
    texts = Counter(str(text) for value in values for text in (value if isinstance(value, list) else [value]))
    common = [(text, n) for text, n in texts.most_common(MOST_TEXTS) if n >= FEWEST_PEOPLE]
    return ", ".join(f"{masking.concealed(text)} ({n})" for text, n in common)
