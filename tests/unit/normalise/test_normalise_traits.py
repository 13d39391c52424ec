"""What one message says about a person."""

import json
from typing import Any

import pytest

from ingestion.normalise.dates import TwoDigitYears
from ingestion.normalise.traits import GLOBAL, OWN, TraitProblem, names_of, normalise_traits
from ingestion.normalise.values import Problem


def attributes(traits: dict[str, Any], **options: Any) -> dict[str, Any]:
    return normalise_traits(traits, **options).attributes


def candidates(traits: dict[str, Any], **options: Any) -> list[tuple[str, str, str, bool]]:
    found = normalise_traits(traits, **options).identifiers
    return [(one.kind, one.namespace, one.value.value, one.value.evidence) for one in found]


def problems(traits: dict[str, Any], **options: Any) -> list[tuple[str, str]]:
    return [(problem.trait, problem.code) for problem in normalise_traits(traits, **options).problems]


class TestSources:
    """Rows and calls as the systems of one company send them."""

    def test_segment_identify(self) -> None:
        assert attributes(
            {
                "firstName": "Ms.Sayamon",
                "lastName": "Sungphukhiao",
                "email": "Sayamon.Sun13@Gmail.com",
                "phone": None,
                "birthday": "1991-12-26",
                "address": {
                    "street": "1 Rama IV",
                    "city": "Bangkok",
                    "state": "",
                    "postalCode": 10110,
                    "country": "TH",
                },
                "plan": {"name": "gold"},
                "favouriteColour": "Red",
            }
        ) == {
            "first_name": "Sayamon",
            "last_name": "Sungphukhiao",
            "title": "Ms",
            "email": "sayamon.sun13@gmail.com",
            "phone": None,
            "birth_date": "1991-12-26",
            "address": "1 Rama IV",
            "city": "Bangkok",
            "province": None,
            "postcode": "10110",
            "country": "TH",
            "plan": {"name": "gold"},
            "favourite_colour": "Red",
        }

    def test_point_of_sale(self) -> None:
        found = normalise_traits(
            {
                "ชื่อ-สกุล": "นางสาวลูกน้ำ รัตนวราหะ",
                "โทรศัพท์": "๐๘๗๖๙๑๕๒๔๖",
                "วันเกิด": "27-09-2521",
                "จังหวัด": "สงขลา",
                "รหัสสมาชิก": "M000002",
            }
        )
        assert found.attributes == {
            "name": "ลูกน้ำ รัตนวราหะ",
            "first_name": "ลูกน้ำ",
            "last_name": "รัตนวราหะ",
            "title": "นางสาว",
            "phone": "+66876915246",
            "birth_date": "1978-09-27",
            "province": "สงขลา",
            "member_id": "M000002",
        }
        assert {(one.kind, one.namespace) for one in found.identifiers} == {("phone", GLOBAL), ("member_id", OWN)}
        assert [name.first for name in found.names] == ["ลูกน้ำ"]
        assert found.problems == ()

    def test_call_centre(self) -> None:
        found = normalise_traits({"first_name": "คุณยศามล", "last_name": "", "phone": "0066809682506"})
        assert found.attributes == {"first_name": "ยศามล", "last_name": None, "phone": "+66809682506"}

    def test_line(self) -> None:
        found = normalise_traits({"displayName": "น้องศยา", "phone": "0809682506"})
        assert found.attributes == {"display_name": "น้องศยา", "phone": "+66809682506"}
        assert [name.known for name in found.names] == [False]

    def test_several_names_phones_and_addresses(self) -> None:
        found = normalise_traits(
            {
                "name": ["Robert Smith", "Bob J Smith"],
                "phone": ["702-919-1300", "702-919-1301"],
                "address": [
                    {"street": "123 Main Street", "city": "Las Vegas", "state": "NV", "zip": "89132"},
                    {"street": "1515 Adela Lane", "city": "Las Vegas"},
                    "Somewhere else",
                ],
                "birth_date": "12/31/1978",
            },
            region="US",
            date_order="mdy",
        )
        assert found.attributes == {
            "name": ["Robert Smith", "Bob J Smith"],
            "first_name": "Robert",
            "last_name": "Smith",
            "phone": ["+17029191300", "+17029191301"],
            "address": ["123 Main Street", "1515 Adela Lane, Las Vegas", "Somewhere else"],
            "city": "Las Vegas",
            "province": "NV",
            "postcode": "89132",
            "birth_date": "1978-12-31",
        }
        assert [name.full for name in found.names] == ["Robert Smith", "Bob J Smith"]


