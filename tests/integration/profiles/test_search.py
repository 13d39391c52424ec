"""Finding customers: what a term may be, in whatever form it is typed, and who may find by it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cdp_site.core.models import User
from ingestion.models import Source
from profiles import name_index, search
from profiles.models import EventType, NameToken, Profile, SourceRecord, Trait, TraitGroup
from tests.factories.arrivals import arrive, identify, row, track

pytestmark = pytest.mark.django_db

MEMBER = {"kind": "member", "value": "M000042"}


@pytest.fixture
def people(web_shop: Source, pos: Source) -> None:
    arrive(
        web_shop,
        identify("u-1001", firstName="ธนกร", lastName="ก้องเกียรติ", email="Thanakorn@BaanSabai.co.th"),
        track("Order Completed", "u-1001", order_id="SO-2026-77", total=100),
        identify("u-1002", firstName="Somchai", lastName="Jaidee", phone="086-345-1972"),
        identify("u-1003", firstName="สมหญิง", lastName="ใจดี"),
        track("Page Viewed", device="device-9"),
    )
    arrive(pos, row("P77", name="นายวิชัย รักไทย", identifiers=(MEMBER,), national_id="1-1017-00230-70-8"))


def found(term: str, by: User, **more: int) -> list[tuple[str, str]]:
    """(first name, what matched) of the hits."""
    return [(hit.profile.golden["first_name"], hit.field) for hit in search.find(term, by=by, **more)]


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("0863451972", [("Somchai", "phone")]),
        ("+66 (0)86-345-1972", [("Somchai", "phone")]),
        ("๐๘๖๓๔๕๑๙๗๒", [("Somchai", "phone")]),
        (" thanakorn@baansabai.co.th ", [("ธนกร", "email")]),
        ("m000042", [("วิชัย", "member")]),
        ("1101700230708", [("วิชัย", "citizen")]),
        ("SO-2026-77", [("ธนกร", "order")]),
        ("P77", [("วิชัย", "record")]),
        ("u-1002", [("Somchai", "user")]),
        ("1972", [("Somchai", "last_four")]),
        ("•••• 1972", [("Somchai", "last_four")]),
        ("#so-2026-77", [("ธนกร", "order")]),
        ("จคุ-ภถๅตึ/", [("Somchai", "phone")]),  # 0863451972 on the other keyboard layout
        ("0863451973", []),
        ("9999", []),
        ("nobody@baansabai.co.th", []),
        ("device-9", []),
        ("", []),
        ("   ", []),
        ("%", []),
    ],
)
def test_a_term_is_looked_up_as_what_it_is(
    people: None, steward: User, term: str, expected: list[tuple[str, str]]
) -> None:
    assert found(term, steward) == expected


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("ธนกร", "ธนกร"),
        ("Thanakorn", "ธนกร"),
        ("tanagorn", "ธนกร"),
        ("กองเกียรติ ธนกร", "ธนกร"),  # without the tone mark, last name first
        ("คุณธนกร", "ธนกร"),
        ("สมชาย", "Somchai"),
        ("SOMCHAI jai", "Somchai"),
        ("Somchia", "Somchai"),  # two letters swapped
        ("วิชัย", "วิชัย"),
        ("Wichai", "วิชัย"),
        ("ธนกณ", "ธนกร"),
        ("Tanakon Kongkiat", "ธนกร"),
        ("Somchai Jadee", "Somchai"),
        ("l,=kp", "Somchai"),  # สมชาย on the other keyboard layout
        ("รักไทย", "วิชัย"),
    ],
)
def test_names_are_found_in_either_script_and_misspelt(people: None, steward: User, term: str, name: str) -> None:
    assert found(term, steward)[0] == (name, "name")


def test_every_word_has_to_be_found(people: None, steward: User) -> None:
    assert found("Somchai Rakthai", steward) == []


def test_the_exact_name_comes_first(people: None, steward: User) -> None:
    assert [name for name, _ in found("ใจดี", steward)] == ["สมหญิง", "Somchai"]
    assert len(found("ใจดี", steward, limit=1)) == 1


def test_five_queries(people: None, steward: User) -> None:
    search.find("Somchai Jaidee", by=steward)  # the viewer's scope is known now
    with CaptureQueriesContext(connection) as queries:
        search.find("Somchai Jaidee", by=steward)
    assert len(queries) <= 5


class TestScope:
    def test_another_departments_source_finds_nothing(self, people: None, agent: User, marketer: User) -> None:
        """The shop is marketing's; the point of sale is common."""
        for term in ("0863451972", "Somchai", "SO-2026-77", "u-1002"):
            assert found(term, agent) == []
            assert found(term, marketer) != []
        assert found("M000042", agent) == [("วิชัย", "member")]

    def test_a_hidden_trait_group_is_not_searched(self, people: None, marketer: User, care: object) -> None:
        TraitGroup.objects.filter(slug="contact").update(department=care)
        assert found("0863451972", marketer) == []
        assert found("Somchai", marketer) != []
        TraitGroup.objects.filter(slug="identity").update(department=care)
        del marketer._scope
        assert found("Somchai", marketer) == []

    def test_a_hidden_trait_finds_nobody_by_its_words(
        self, web_shop: Source, steward: User, marketer: User, care: object
    ) -> None:
        """Sensitive groups are hidden from every role: a name in one of them is no way to its bearer."""
        arrive(web_shop, identify("u-1", firstName="Somchai", nickname="Zebra"))
        assert found("Zebra", marketer) == [("Somchai", "name")]
        hidden = TraitGroup.objects.create(slug="secret", name="Secret", name_th="ลับ", is_sensitive=True)
        Trait.objects.update_or_create(name="nickname", defaults={"group": hidden})
        for viewer in (marketer, steward):
            viewer.__dict__.pop("_scope", None)
            assert found("Zebra", viewer) == []
            assert found("Somchai", viewer) == [("Somchai", "name")]

    def test_hidden_numbers_have_no_last_four(self, people: None, marketer: User, care: object) -> None:
        assert found("1972", marketer) == [("Somchai", "last_four")]
        TraitGroup.objects.filter(slug="contact").update(department=care)
        del marketer._scope
        assert found("1972", marketer) == []

    def test_the_last_four_of_another_departments_number_find_nobody(self, people: None, agent: User) -> None:
        assert found("1972", agent) == []

    def test_a_hidden_event_type_hides_the_order(self, people: None, marketer: User, care: object) -> None:
        EventType.objects.filter(name="Order Completed").update(department=care)
        assert found("SO-2026-77", marketer) == []

    def test_nobody_finds_a_person_who_is_being_erased(self, people: None, steward: User) -> None:
        Profile.objects.filter(golden__first_name="Somchai").update(state="erasing")
        assert found("0863451972", steward) == []


