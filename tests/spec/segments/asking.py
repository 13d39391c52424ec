"""Ask both engines who is meant. The specifications beside this file are tables: people in, names out."""

import datetime as dt
import zoneinfo
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from segments import references
from segments.definition import nodes
from segments.definition.evaluate import members
from segments.definition.people import people
from segments.definition.viewer import Strategy
from tests.generative.segments.populations import (
    EVERYTHING,
    Eyes,
    RawPerson,
    RawProduct,
    RawRecord,
    RawSource,
    RawTouchpoint,
    project,
    store,
)

BANGKOK = zoneinfo.ZoneInfo("Asia/Bangkok")
SOURCES = (RawSource("till", 10), RawSource("site", 20), RawSource("calls", 30))
PURPOSES = ("marketing", "research")


def bangkok(text: str) -> dt.datetime:
    """An instant by the company's clock."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=BANGKOK).astimezone(dt.UTC)


NOW = bangkok("2026-11-22 10:30")


def who(
    crowd: Mapping[str, RawPerson],
    *conditions: Mapping[str, Any],
    eyes: Eyes = EVERYTHING,
    now: dt.datetime = NOW,
    products: Sequence[RawProduct] = (),
) -> set[str]:
    """Names of those for whom all conditions hold. Fails when the engines differ."""
    definition = references.parsed({"version": nodes.VERSION, "where": {"kind": "all", "of": list(conditions)}})
    names, persons = list(crowd), list(crowd.values())
    seen = project(persons, SOURCES, eyes, purposes=PURPOSES, products=products)
    expected = members(definition, seen, now=now, time_zone=BANGKOK)
    assert compiled(definition, persons, eyes, now, products) == [expected, expected]
    return {names[number] for number in expected}


def compiled(
    definition: nodes.Definition,
    persons: list[RawPerson],
    eyes: Eyes,
    now: dt.datetime,
    products: Sequence[RawProduct] = (),
) -> list[set[int]]:
    stored = store(persons, SOURCES, PURPOSES, products)
    answers = []
    for strategy in Strategy:
        query = people(definition, stored.viewer(eyes), now=now, time_zone=BANGKOK, strategy=strategy)
        with connection.cursor() as cursor:
            cursor.execute(query)
            found = {row[0] for row in cursor.fetchall()}
        answers.append(stored.people(found.intersection(stored.profile_ids)))
    return answers


def knowing(**attributes: Any) -> RawPerson:
    """Somebody of whom one source states the attributes."""
    return RawPerson((RawRecord("site", NOW, attributes),))


def seeing(**properties: Any) -> RawPerson:
    """Somebody who viewed one product with the properties."""
    return RawPerson((RawRecord("site", NOW),), (RawTouchpoint("site", "Product Viewed", NOW, properties),))


def saw(name: str, operator: str, value: Any = None) -> dict[str, Any]:
    """The condition of having viewed a product whose property compares so."""
    wanted = {"property": name, "operator": operator} | ({} if value is None else {"value": value})
    return {
        "kind": "touchpoint",
        "event": "Product Viewed",
        "count": {"bound": "at_least", "n": 1},
        "window": {"kind": "ever"},
        "filters": [wanted],
    }
