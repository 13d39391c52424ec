"""What is true of every text: nothing raises, fast paths equal the libraries, results are stable and symmetric."""

import json
import string
from collections.abc import Callable
from datetime import UTC, date, timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from ingestion.normalise import addresses, crossing, dates, email, names, national_id, phone, thai, trait_names
from ingestion.normalise.provinces import PROVINCES, province
from ingestion.normalise.romanise import romanise
from ingestion.normalise.text import clean, is_blank, unusable, without_accents
from ingestion.normalise.traits import names_of, normalise_traits
from ingestion.normalise.values import Normalised, placeholder_problem

# The first example of a kind loads a library; nothing after that may take this long.
BUDGET: Final = settings(
    max_examples=200, deadline=timedelta(seconds=2), derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)

THAI_LETTERS: Final = "กขคงจชญฐณดตถทธนบปผพฟภมยรลวศษสหอฮฤะัาำิีึืุูเแโใไ็่้๊๋์ํๆฯๅ๐๑๙"
THAI_MONTHS: Final = (
    "ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.",
)  # fmt: skip
anything = st.text(max_size=80)
thai_text = st.text(alphabet=THAI_LETTERS + " .", max_size=24)
latin_text = st.text(alphabet=string.ascii_letters + " .'-éüßøŁ", max_size=24)
written = st.one_of(
    thai_text, latin_text, anything, st.text(alphabet=THAI_LETTERS + string.printable + "\u200b\u0301", max_size=40)
)
name_lists = st.sampled_from(
    [
        "สมชาย",
        "สมหญิง",
        "ธนกร",
        "พิชญาภรณ์",
        "กิตติศักดิ์",
        "กิตติพงษ์",
        "Thanakorn",
        "Somchai",
        "Robert",
        "Bob",
        "B.",
        "Müller",
        "王伟",
        "น้องพลอย",
    ]
)
person_names = st.one_of(name_lists, st.builds("{} {}".format, name_lists, name_lists), written).map(names.person_name)
separators = st.sampled_from(["", "", " ", "-", "."])


@st.composite
def phone_like(draw: st.DrawFn) -> str:
    """Digits as people group them behind the ways to begin a Thai number."""
    opening = draw(st.sampled_from(["0", "66", "+66", "0066", "+66 (0)", "66(0)", "+66-", "+1 ", "+", "00", ""]))
    digits = draw(st.text(alphabet="0123456789", min_size=7, max_size=11))
    grouped = "".join(digit + draw(separators) for digit in digits)
    return opening + draw(separators) + grouped


@st.composite
def email_like(draw: st.DrawFn) -> str:
    local = draw(st.text(alphabet=string.ascii_letters + string.digits + "._+-!' ", min_size=1, max_size=12))
    label = st.text(alphabet=string.ascii_lowercase + string.digits + "-", min_size=1, max_size=8)
    domain = ".".join(draw(st.lists(label, min_size=1, max_size=3)))
    return f"{local}@{domain}.{draw(st.sampled_from(['com', 'co.th', 'th', 'x1', 'test', 'shop', 'c', 'invalid']))}"


json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), written, phone_like()
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(written, inner, max_size=4)),
    max_leaves=8,
)
trait_keys = st.one_of(
    st.sampled_from(
        ["name", "firstName", "lastName", "first_name", "title", "email", "phone", "Mobile", "birthday", "birth_date",
         "address", "gender", "postcode", "displayName", "line_id", "member_id", "nationalId", "city", "จังหวัด", "vip"]
    ),
    written,
)  # fmt: skip


@pytest.mark.parametrize(
    "function",
    [clean, without_accents, placeholder_problem, thai.normalise_thai, thai.sort_key, thai.is_thai, thai.ascii_digits,
     romanise, crossing.folded, crossing.skeleton, names.person_name, names.split_title,
     national_id.is_national_id_name, national_id.normalise_national_id, trait_names.canonical_name,
     trait_names.suggest_trait, phone.normalise_phone, email.normalise_email, dates.normalise_date,
     partial(dates.parse_timestamp, zone=UTC), province, addresses.place, addresses.postcode,
     lambda text: addresses.read_addresses({"address": text, "district": text, "postcode": text})],
)  # fmt: skip
@BUDGET
@given(text=st.one_of(written, phone_like(), email_like()))
@example(text="")
@example(text="\x00\ud800")
@example(text="์" * 2_000)
@example(text="(" * 5_000)
@example(text="1" * 5_000)
@example(text="x " * 5_000)
@example(text="0" + " " * 5_000 + "x")
def test_nothing_raises_on_any_text(function: Callable[[str], object], text: str) -> None:
    assert function(text) == function(text)


