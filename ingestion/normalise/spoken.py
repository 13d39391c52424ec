"""Names as they sound, whichever script they are written in.

Thai compounds are the difficulty: their spelling keeps letters of Sanskrit and Pali that nobody pronounces,
or leaves out the vowel that joins two parts.

วงศ์มณี, also written วงศมณี, is said wong-ma-ni and romanised Wongmanee; ธีรพล is said thi-ra-phon. A reading by rule
(`romanise`) cannot know where one part ends. These are the parts that names are made of, those of the commonest ones.
"""

import re
from functools import lru_cache
from typing import Final

from ingestion.normalise.crossing import folded, skeleton

# Written → said, in Thai letters. A part with karan (์) is said so wherever it stands; without, in the middle of a name.
_SILENT: Final = """
วงศ:วง พงศ:พง พงษ:พง ทรัพย:ซับ จันทร:จัน พันธุ:พัน พันธ:พัน สวัสดิ:สวัด ศักดิ:สัก สิทธิ:สิด ฤทธิ:ริด โรจน:โรด โพธิ:โพ
วัฒน:วัด กานต:กาน วรรณ:วัน เกียรติ:เกียด ลักษณ:ลัก ลักษมณ:ลัก นันท:นัน นนท:นน บูรณ:บูน พิมพ:พิม ยนต:ยน รังสฤษฎ:รังสิด สงฆ:สง
รัตน:รัด กาญจน:กาน ภัทร:พัด สุนทร:สุนทอน พัชร:พัด ภรณ:พอน กรณ:กอน จักร:จัก วิทย:วิด อาทิตย:อาทิด ทิพย:ทิบ ศาสตร:สาด มิตร:มิด
บุตร:บุด เนตร:เนด สมุทร:สมุด เพชร:เพ็ด พรหม:พรม เศรษฐ:เสด ราษฎร:ราด อินทร:อิน ฉัตร:ฉัด ยุทธ:ยุด พุทธ:พุด สุทธิ:สุด วุฒิ:วุด ชาติ:ชาด
เกษม:กะเสม มงคล:มงคน สุวรรณ:สุวัน ธรรม:ทำ กรรณ:กัน ทรง:ซง เลิศ:เลิด ประเสริฐ:ประเสิด มาศ:มาด เดช:เดด ทัศน:ทัด พัฒน:พัด
รุจน:รุด สิงห:สิง เสน่ห:สะเน่ ณรงค:นะรง องค:อง อนงค:อะนง ประยงค:ประยง หงส:หง สังข:สัง สุข:สุก มุข:มุก พฤกษ:พรึก เทพ:เทบ
"""
# First parts that take a vowel before the next one.
_JOINING: Final = """
ธน:ทะนะ ธีร:ทีระ วีร:วีระ ศุภ:สุพะ วร:วอระ จิร:จิระ สุร:สุระ พีร:พีระ ปิย:ปิยะ นร:นะระ รัตน:รัดตะนะ กาญจน:กานจะนะ อัคร:อักคะระ
จักร:จักกะ วิทย:วิดทะยะ ภัทร:พัดทะระ พัชร:พัดชะระ ณัฐ:นัดทะ กฤต:กริดตะ ไชย:ไชยะ รัชต:รัดชะตะ รัช:รัดชะ วัฒน:วัดทะนะ นพ:นบพะ นภ:นบพะ
ทศ:ทดสะ เอก:เอกกะ ศิว:สิวะ ภว:พะวะ มน:มะนะ กมล:กะมน พิพัฒน:พิพัด ชน:ชะนะ สรร:สัน หัส:หัดสะ ฐิติ:ทิติ สิร:สิระ วิช:วิดชะ จันทร:จันทะ
"""


def _table(text: str) -> dict[str, str]:
    return dict(pair.split(":") for pair in text.split())


_SAID: Final = _table(_SILENT)
_SAID_BEFORE: Final = _table(_JOINING)


def _any_of(parts: dict[str, str]) -> str:
    return "|".join(sorted(parts, key=len, reverse=True))


KARAN: Final = "\u0e4c"  # the mark of a silent letter

# Nothing hangs on the part's last letter: in วรรณี the ณ is said.
_BARE: Final = "(?![ะ-ฺ็-๎])"
_FIRST_PART: Final = re.compile(rf"(?<![ก-๎])(?:{_any_of(_SAID_BEFORE)})(?=[ก-ฮเ-ไ])(?!รณ){_BARE}")
_PART: Final = re.compile(rf"(?:{_any_of(_SAID)})(?:{KARAN}|{_BARE})")


def spoken(name: str) -> str:
    """The name with its known parts as they are said, in Thai letters with a space between; other scripts unchanged.

    >>> spoken("วงศ์มณี"), spoken("ธีรพล"), spoken("Wongmanee")
    ('วง มณี', 'ทีระ พล', 'Wongmanee')
    """
    if name.isascii():
        return name
    name = _FIRST_PART.sub(lambda match: f"{_SAID_BEFORE[match[0]]} ", name)
    return " ".join(_PART.sub(lambda match: f" {_SAID[match[0].rstrip(KARAN)]} ", name).split())


# Nobody says the r of Prasert, Porn and Kanjana's Karn; the โอ of เลิศ is written Lert, Loet and Let.
_SILENT_R: Final = re.compile("(?<=[aeiou])r(?=[bcdfgjkmnpqstvwxz]|$)")


@lru_cache(maxsize=65_536)
def sound(name: str) -> tuple[str, str]:
    """How a word of a name sounds, in Latin letters, and its consonants alone; either script's spellings meet there.

    >>> sound("ประเสริฐ"), sound("Prasert")
    (('plaset', 'pntt'), ('plaset', 'pntt'))
    """
    said = _SILENT_R.sub("", name) if name.isascii() else spoken(name)
    return folded(said).replace(" ", "").replace("oe", "e"), skeleton(said)
