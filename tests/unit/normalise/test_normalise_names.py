"""Names taken apart, and compared for the rules of evidence."""

import pytest

from ingestion.normalise.names import PersonName, names_agree, names_clearly_differ, person_name, split_title


def name(full: str) -> PersonName:
    found = person_name(full)
    assert found is not None
    return found


class TestTitles:
    @pytest.mark.parametrize(
        ("written", "title", "rest"),
        [
            ("นายสมชาย ใจดี", "นาย", "สมชาย ใจดี"),
            ("นาย สมชาย ใจดี", "นาย", "สมชาย ใจดี"),
            ("นางสาวลูกน้ำ รัตนวราหะ", "นางสาว", "ลูกน้ำ รัตนวราหะ"),
            ("น.ส.สุธาวี เพ็ญจันทร์", "นางสาว", "สุธาวี เพ็ญจันทร์"),
            ("น.ส. สุธาวี", "นางสาว", "สุธาวี"),
            ("นส.สุธาวี", "นางสาว", "สุธาวี"),
            ("นางสาวิตรี", "นาง", "สาวิตรี"),
            ("คุณพิชญาภรณ์", "คุณ", "พิชญาภรณ์"),
            ("ด.ช.ธนกร", "เด็กชาย", "ธนกร"),
            ("เด็กหญิงใจ ดี", "เด็กหญิง", "ใจ ดี"),
            ("ดร.ทรรศิกา", "ดร.", "ทรรศิกา"),
            ("รศ.ดร.สมชาย", "รศ.ดร.", "สมชาย"),
            ("พล.ต.อ.ประวุฒิ ถาวรศิริ", "พล.ต.อ.", "ประวุฒิ ถาวรศิริ"),
            ("ว่าที่ ร.ต.หญิง สมศรี", "ว่าที่ร.ต.หญิง", "สมศรี"),
            ("นายแพทย์สมชาย", "นายแพทย์", "สมชาย"),
            ("นายณัฐ พรหม", "นาย", "ณัฐ พรหม"),  # a list of names holds นายณัฐ, which nobody is called
            ("คุณ นายสมชาย", "คุณ นาย", "สมชาย"),
            ("Mr.Phuwij", "Mr", "Phuwij"),
            ("MRS. Thnisa Khamo", "Mrs", "Thnisa Khamo"),
            ("Miss Atnna", "Miss", "Atnna"),
            ("Khun สมชาย", "Khun", "สมชาย"),
            ("Prof. Dr. Ann Lee", "Prof Dr", "Ann Lee"),
        ],
    )
    def test_is_taken_off(self, written: str, title: str, rest: str) -> None:
        assert split_title(written) == (title, rest)

    @pytest.mark.parametrize(
        "whole",
        ["คุณากร ใจดี", "คุณากร", "คุณกร", "คุณัญญา", "นายิกา", "นายาว", "นางาม", "ดรุณี", "ดรัณภพ", "ส.สมชาย",
         "Drew", "Missy Lee", "Mrinal", "Khunying", "K. Smith"],
    )  # fmt: skip
    def test_is_not_taken_off_a_name_that_begins_like_one(self, whole: str) -> None:
        assert split_title(whole) == (None, whole)

    @pytest.mark.parametrize("only", ["นาย", "น.ส.", "นส.", "Mr.", "Miss", "คุณ"])
    def test_a_title_alone_is_no_name(self, only: str) -> None:
        assert person_name(only) is None


class TestParts:
    @pytest.mark.parametrize(
        ("full", "first", "last"),
        [
            ("ธนกร ใจดี", "ธนกร", "ใจดี"),
            ("สมชาย ณ อยุธยา", "สมชาย", "ณ อยุธยา"),
            ("ธนกร", "ธนกร", None),
            ("Somchai Na Ayudhya", "Somchai", "Na Ayudhya"),
            ("Robert E. Smith Sr.", "Robert", "Smith"),
            ("Smith, Robert E", "Robert", "Smith"),
            ("Vincent van der Berg", "Vincent", "van der Berg"),
            ("José Müller", "José", "Müller"),
            ("นายสมชาย (ชาย) ใจดี", "สมชาย", "ใจดี"),
        ],
    )
    def test_of_a_full_name(self, full: str, first: str, last: str | None) -> None:
        found = name(full)
        assert (found.first, found.last, found.raw) == (first, last, full)

    def test_given_apart(self) -> None:
        found = person_name(first="นางสาวลูกน้ำ", last="รัตนวราหะ")
        assert found == PersonName("ลูกน้ำ", "รัตนวราหะ", "นางสาว", "ลูกน้ำ รัตนวราหะ", "นางสาวลูกน้ำ รัตนวราหะ", "thai")
        assert person_name(first="Mary Ann", last="Lee").first == "Mary Ann"
        assert person_name(last="ใจดี").first is None

    def test_a_whole_name_in_the_field_of_the_first(self) -> None:
        found = person_name(first="คุณอิศรา ขาวนิ่ม")
        assert (found.first, found.last) == ("อิศรา", "ขาวนิ่ม")

    def test_a_given_title_is_kept(self) -> None:
        assert person_name(first="สุดา", last="ใจดี", title="น.ส.").title == "นางสาว"

    @pytest.mark.parametrize(
        ("full", "script"),
        [("ธนกร", "thai"), ("Ann", "latin"), ("Müller", "latin"), ("ธนกร Lee", "mixed"), ("王伟", "other")],
    )
    def test_script(self, full: str, script: str) -> None:
        assert name(full).script == script

    @pytest.mark.parametrize("nothing", ["", "   ", "-", "null", "guest", "ไม่ระบุ", "ส***ย", "*** ***", "x" * 201])
    def test_placeholders_masks_and_monsters_are_no_name(self, nothing: str) -> None:
        assert person_name(nothing) is None