@BUDGET
@given(text=written)
def test_blank_is_what_cleaning_leaves_nothing_of(text: str) -> None:
    assert is_blank(text) == (clean(text) == "")


@pytest.mark.parametrize("function", [clean, without_accents, thai.normalise_thai, thai.ascii_digits])
@BUDGET
@given(text=written)
def test_texts_are_stable(function: Callable[[str], str], text: str) -> None:
    assert function(function(text)) == function(text)


@BUDGET
@given(key=written)
def test_canonical_names_are_stable(key: str) -> None:
    name = trait_names.canonical_name(key)
    assert trait_names.canonical_name(name) == name


@pytest.mark.parametrize(
    "normalise", [phone.normalise_phone, email.normalise_email, dates.normalise_date, national_id.normalise_national_id]
)
@BUDGET
@given(raw=st.one_of(phone_like(), email_like(), written, st.dates(date(1860, 1, 1), date(2100, 1, 1)).map(str)))
def test_a_good_value_is_its_own_normal_form(normalise: Callable[[str], Normalised], raw: str) -> None:
    found = normalise(raw)
    assert found.raw == raw
    assert found.evidence == (found.problem is None)
    if found.evidence:
        assert normalise(found.value) == Normalised.good(found.value, found.value)


@BUDGET
@given(raw=phone_like(), region=st.sampled_from(["TH", "US", "GB"]))
@example(raw="0662123456", region="TH")
@example(raw="66812345679", region="TH")
@example(raw="+66 (0)81 234 5679", region="TH")
def test_the_short_way_to_a_phone_equals_the_librarys(raw: str, region: str) -> None:
    assert phone.normalise_phone(raw, region=region) == phone.read(phone.tidy(raw), raw, (region,))


@BUDGET
@given(raw=st.one_of(email_like(), written))
def test_the_short_way_to_an_email_equals_the_librarys(raw: str) -> None:
    assert email.normalise_email(raw) == email.read(email.tidy(raw), raw)


@BUDGET
@given(text=st.text(alphabet=THAI_LETTERS + " ", max_size=12))
def test_a_text_left_alone_is_one_that_pythainlp_leaves_alone(text: str) -> None:
    from pythainlp.util import normalize

    if thai.normalise_thai(text) == text:
        assert normalize(text) == text


@BUDGET
@given(
    day=st.dates(date(1860, 1, 1), date(2140, 12, 31)), buddhist=st.booleans(), order=st.sampled_from(["dmy", "mdy"])
)
def test_a_day_is_read_back_however_it_was_written(day: date, buddhist: bool, order: dates.DateOrder) -> None:
    year = day.year + (543 if buddhist else 0)
    numbers = f"{day.day}/{day.month}/{year}" if order == "dmy" else f"{day.month}/{day.day}/{year}"
    month = THAI_MONTHS[day.month - 1]
    for text in (numbers, f"{day.day} {month} {year}", f"{year}-{day.month:02}-{day.day:02}", f"{year}{day:%m%d}"):
        assert dates.normalise_date(text, order=order).value == day.isoformat()


@BUDGET
@given(digits=st.text(alphabet="0123456789", min_size=12, max_size=12))
def test_one_last_digit_fits(digits: str) -> None:
    assert sum(national_id.checksum_ok(digits + last) for last in "0123456789") == 1


@BUDGET
@given(a=person_names, b=person_names)
def test_comparisons_are_symmetric_and_do_not_contradict(
    a: names.PersonName | None, b: names.PersonName | None
) -> None:
    differ, agree = names.names_clearly_differ(a, b), names.names_agree(a, b)
    assert differ == names.names_clearly_differ(b, a)
    assert agree == names.names_agree(b, a)
    assert (differ is None) == (agree is None)
    assert not (differ and agree)


@BUDGET
@given(name=person_names)
def test_nobody_differs_from_themselves(name: names.PersonName | None) -> None:
    assume(name is not None and name.known)
    assert names.names_clearly_differ(name, name) is False


