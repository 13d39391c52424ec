"""Records side by side: which ones, what they say, how they differ; what would hold them together."""

from typing import Any

import pytest
from django.utils import translation
from pytest_django import Settings

from cdp_site.core.access import EVERYTHING
from cdp_site.core.models import User
from ingestion.models import Source
from profiles import merging
from profiles.matching import cluster, effects, presenting
from profiles.matching.presenting import Row, SideBySide
from profiles.models import Profile, ReviewPair, SourceRecord
from tests.factories.arrivals import arrive, row

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english(db: None) -> Any:
    with translation.override("en"):
        yield


def record(external_id: str) -> SourceRecord:
    return SourceRecord.objects.get(external_id=external_id)


def show(*external_ids: str) -> SideBySide:
    a, b = sorted(record(external_id).pk for external_id in external_ids)
    return presenting.side_by_side([(a, b)], scope=EVERYTHING)[a, b]


def row_of(shown: SideBySide, label: str) -> Row:
    return next(row for row in [*shown.rows, *shown.more] if str(row.label) == label)


def texts(row: Row) -> list[list[str]]:
    return [[value.statement.text for value in cell.values] for cell in row.cells]


def test_a_thai_name_is_read_and_compared_in_latin(pos: Source) -> None:
    arrive(pos, row("a", title="นาย", first_name="สมชาย", last_name="ใจดี"), row("b", name="Somchai Jaidee"))
    name = row_of(show("a", "b"), "Name")
    thai, latin = sorted((cell.values[0] for cell in name.cells), key=lambda value: not value.reading)
    assert "".join(piece.text for piece in thai.reading).endswith("somchai chaidi")
    assert [piece.differs for piece in thai.pieces] == [False]
    assert any(piece.differs for piece in latin.pieces)
    assert name.standing == "alike"


def test_says_what_is_the_same_alike_and_different(pos: Source) -> None:
    arrive(
        pos,
        row("a", first_name="Ann", birth_date="1990-05-17", email="ann.lee@baansabai.co.th", city="Trang"),
        row("b", first_name="Bob", birth_date="1990-05-11", email="ann.lee@baansabai.co.th", city="ตรัง"),
    )
    shown = show("a", "b")
    standings = {str(one.label): one.standing for one in shown.rows}
    assert standings["Name"] == "differs"
    assert standings["Date of birth"] == "alike"
    assert standings["E-mail"] == "same"
    assert standings["City"] == ""  # two scripts: no letter says anything
    assert texts(row_of(shown, "Date of birth"))[0][0].endswith("May 1990")


def test_shows_raw_values_that_read_differently_and_what_is_past(pos: Source) -> None:
    arrive(pos, row("a", first_name="Ann", phone="086-345-1972"), row("b", first_name="Bo"))
    arrive(pos, row("a", day=2, phone="0863451999"))
    phones = row_of(show("a", "b"), "Phone")
    stated = {value.statement.text: value.statement for cell in phones.cells for value in cell.values}
    assert stated["086 345 1972"].raw == "086-345-1972"
    assert (stated["086 345 1972"].is_past, stated["086 345 1999"].is_past) == (True, False)
    assert phones.standing == ""


def test_a_national_id_is_never_shown(pos: Source) -> None:
    arrive(pos, row("a", first_name="Ann", national_id="1101700230705"), row("b", first_name="Bo"))
    assert texts(row_of(show("a", "b"), "National ID")) in ([["•••• 0705"], []], [[], ["•••• 0705"]])


def test_at_most_five_records_the_asked_ones_first(pos: Source, steward: User) -> None:
    arrive(pos, *(row(f"r{n}", first_name=f"Ann{n}") for n in range(7)))
    people = list(Profile.objects.people().order_by("pk"))
    merging.merge_many(groups=[people[:4], people[4:]], by=steward, reason="")
    numbers = [profile.birth_record.pk for profile in people]
    asked = (numbers[2], numbers[5])
    shown = presenting.side_by_side([asked], scope=EVERYTHING)[asked]
    assert [column.record.pk for column in shown.columns[:2]] == list(asked)
    assert [column.is_asked for column in shown.columns] == [True, True, False, False, False]
    assert [column.side for column in shown.columns] == [1, 2, 1, 1, 2]
    assert shown.left_out == 2


def test_many_pairs_take_as_many_queries_as_one(pos: Source, django_assert_num_queries: Any) -> None:
    arrive(pos, *(row(f"r{n}", first_name=f"Ann{n}") for n in range(6)))
    numbers = list(SourceRecord.objects.order_by("pk").values_list("pk", flat=True))
    for count in (1, 3):
        with django_assert_num_queries(5):
            presenting.side_by_side(list(zip(numbers[::2], numbers[1::2], strict=True))[:count], scope=EVERYTHING)


def test_a_record_that_is_gone_shows_nothing() -> None:
    assert presenting.side_by_side([(1, 2)], scope=EVERYTHING) == {}


def test_the_weakest_link_comes_first(pos: Source, web_shop: Source, steward: User) -> None:
    email = "ann.lee@baansabai.co.th"
    arrive(pos, row("a", first_name="Ann", email=email), row("c", first_name="Ann"), row("b", first_name="Anna"))
    arrive(web_shop, row("w", first_name="Ann", email=email))
    of_ann = Profile.objects.filter(memberships__record__in=[record("a"), record("c")], memberships__valid_to=None)
    merging.merge(profiles=list(of_ann), by=steward, reason="")
    a, b = sorted((record("a").pk, record("b").pk))
    pair = ReviewPair.objects.create(record_a_id=a, record_b_id=b, reason="band", score=0.7)
    members = list(SourceRecord.objects.select_related("source"))
    found = cluster.of_pair(pair, members)
    assert [link.kind for link in found.links] == ["asked", "deterministic", "steward"]
    assert [link.key for link in found.links] == ["", "E-mail", ""]
    assert found.links[0].percent == pytest.approx(70)
    assert (found.records, found.more) == (4, 0)


def test_foresees_a_merge_and_changes_nothing(pos: Source, settings: Settings) -> None:
    arrive(pos, row("a", first_name="Ann", city="Trang"), row("b", first_name="Anna", city="Krabi"))
    a, b = sorted((record("a").pk, record("b").pk))
    pair = ReviewPair.objects.create(record_a_id=a, record_b_id=b, reason="band", score=0.7)
    settings.MATCH_RECORDS_FOR_ONE_PERSON = 1
    foreseen = effects.foresee(pair, scope=EVERYTHING)
    assert foreseen.preview is not None
    assert [len(foreseen.preview.before), len(foreseen.preview.after)] == [2, 1]
    assert foreseen.needs_second_person
    assert Profile.objects.people().count() == 2