class TestAbsentAndCleared:
    def test_absent_is_not_there_and_null_is_kept(self) -> None:
        assert attributes({"email": None}) == {"email": None}
        assert attributes({}) == {}

    @pytest.mark.parametrize("nothing", ["", "   ", "\u200b\x08", []])
    def test_blank_clears(self, nothing: Any) -> None:
        assert attributes({"city": nothing, "plan": nothing}) == {"city": None, "plan": None}

    def test_one_part_alone_changes_no_other(self) -> None:
        assert attributes({"lastName": "รักไทย"}) == {"last_name": "รักไทย"}
        assert attributes({"first_name": "สุดา"}) == {"first_name": "สุดา"}

    def test_a_whole_name_gives_both_parts_also_when_it_has_one_or_none(self) -> None:
        assert attributes({"name": "สุดา"}) == {"name": "สุดา", "first_name": "สุดา", "last_name": None}
        assert attributes({"name": None}) == {"name": None, "first_name": None, "last_name": None}

    def test_a_courtesy_title_is_not_kept(self) -> None:
        assert "title" not in attributes({"name": "คุณสุดา ใจดี"})
        assert attributes({"name": "คุณสุดา ใจดี", "title": "น.ส."})["title"] == "นางสาว"


class TestKeys:
    def test_synonyms_of_a_multi_valued_trait_add_up(self) -> None:
        assert attributes({"email": "ann@lee.org", "E-mail Address": "ANN@lee.org", "mail": "a2@lee.org"})["email"] == [
            "ann@lee.org",
            "a2@lee.org",
        ]

    @pytest.mark.parametrize("traits", [{"city": "A", "town": "B"}, {"town": "B", "city": "A"}])
    def test_of_others_the_canonical_key_wins_in_any_order(self, traits: dict[str, str]) -> None:
        assert attributes(traits) == {"city": "A"}

    def test_of_synonyms_the_first_by_name_wins_in_any_order(self) -> None:
        assert attributes({"town": "B", "เมือง": "C"}) == attributes({"เมือง": "C", "town": "B"}) == {"city": "B"}


class TestValues:
    def test_bad_values_are_shown_and_are_no_evidence(self) -> None:
        traits = {"first_name": "ส***ย", "phone": "0999999999", "email": "noemail@shop.co.th", "birth_date": "21/1/09"}
        assert attributes(traits) == {**traits, "phone": "+66999999999"}
        assert [one[3] for one in candidates(traits)] == [False, False]
        assert sorted(problems(traits)) == [
            ("birth_date", "ambiguous_year"), ("email", "junk"), ("first_name", "masked"), ("phone", "junk"),
        ]  # fmt: skip
        assert normalise_traits(traits).names == ()

    def test_options_reach_the_values(self) -> None:
        assert attributes({"birth_date": "21/1/09"}, two_digit_years=TwoDigitYears("buddhist")) == {
            "birth_date": "1966-01-21"
        }
        assert attributes({"phone": "702-919-1300"}, fallback_regions=("US",)) == {"phone": "+17029191300"}

    @pytest.mark.parametrize(
        ("typed", "held"),
        [
            ("081-234-5679, 089-876-5012", ["+66812345679", "+66898765012"]),
            ("0812345679 / 0898765012", ["+66812345679", "+66898765012"]),
            ("0812345679 หรือ 0898765012", ["+66812345679", "+66898765012"]),
            ("0812345679;0812345679", "+66812345679"),
            (812345679, "+66812345679"),
            (812345679.0, "+66812345679"),
            (["0812345679"], "+66812345679"),
            ([None, ""], None),
        ],
    )
    def test_phones(self, typed: Any, held: Any) -> None:
        assert attributes({"phone": typed}) == {"phone": held}

    def test_several_addresses_in_one_field(self) -> None:
        assert attributes({"email": "ann@lee.org; bob@lee.org"}) == {"email": ["ann@lee.org", "bob@lee.org"]}

    def test_gender_and_postcode(self) -> None:
        assert attributes({"gender": "หญิง", "postcode": "๑๐๑๑๐"}) == {"gender": "female", "postcode": "10110"}
        assert attributes({"gender": "M"}) == {"gender": "male"}
        assert attributes({"gender": "non-binary"}) == {"gender": "non-binary"}

    @pytest.mark.parametrize("zeros", ["0", "000", "0000-0", "-", "null"])
    def test_a_member_without_a_number(self, zeros: str) -> None:
        assert candidates({"member_id": zeros}) == [("member_id", OWN, zeros, False)]

    @pytest.mark.parametrize(
        ("traits", "code"),
        [
            ({"email": {"home": "ann@lee.org"}}, "wrong_type"),
            ({"phone": True}, "wrong_type"),
            ({"first_name": 1.5}, "wrong_type"),
            ({"birth_date": ["1991-12-26"]}, "wrong_type"),
            ({"city": "x" * 1001}, "too_long"),
            ({"phone": [f"08123456{number}" for number in range(10, 40)]}, "too_many"),
            ({"score": float("inf")}, "not_a_number"),
        ],
    )
    def test_what_has_no_form(self, traits: dict[str, Any], code: str) -> None:
        assert code in [problem for _, problem in problems(traits)]
        json.dumps(attributes(traits), allow_nan=False)

    def test_of_too_many_values_the_first_are_read(self) -> None:
        traits = {"phone": [f"081234{number}" for number in range(5010, 5050)], "name": ["สุดา"] * 30}
        assert len(attributes(traits)["phone"]) == len(attributes(traits)["name"]) == len(candidates(traits)) == 20
        assert normalise_traits(traits).problems[0] == TraitProblem("phone", Problem.TOO_MANY, "40")


