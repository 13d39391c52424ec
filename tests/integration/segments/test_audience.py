"""Counted by several processes side by side, it is the same number."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg import sql

from cdp_site.core.access import EVERYTHING
from profiles.models import Profile
from segments import audience
from segments.audience import Question
from segments.definition.parse import parse
from tests.integration.segments.conftest import viewed_red, whole

pytestmark = pytest.mark.django_db
VIEWED = {key: value for key, value in viewed_red().items() if key != "filters"}
SPENT: dict[str, Any] = {"kind": "order_total", "measure": "sum", "operator": "at_most", "value": 0, "currency": "THB"}
SPENT["window"] = {"kind": "ever"}
IN_TRANG = {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}


def question(*conditions: dict[str, Any]) -> Question:
    return Question.of(parse(whole(*conditions)), EVERYTHING)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were enough people to be shared out."""
    monkeypatch.setattr(audience, "WORTH_SHARING", 1)


@pytest.mark.parametrize(
    "conditions",
    [[VIEWED], [VIEWED, SPENT], [{"kind": "not", "of": [VIEWED]}], [{"kind": "any", "of": [SPENT, VIEWED]}]],
    ids=["viewed", "viewed and spent", "not viewed", "either"],
)
def test_what_indexes_tell_is_counted_in_shares(viewers: None, many: None, conditions: list[dict[str, Any]]) -> None:
    asked = question(*conditions)

    assert len(asked.shares()) == audience.SHARES
    assert audience.count(asked) == len(audience.member_ids(asked))


def test_each_person_is_in_one_share(viewers: None, many: None) -> None:
    found: list[int] = []
    with connection.cursor() as cursor:
        for share in question(SPENT).shares():
            cursor.execute(share)
            found += [profile_id for (profile_id,) in cursor.fetchall()]

    assert sorted(found) == sorted(Profile.objects.people().values_list("pk", flat=True))


@pytest.mark.parametrize("condition", [viewed_red(), IN_TRANG], ids=["filtered", "an attribute"])
def test_what_rows_tell_is_counted_at_once(viewers: None, many: None, condition: dict[str, Any]) -> None:
    assert len(question(condition).shares()) == 1


def test_few_people_are_counted_at_once_without_a_further_query(viewers: None) -> None:
    asked = question(IN_TRANG)
    with CaptureQueriesContext(connection) as queries:
        audience.count(asked)

    assert not any("max(" in one["sql"].lower() for one in queries.captured_queries)
    assert len(question(VIEWED).shares()) == 1


@pytest.mark.parametrize(
    ("condition", "table", "index"),
    [
        (viewed_red(), "profiles_touchpoint", "touchpoint_lists"),
        (IN_TRANG, "profiles_profile", "profile_facets"),
    ],
    ids=["lists", "facets"],
)
def test_the_indexes_that_are_made_for_a_definition_are_known_by_its_words(
    viewers: None, condition: dict[str, Any], table: str, index: str
) -> None:
    """Of a condition that is not the index's own, word for word, PostgreSQL reads the rows and says nothing.

    No other index is left, since among few rows it takes whichever it made first.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL enable_seqscan = off")
        for name, said in connection.introspection.get_constraints(cursor, table).items():
            if said["primary_key"]:
                cursor.execute(
                    sql.SQL("ALTER TABLE {} DROP CONSTRAINT {} CASCADE").format(*map(sql.Identifier, (table, name)))
                )
            elif said["index"] and name != index:
                cursor.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        cursor.execute(sql.SQL("EXPLAIN {}").format(question(condition).select()))
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert f"Scan using {index}" in plan or f"Scan on {index}" in plan
