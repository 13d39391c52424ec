"""Addresses as Thai and English write them, and what other countries do."""

from typing import Any

import pytest

from ingestion.normalise.addresses import Address, place, postcode, read_addresses
from ingestion.normalise.crossing import readings_agree
from ingestion.normalise.provinces import PROVINCES, province

SUKHUMVIT = {"house": "99/1", "moo": "4", "province": "bangkok", "postcode": "10110"}
NIMMAN = {"house": "99", "province": "chiang-mai", "postcode": "50200"}


def read_address(traits: dict[str, object]) -> Address | None:
    """The first."""
    return next(iter(read_addresses(traits)), None)


def parts(address: Address | None) -> dict[str, object]:
    assert address is not None
    return {name: value for name in Address.__slots__ if name != "raw" and (value := getattr(address, name))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "99/1 หมู่ 4 ซอยสุขุมวิท 39 ถนนสุขุมวิท แขวงคลองตันเหนือ เขตวัฒนา กรุงเทพฯ 10110",
            SUKHUMVIT | {"soi": "สุขุมวิท 39", "street": "สุขุมวิท", "subdistrict": "คลองตันเหนือ", "district": "วัฒนา"},
        ),
        (
            "99/1 Moo 4, Soi Sukhumvit 39, Sukhumvit Rd., Khwaeng Khlong Tan Nuea, Khet Watthana, Bangkok 10110",
            SUKHUMVIT
            | {
                "soi": "sukhumvit 39",
                "street": "sukhumvit",
                "subdistrict": "khlong tan nuea",
                "district": "watthana",
            },
        ),
        (
            "๙๙ ถ.นิมมานเหมินท์ ต.สุเทพ อ.เมืองเชียงใหม่ จ.เชียงใหม่ ๕๐๒๐๐",
            NIMMAN | {"street": "นิมมานเหมินท์", "subdistrict": "สุเทพ", "district": "เมืองเชียงใหม่"},
        ),
        (
            "99 Nimmanhaemin Road, Suthep Subdistrict, Mueang Chiang Mai District, Chiang Mai 50200",
            NIMMAN | {"street": "nimmanhaemin", "subdistrict": "suthep", "district": "mueang chiang mai"},
        ),
        (
            "99 Nimmanhaemin Rd, T. Suthep, A. Mueang Chiang Mai, Chiang Mai Province, 50200 Thailand",
            NIMMAN | {"street": "nimmanhaemin", "subdistrict": "suthep", "district": "mueang", "country": "thailand"},
        ),
        (
            "หมู่บ้านเสนานิเวศน์ บ้านเลขที่ 12/3 ม.5 ต.บางพูด อ.ปากเกร็ด นนทบุรี 11120",
            {
                "house": "12/3",
                "moo": "5",
                "subdistrict": "บางพูด",
                "district": "ปากเกร็ด",
                "province": "nonthaburi",
                "postcode": "11120",
                "rest": ("เสนานิเวศน์",),
            },
        ),
        (
            "123 Main Street, Las Vegas NV 89132",
            {"house": "123", "street": "main", "postcode": "89132", "rest": ("las", "nv", "vegas")},
        ),
        ("123 E Main St", {"house": "123", "street": "main"}),
        ("445 Overpass Rd San Ramon", {"house": "445", "street": "overpass", "rest": ("ramon", "san")}),
        ("12396 Austin Rd", {"house": "12396", "street": "austin"}),
        (
            "Skyline Apartments 705 Sheppard Ave, Toronto",
            {"house": "705", "street": "sheppard", "rest": ("apartments", "skyline", "toronto")},
        ),
        ("P.O. Box 12987", {"rest": ("12987", "box", "o", "p")}),
        (
            "Ansbacher Strasse 23, 56422 Dusseldorf",
            {"house": "23", "street": "ansbacher", "postcode": "56422", "rest": ("dusseldorf",)},
        ),
        (
            "Skyline Apartments, 705 Sheppard Ave",
            {"house": "705", "street": "sheppard", "rest": ("apartments", "skyline")},
        ),
    ],
)
def test_an_address_in_one_text_is_taken_apart(text: str, expected: dict[str, object]) -> None:
    assert parts(read_address({"address": text})) == expected
    assert read_address({"address": text}).raw == text  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        (
            {"address": "99 ถนนราชดำเนิน", "district": "เขตพระนคร", "province": "กทม.", "postcode": "๑๐๒๐๐"},
            {"house": "99", "street": "ราชดำเนิน", "district": "พระนคร", "province": "bangkok", "postcode": "10200"},
        ),
        ({"city": "Phuket"}, {"province": "phuket"}),
        ({"city": "Hat Yai", "province": "Songkhla"}, {"city": "hat yai", "province": "songkhla"}),
        ({"city": "Chonburi", "province": "ชลบุรี"}, {"province": "chon-buri"}),
        ({"city": "Salem", "province": "OR"}, {"city": "salem", "province": "or"}),
        ({"address": "ไม่มี", "city": "-", "postcode": "0"}, None),
        ({}, None),
        ({"address": "x" * 1_000}, None),
        ({"address": ["1 Main St", "2 High St"]}, {"house": "1", "street": "main"}),
    ],
)
def test_traits_say_what_is_what(traits: dict[str, object], expected: dict[str, object] | None) -> None:
    found = read_address(traits)
    assert (None if found is None else parts(found)) == expected


