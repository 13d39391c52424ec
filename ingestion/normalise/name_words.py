"""The words that stand around names: titles, suffixes, particles, short forms."""

from functools import lru_cache
from typing import Final

# Written as a word of their own or with the name (นายสมชาย). Longest first, since นางสาว begins with นาง.
THAI_WORD_TITLES: Final = (
    "หม่อมราชวงศ์", "ว่าที่ร้อยตรี", "ท่านผู้หญิง", "แพทย์หญิง", "หม่อมหลวง", "นายแพทย์", "เด็กหญิง", "คุณหญิง", "เด็กชาย",
    "นางสาว", "คุณ", "นาง", "นาย",
)  # fmt: skip
# Those of them that no given name begins with: นาย in นายณัฐ is the title although a list of names holds นายณัฐ.
THAI_CIVIL_TITLES: Final = frozenset({"นาย", "นาง", "นางสาว", "เด็กชาย", "เด็กหญิง"})
# What these may be written as → how they are shown.
THAI_SPACED_TITLES: Final = {"ดร": "ดร.", "นส": "นางสาว", "ดช": "เด็กชาย", "ดญ": "เด็กหญิง", "อาจารย์": "อาจารย์"}
THAI_DOTTED_TITLES: Final = {
    "น.ส.": "นางสาว", "นส.": "นางสาว", "ด.ช.": "เด็กชาย", "ด.ญ.": "เด็กหญิง", "ดช.": "เด็กชาย", "ดญ.": "เด็กหญิง",
    "ดร.": "ดร.", "นพ.": "นพ.", "พญ.": "พญ.", "ทพ.": "ทพ.", "ทพญ.": "ทพญ.", "ภก.": "ภก.", "ภญ.": "ภญ.", "สพ.": "สพ.",
    "ผศ.": "ผศ.", "รศ.": "รศ.", "ศ.": "ศ.", "อ.": "อ.",
}  # fmt: skip
LATIN_TITLES: Final = {
    "mr": "Mr", "mister": "Mr", "mrs": "Mrs", "ms": "Ms", "miss": "Miss", "mx": "Mx", "master": "Master",
    "mstr": "Master", "dr": "Dr", "prof": "Prof", "professor": "Prof", "khun": "Khun", "nai": "Nai", "rev": "Rev",
    "capt": "Capt", "mme": "Mme", "herr": "Herr", "frau": "Frau",
}  # fmt: skip
# Said to anyone; tells nothing about the person.
COURTESY_TITLES: Final = frozenset({"คุณ", "Khun"})

LATIN_SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii", "iv", "md", "phd", "esq", "mba"})
LATIN_PARTICLES: Final = frozenset(
    {"na", "van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "du", "la", "le", "el", "al", "bin",
     "binti", "ibn", "ben", "ter", "ten", "zu", "zur", "st", "mac", "o"}
)  # fmt: skip

# A name that begins so is how somebody is called, not what they are called (น้องศยา), unless it is a known given name.
THAI_NICKNAME_OPENINGS: Final = ("น้อง", "พี่", "ป้า", "ลุง", "อาเจ็ก", "อาม่า", "เจ๊", "เจ้", "เฮีย", "แม่", "พ่อ", "หมอ", "ครู")
ORGANISATION_WORDS: Final = (
    "บริษัท", "บจก", "บมจ", "หจก", "ห้างหุ้นส่วน", "ร้าน", "โรงเรียน", "โรงพยาบาล", "มหาวิทยาลัย", "มูลนิธิ", "สมาคม", "จำกัด",
)  # fmt: skip
LATIN_ORGANISATION_WORDS: Final = frozenset(
    {"ltd", "limited", "inc", "llc", "plc", "gmbh", "corp", "corporation", "company", "co", "shop", "store", "school",
     "hospital", "university", "foundation"}
)  # fmt: skip