class TestDisplayNames:
    @pytest.mark.parametrize(
        "shown",
        ["น้องศยา", "พี่หนึ่ง", "แม่สมศรี", "🌸Ploy🌸", "ploy_2541", "0812345679", "บริษัท ใจดี จำกัด", "Jaidee Co., Ltd."],
    )
    def test_are_no_evidence_of_a_name(self, shown: str) -> None:
        found = name(shown)
        assert found.display_only
        assert not found.known
        assert names_clearly_differ(found, name("สมชาย ใจดี")) is None
        assert names_agree(found, name("สมชาย ใจดี")) is None

    def test_a_given_name_that_begins_like_a_nickname_is_one(self) -> None:
        assert name("น้องนุช ใจดี").known

    def test_a_field_for_what_people_call_themselves(self) -> None:
        assert not person_name("พิชญาภรณ์", display_only=True).known


class TestClearlyDiffer:
    @pytest.mark.parametrize(
        ("a", "b"),
        [
            ("สมชาย ใจดี", "สมหญิง ใจดี"),
            ("กิตติศักดิ์ ใจดี", "กิตติพงษ์ ใจดี"),  # brothers
            ("Siriporn Jaidee", "Siriwan Jaidee"),
            ("ธนกร ใจดี", "Malee Jaidee"),
            ("Robert Smith", "Patricia Smith"),
            ("Somchai", "Prasert"),
            ("王伟", "李娜"),
            ("J Muir", "Inez Inverness"),  # neither initial nor surname
            ("Darlene Anderson", "Daniella Shaw"),
        ],
    )
    def test_different_given_names(self, a: str, b: str) -> None:
        assert names_clearly_differ(name(a), name(b)) is True
        assert names_agree(name(a), name(b)) is False

    @pytest.mark.parametrize(
        ("a", "b"),
        [
            ("สุดา ใจดี", "สุดา รักไทย"),  # married
            ("ธนกร ใจดี", "Thanakorn Jaidee"),
            ("ธนกร ใจดี", "Tanagorn Jaidee"),
            ("พิชญาภรณ์", "พิชยาภรณ์"),
            ("สุธาวี", "สธุาวี"),  # two letters typed in the wrong order
            ("Robert Smith", "Bob Smith"),
            ("William", "Bill"),
            ("R Smith", "Robert Smith"),
            ("ส. ใจดี", "มาลี ใจดี"),  # nobody can tell from an initial
            ("J Muir", "Julia Jackson"),
            ("Peggie Charney", "Margaret Charney"),
            ("Mary Ann Smith", "Mary Smith"),
            ("Smith Robert", "Robert Smith"),
            ("Smith", "Robert Smith"),
            ("กิตติ", "กิตติศักดิ์"),
            ("王伟", "Wang Wei"),
            ("Mr. Somchai", "นายสมชาย"),
        ],
    )
    def test_what_may_be_one_person(self, a: str, b: str) -> None:
        assert names_clearly_differ(name(a), name(b)) is False

    def test_only_a_surname_tells_nothing_about_the_person(self) -> None:
        assert names_clearly_differ(person_name(last="ใจดี"), person_name(last="รักไทย")) is False

    def test_unknown(self) -> None:
        assert names_clearly_differ(None, name("สมชาย")) is None
        assert names_clearly_differ(None, None) is None


class TestAgree:
    @pytest.mark.parametrize(
        ("a", "b"),
        [
            ("ธนกร ใจดี", "Thanakorn Jaidee"),
            ("ธนกร ใจดี", "ธนกร"),
            ("นางสาวสุดา ใจดี", "สุดา  ใจดี"),
            ("Bob Smith", "Robert Smith"),
            ("Smith Robert", "Robert Smith"),
        ],
    )
    def test_compatible_names(self, a: str, b: str) -> None:
        assert names_agree(name(a), name(b)) is True
        assert names_clearly_differ(name(a), name(b)) is False

    @pytest.mark.parametrize(
        ("a", "b"), [("สุดา ใจดี", "สุดา รักไทย"), ("R Smith", "Robert Smith"), ("王伟", "Wang Wei"), ("กิตติ", "กิตติศักดิ์")]
    )
    def test_unsure_is_neither(self, a: str, b: str) -> None:
        assert names_agree(name(a), name(b)) is False
        assert names_clearly_differ(name(a), name(b)) is False

    def test_unknown(self) -> None:
        assert names_agree(None, name("สมชาย")) is None