def test_further_lines_stand_alone() -> None:
    first, second = read_addresses({"address": ["1 Main St", "2 High St"], "city": "Salem"})
    assert (first.house, first.city) == ("1", "salem")
    assert (second.house, second.city) == ("2", None)


@pytest.mark.parametrize(
    ("slug", "spellings"),
    [
        ("bangkok", "กรุงเทพมหานคร|กรุงเทพฯ|กทม.|กทม|กรุงเทพ|Bangkok|BANGKOK|Krung Thep|Krungthep Maha Nakhon|BKK"),
        ("chiang-mai", "เชียงใหม่|จ.เชียงใหม่|จังหวัดเชียงใหม่|Chiang Mai|Chiangmai|chiang-mai|Chiang Mai Province"),
        ("chon-buri", "ชลบุรี|Chonburi|Chon Buri|Cholburi"),
        ("nakhon-ratchasima", "นครราชสีมา|โคราช|Korat|Nakhon Ratchasima"),
        ("phra-nakhon-si-ayutthaya", "พระนครศรีอยุธยา|อยุธยา|Ayutthaya|Ayuthaya"),
        ("phetchabun", "เพชรบูรณ์|Petchabun|Petchaboon"),
    ],
)
def test_a_province_is_one_however_it_is_written(slug: str, spellings: str) -> None:
    assert {province(spelling) for spelling in spellings.split("|")} == {slug}


def test_all_provinces_are_known_in_both_languages() -> None:
    from pythainlp.corpus import provinces

    rows: Any = provinces(details=True)
    assert len(rows) == len(PROVINCES) == 77
    for row in rows:
        slug = province(row["name_th"])
        assert slug in PROVINCES
        assert slug == province(row["name_en"]) == province(f"จ.{row['name_th']}")


@pytest.mark.parametrize("text", ["San Francisco", "เมือง", "City", "", "Camden", "x" * 200, "ชล"])
def test_other_places_are_no_province(text: str) -> None:
    assert province(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("เขตวัฒนา", "วัฒนา"), ("Watthana District", "watthana"), ("อ.เมือง", "เมือง"), ("Khet Watthana", "watthana"),
     ("ตำบลสุเทพ", "สุเทพ"), ("St James", "st james"), ("-", None), ("", None)],
)  # fmt: skip
def test_a_place_is_named_without_what_it_is(text: str, expected: str | None) -> None:
    assert place(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10110", "10110"), ("๑๐๑๑๐", "10110"), ("89132-1234", "89132"), ("927230000", "92723"), ("M1S 1T4", "M1S1T4"),
     ("00000", None), ("1", None), ("none", None), ("", None)],
)  # fmt: skip
def test_postcodes(text: str, expected: str | None) -> None:
    assert postcode(text) == expected


@pytest.mark.parametrize(
    ("thai", "english"),
    [
        (
            "12 ถ.พหลโยธิน แขวงจตุจักร เขตจตุจักร กทม. 10900",
            "12 Phahonyothin Rd, Chatuchak, Khet Chatuchak, Bangkok 10900",
        ),
        (
            "5/8 ม.2 ต.ป่าตอง อ.กะทู้ จ.ภูเก็ต 83150",
            "5/8 Moo 2, Tambon Patong, Amphoe Kathu, Phuket 83150",
        ),
        (
            "88 ถนนมิตรภาพ ตำบลในเมือง อำเภอเมือง จังหวัดขอนแก่น 40000",
            "88 Mittraphap Road, T. Nai Mueang, A. Mueang, Khon Kaen 40000",
        ),
    ],
)
def test_both_languages_say_the_same(thai: str, english: str) -> None:
    a, b = read_address({"address": thai}), read_address({"address": english})
    assert a
    assert b
    assert (a.house, a.moo, a.province, a.postcode) == (b.house, b.moo, b.province, b.postcode)
    for part in ("street", "district"):
        in_thai, in_english = getattr(a, part), getattr(b, part)
        assert (in_thai is None) == (in_english is None)
        assert in_thai is None or readings_agree(in_thai, in_english.replace(" ", "")) >= 0.6