# Each row: forms of one English given name. A form may stand in several rows (Chris).
_SHORT_FORMS: Final = """
abigail abby gail
albert al bert bertie
alexander alex al sandy xander
alexandra alex sandra lexi sandy
alfred al fred alfie
andrew andy drew
anthony tony ant
anna ann anne annie nan nancy
barbara barb babs barbie
benjamin ben benny benji
bernard bernie
bradley brad
caroline carol carrie
catherine katherine kathryn kate katie kathy cathy kitty kat
charles charlie chuck chas charley
charlotte lottie charlie
christina christine tina chris chrissy
christopher chris topher kit
cynthia cindy
daniel dan danny
david dave davey
deborah debbie deb debra
dennis den denny
donald don donnie
dorothy dot dottie dolly
douglas doug
edward ed eddie ted teddy ned
eleanor ellie nell nora
elizabeth liz lizzie beth betty eliza bess libby lisa
emily em emma
eugene gene
florence flo
francis frank fran
frances fran fanny frankie
frederick fred freddie freddy
gabriel gabe
gerald gerry jerry
gregory greg
harold harry hal
henry harry hank hal
howard howie
isabella bella isabel izzy
jacob jake
james jim jimmy jamie jem
janet jan
jeffrey jeff geoffrey geoff
jennifer jen jenny
jessica jess jessie
john jack johnny jon
jonathan jon jonny nathan
joseph joe joey
joshua josh
judith judy
kenneth ken kenny
kimberly kim
laurence lawrence larry
leonard leo len lenny
louis lou louie lewis
louise lou
margaret maggie meg peggy marge margie greta rita daisy
martin marty
mary molly polly may mae
matthew matt matty
maxwell max maximilian
melissa mel lissa missy
michael mike mick mickey micky
nathaniel nathan nate nat
nicholas nick nicky
nicole nicky nikki
oliver ollie
pamela pam
patricia pat patty tricia trish
patrick pat paddy
peter pete
philip phil phillip
rachel rach
raymond ray
rebecca becky becca
richard rick dick rich richie ricky
robert bob rob bobby robbie bert
ronald ron ronnie
samantha sam sammy
samuel sam sammy
sarah sara sally sadie
stephen steven steve stevie
stephanie steph stevie
susan sue susie suzie suzanne susanna
theodore ted theo teddy
theresa teresa terry tess
thomas tom tommy
timothy tim timmy
valerie val
veronica ronnie vera
victor vic
victoria vicky tori
vincent vince vinnie
virginia ginny
walter walt wally
william bill will billy willy liam
zachary zach zack
"""


def _forms() -> dict[str, frozenset[int]]:
    rows: dict[str, set[int]] = {}
    for number, line in enumerate(_SHORT_FORMS.split("\n")):
        for form in line.split():
            rows.setdefault(_one_ending(form), set()).add(number)
    rows |= {form.removesuffix("y") + "ie": numbers for form, numbers in rows.items() if form.endswith("y")}
    return {form: frozenset(numbers) for form, numbers in rows.items()}


def _one_ending(form: str) -> str:
    """Peggie is Peggy."""
    return form.removesuffix("ie") + "y" if form.endswith("ie") else form


_ROWS_OF: Final = _forms()
_NO_ROWS: Final[frozenset[int]] = frozenset()


def same_given_name(a: str, b: str) -> bool:
    """Whether two lower-case Latin given names are forms of one (``bob``, ``robert``). Symmetric."""
    return a == b or not _ROWS_OF.get(a, _NO_ROWS).isdisjoint(_ROWS_OF.get(b, _NO_ROWS))


@lru_cache(maxsize=16_384)
def initials(name: str) -> frozenset[str]:
    """The letters that a lower-case Latin given name may be shortened to: its own and those of its forms (r, b)."""
    rows = _ROWS_OF.get(name, _NO_ROWS)
    return frozenset({name[:1], *(letter for row in rows for letter in _INITIALS_OF_ROW[row])})


_INITIALS_OF_ROW: Final = tuple(frozenset(form[0] for form in line.split()) for line in _SHORT_FORMS.split("\n"))


def without_nickname_opening(name: str) -> str:
    """What somebody is called, without น้อง or พี่ before it; a name that is one of these words stays."""
    for opening in THAI_NICKNAME_OPENINGS:
        if name.startswith(opening) and len(name) > len(opening) + 1:
            return name.removeprefix(opening)
    return name


def given_name_root(name: str) -> str:
    """The form that stands for all forms of a lower-case given name (``bob`` → robert); without such, the name."""
    return _ROOTS.get(name, name)


def _roots() -> dict[str, str]:
    """Form → the long form of its first row; a form of several rows stays apart, for it may be either."""
    rows = [line.split() for line in _SHORT_FORMS.split("\n")]
    return {form: rows[min(numbers)][0] for form, numbers in _ROWS_OF.items() if len(numbers) == 1}


_ROOTS: Final = _roots()
