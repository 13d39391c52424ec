"""What a word of a search may mean, across scripts: by what customers who stand in both tell, else by sound."""

import pytest

from cdp_site.core.models import User
from ingestion.models import Source
from profiles import name_spellings, name_words, search
from profiles.models import NameToken, SourceRecord
from profiles.name_index import words_of
from tests.factories.arrivals import arrive, identify

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_both_scripts(web_shop: Source, pos: Source) -> None:
    """Three customers of one name, whom the shop knows in Thai and the till in Latin letters. No rule of pronunciation
    reads พงศธร so."""
    for number, (thai, latin) in enumerate([("ใจดี", "Jaidee"), ("รักไทย", "Rakthai"), ("มีนา", "Meena")]):
        email = f"both-{number}@baansabai.co.th"
        arrive(web_shop, identify(f"b-{number}", firstName="พงศธร", lastName=thai, email=email))
        arrive(pos, identify(f"B{number}", firstName="Pongsathon", lastName=latin, email=email))


def found(term: str, by: User) -> list[str]:
    return [hit.profile.golden["last_name"] for hit in search.find(term, by=by)]


def token(text: str) -> NameToken:
    return NameToken.objects.get(token=words_of(text)[0].token)


def spellings(text: str) -> set[str]:
    return set(NameToken.objects.filter(pk__in=token(text).spellings).values_list("token", flat=True))


def test_customers_in_both_scripts_tell_how_a_name_is_written(in_both_scripts: None) -> None:
    name_spellings.learn()
    assert spellings("พงศธร") == {"pongsathon"}
    assert spellings("Pongsathon") == {"พงศธร"}
    # Of one customer it would be that customer's own, and the first name beside it is no spelling of it.
    assert spellings("ใจดี") == set()


def test_what_customers_told_finds_those_who_stand_in_one_script_only(
    in_both_scripts: None, web_shop: Source, steward: User
) -> None:
    arrive(web_shop, identify("l-1", firstName="Pongsathon", lastName="Saetang"))
    thai = words_of("พงศธ")  # the last letter was not typed
    of_latin = token("Pongsathon").pk
    assert of_latin not in {one.token_id for one in name_words.candidates(thai)}
    name_spellings.learn()
    assert of_latin in {one.token_id for one in name_words.candidates(thai)}
    assert found("พงศธ แซ่ตั้ง", steward) == ["Saetang"]


def test_a_spelling_is_forgotten_with_those_who_told_it(in_both_scripts: None) -> None:
    name_spellings.learn()
    SourceRecord.objects.filter(source__slug="pos").earliest("pk").name_tokens.all().delete()
    name_spellings.learn()
    assert spellings("พงศธร") == set()


def test_a_typing_error_is_followed_into_the_other_script(web_shop: Source, steward: User) -> None:
    """As it is typed it sounds like nobody; what it was meant for is somebody else's name, and sounds right."""
    arrive(
        web_shop,
        identify("u-1", firstName="สายฝน", lastName="ใจดี"),
        identify("u-2", firstName="Saifon", lastName="Kasemsub"),
    )
    assert found("สายนฝ เกษมทรัพย์", steward) == ["Kasemsub"]


def test_a_rare_error_of_whoever_wrote_a_name_down_is_an_error_still(web_shop: Source) -> None:
    arrive(
        web_shop,
        identify("u-1", firstName="สายฝน", lastName="ใจดี"),
        identify("u-2", firstName="Saifon", lastName="Kasemsub"),
        identify("u-3", firstName="สายนฝ", lastName="มีนา"),
    )
    typed, of_latin = words_of("สายนฝ"), token("Saifon").pk

    def likeness() -> float:
        return max((one.likeness for one in name_words.candidates(typed) if one.token_id == of_latin), default=0.0)

    assert likeness() > 0.7
    NameToken.objects.filter(token="สายนฝ").update(bearers=500)
    assert likeness() < 0.65


def test_who_bears_a_word_is_counted_and_small_changes_are_left(web_shop: Source) -> None:
    arrive(web_shop, *(identify(f"u-{number}", firstName="Somchai") for number in range(24)))
    name_spellings.count_bearers()
    assert token("Somchai").bearers == 24
    arrive(web_shop, *(identify(f"v-{number}", firstName="Somchai") for number in range(6)))
    name_spellings.count_bearers()
    assert token("Somchai").bearers == 24


def test_of_three_words_all_count(web_shop: Source, steward: User) -> None:
    """Two of them are the same in hundreds of names: who is meant is told by the third."""
    arrive(
        web_shop,
        identify("u-0", firstName="Yuki", lastName="Van Dijk"),
        *(identify(f"u-{number}", firstName=f"Bob{number}", lastName="Van Dijk") for number in range(1, 20)),
    )
    hits = search.find("Yuuki Van Dijk", by=steward, limit=1)
    assert [hit.profile.golden["first_name"] for hit in hits] == ["Yuki"]


def test_in_one_script_spelling_says_more_than_sound() -> None:
    def likeness(a: str, b: str) -> float:
        return name_words.likeness(words_of(a)[0], words_of(b)[0])

    assert likeness("Lauea", "Laura") > 0.7
    assert likeness("Geen", "Green") > 0.75 > likeness("Jesdica", "Justine")
    assert 0.95 > likeness("Maie", "Mei") > likeness("Maie", "Mark")