@pytest.mark.parametrize("day", [20, -1_500], ids=["lately", "long ago"])
def test_of_equal_names_the_customer_heard_of_last_comes_first(
    day: float, web_shop: Source, pos: Source, steward: User
) -> None:
    for number in range(1, 4):
        arrive(web_shop, identify(f"a-{number}", firstName="มานี", lastName="มีนา", city=f"town {number}", day=day - 19))
    arrive(web_shop, track("Page Viewed", "a-2", day=day))
    first = search.find("มานี มีนา", by=steward)[0]
    assert first.profile.golden["city"] == "town 2"


def test_words_of_an_earlier_release_are_found_and_read_by_the_chore(people: None, steward: User) -> None:
    """They have letters and consonants, and no reading yet."""
    before = name_index.indexed_words(SourceRecord.objects.values_list("pk", flat=True))
    NameToken.objects.update(reading="")
    assert found("สมชาย", steward)[0] == ("Somchai", "name")
    name_index.fill_readings()
    assert name_index.indexed_words(SourceRecord.objects.values_list("pk", flat=True)) == before
    assert not NameToken.objects.unread().exists()
    assert found("Tanagon", steward)[0] == ("ธนกร", "name")


def test_the_chore_works_in_portions(people: None, monkeypatch: pytest.MonkeyPatch) -> None:
    NameToken.objects.update(reading="")
    monkeypatch.setattr(name_index, "_PORTION", 1)
    monkeypatch.setattr(name_index, "_PORTIONS", 2)
    left = NameToken.objects.unread().count()
    name_index.fill_readings()
    assert 0 < NameToken.objects.unread().count() < left


def test_a_renamed_record_is_found_by_its_new_name_only(people: None, web_shop: Source, steward: User) -> None:
    arrive(web_shop, identify("u-1002", firstName="Prasit", lastName="Jaidee", day=3))
    assert found("Prasit", steward) == [("Prasit", "name")]
    assert found("Somchai", steward) == []