@BUDGET
@given(a=written, b=written)
def test_likeness_is_symmetric_and_a_share(a: str, b: str) -> None:
    for compare in (crossing.names_similar, crossing.readings_agree):
        likeness = compare(a, b)
        assert likeness == compare(b, a)
        assert 0.0 <= likeness <= 1.0


@BUDGET
@given(traits=st.dictionaries(trait_keys, json_values, max_size=8))
@example(traits={"address": [None, {"street": ["1"]}, [1]], "name": {"first": "A"}, "phone": [[], {}]})
def test_any_object_is_read(traits: dict[str, Any]) -> None:
    found = normalise_traits(traits)
    json.dumps(found.attributes, allow_nan=False)
    assert unusable(traits) is not None or unusable(found.attributes) is None
    assert {problem.trait for problem in found.problems} <= {trait_names.canonical_name(key) for key in traits} | {
        "address_line2", "subdistrict", "district", "city", "province", "postcode", "country",
    }  # fmt: skip
    names_of(found.attributes)


@BUDGET
@given(
    traits=st.fixed_dictionaries(
        {},
        optional={
            "email": st.lists(email_like(), max_size=3),
            "phone": st.one_of(phone_like(), st.lists(phone_like(), max_size=3)),
            "birth_date": st.one_of(written, st.dates().map(str)),
            "city": written,
            "gender": st.sampled_from(["ชาย", "F", "other"]),
        },
    )
)
def test_attributes_read_again_are_the_same(traits: dict[str, Any]) -> None:
    """A record's attributes can be normalised anew after a rule has changed, and nothing else moves."""
    once = normalise_traits(traits).attributes
    assert normalise_traits(once).attributes == once


@BUDGET
@given(value=json_values, poison=st.sampled_from(["a\x00", "\ud800", float("nan"), float("inf")]))
def test_what_cannot_be_stored_is_found_wherever_it_hides(value: Any, poison: Any) -> None:
    assert unusable([value, {"deep": [value, poison]}]) is not None
    assert (unusable(value) is None) == _can_be_stored(value)


def _can_be_stored(value: Any) -> bool:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, UnicodeEncodeError):
        return False
    return "\\u0000" not in text.replace("\\\\", "")


addresses_written = st.one_of(
    written,
    st.lists(
        st.sampled_from(
            ["99/1", "หมู่ 4", "Moo 4", "ถนนสุขุมวิท", "ซ.", "Soi 3", "แขวงคลองเตย", "อ.เมือง", "Main St", "กทม.", "10110",
             "Chiang Mai", "จ.", "Khet", ",", "หมู่บ้าน", "12 High Road", "NV 89132", "ต.", "Rd.", "Thailand", "#"]
        ),
        max_size=8,
    ).map(" ".join),
)  # fmt: skip


@BUDGET
@given(text=addresses_written)
def test_an_address_keeps_its_raw_form_and_is_read_alike_from_it(text: str) -> None:
    for address in addresses.read_addresses({"address": text}):
        assert address.raw == text
        assert addresses.read_addresses({"address": address.raw}) == (address,)
        assert list(address.rest) == sorted(set(address.rest))


@BUDGET
@given(text=addresses_written)
def test_places_and_postcodes_are_stable(text: str) -> None:
    for function in (addresses.place, addresses.postcode, province):
        found = function(text)
        assert found is None or function(found) == found


@BUDGET
@given(
    house=st.from_regex(r"[1-9][0-9]{0,3}(/[1-9][0-9]?)?", fullmatch=True),
    moo=st.integers(1, 20),
    place=st.sampled_from(sorted(PROVINCES)),
    code=st.integers(10_000, 96_220),
)
def test_an_address_in_thai_meets_the_same_in_english(house: str, moo: int, place: str, code: int) -> None:
    thai_text = f"{house} หมู่ที่ {moo} ต.สุเทพ อ.เมือง จ.{place} {code}".translate(_TO_THAI)
    (in_thai,) = addresses.read_addresses({"address": thai_text})
    (in_english,) = addresses.read_addresses({"address": f"{house} Moo {moo}, Tambon Suthep, {place.title()}, {code}"})
    for found in (in_thai, in_english):
        assert (found.house, found.moo, found.province, found.postcode) == (house, str(moo), place, str(code))


_TO_THAI = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")