class TestNationalId:
    def test_sealed(self) -> None:
        found = normalise_traits({"nationalId": {"hash": "ab" * 32, "last_four": "0708"}})
        assert found.attributes == {"national_id": "0708"}
        assert [(one.kind, one.namespace, one.value.value, one.value.raw) for one in found.identifiers] == [
            ("national_id", GLOBAL, "ab" * 32, "0708")
        ]
        assert found.identifiers[0].value.evidence

    def test_sealed_with_a_problem(self) -> None:
        traits = {"tax_id": {"hash": "ab" * 32, "last_four": "0013", "problem": "company_id"}}
        assert candidates(traits) == [("national_id", GLOBAL, "ab" * 32, False)]
        assert normalise_traits(traits).problems == (TraitProblem("national_id", Problem.COMPANY_ID, "0013"),)

    @pytest.mark.parametrize("clear", ["1101700230708", 1101700230708, {"hash": 1}, ["1101700230708"]])
    def test_in_clear_it_is_dropped(self, clear: Any) -> None:
        found = normalise_traits({"เลขบัตรประชาชน": clear})
        assert found.attributes == {}
        assert found.identifiers == ()
        assert found.problems == (TraitProblem("national_id", Problem.UNSEALED, ""),)


class TestNamesOfARecord:
    def test_parts_first_then_the_whole_then_what_they_call_themselves(self) -> None:
        held = {
            "first_name": "สุดา",
            "last_name": "ใจดี",
            "name": "Suda Jaidee",
            "display_name": "น้องดา",
            "nickname": "ดา",
        }
        assert [(name.full, name.known) for name in names_of(held)] == [
            ("สุดา ใจดี", True), ("Suda Jaidee", True), ("น้องดา", False), ("ดา", False),
        ]  # fmt: skip

    def test_one_name_is_given_once(self) -> None:
        assert (
            len(names_of({"first_name": "สุดา", "last_name": "ใจดี", "name": "นางสาวสุดา ใจดี", "display_name": "สุดา ใจดี"}))
            == 1
        )

    def test_two_surnames_for_one_given_name(self) -> None:
        assert [name.full for name in names_of({"first_name": "สุดา", "last_name": ["ใจดี", "รักไทย"]})] == [
            "สุดา ใจดี",
            "สุดา รักไทย",
        ]


def test_segments_company_object_becomes_flat_traits():
    read = normalise_traits(
        {"company": {"name": "Acme Siam", "id": "A1", "industry": "Food", "employee_count": 40, "plan": "pro"}}
    )

    assert read.attributes == {
        "company": "Acme Siam",
        "company_id": "A1",
        "company_industry": "Food",
        "company_employee_count": 40,
        "company_plan": "pro",
    }
    assert normalise_traits({"company": "Acme"}).attributes == {"company": "Acme"}


def test_segments_address_object_becomes_flat_traits():
    said = {"street": "99 Rama I Rd", "city": "Bangkok", "state": "Bangkok", "postalCode": "10330", "country": "TH"}

    read = normalise_traits({"address": said}).attributes

    assert (read["address"], read["city"], read["country"]) == ("99 Rama I Rd", "Bangkok", "TH")
    assert (read["province"], read["postcode"]) == ("Bangkok", "10330")
