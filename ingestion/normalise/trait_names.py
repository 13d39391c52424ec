"""Canonical names of traits, and the headers and keys that stand for them."""

import re
from functools import lru_cache
from typing import Final

from ingestion.normalise.national_id import is_national_id_name
from ingestion.normalise.text import clean
from ingestion.normalise.thai import ascii_digits, normalise_thai

# Canonical name → how sources call it, in letters and digits only. Segment's reserved traits are the camelCase ones.
# https://segment.com/docs/connections/spec/identify/#traits
_ALIASES: Final[dict[str, str]] = {
    "external_id": """
        customerid customerno customernumber customercode custid custno custcode clientid personid contactid recordid
        recid accountid accountno userid uid id no code ticket ticketid ticketno
        รหัส รหัสลูกค้า เลขที่ลูกค้า หมายเลขลูกค้า ลำดับ ลำดับที่ ที่ไอดี ไอดี ไอดีลูกค้า เลขที่""",
    "first_name": """
        firstname givenname forename fname namefirst firstnameth thfirstname firstnameen enfirstname caller
        ชื่อ ชื่อจริง ชื่อตัว ชื่อต้น ชื่อไทย ชื่ออังกฤษ ชื่อภาษาไทย ชื่อภาษาอังกฤษ""",
    "last_name": """
        lastname surname familyname lname namelast lastnameth lastnameen callerlast callerlastname callersurname
        นามสกุล สกุล ชื่อสกุล_ นามสกุลไทย นามสกุลอังกฤษ""",
    "middle_name": "middlename mname namemiddle ชื่อกลาง",
    "name": """
        name fullname customername clientname contactname membername namefull completename
        ชื่อสกุล ชื่อนามสกุล ชื่อและนามสกุล ชื่อลูกค้า ชื่อผู้ติดต่อ ชื่อสมาชิก ชื่อเต็ม ชื่อผู้ซื้อ ชื่อผู้รับ""",
    "title": "title prefix nametitle nameprefix salutation honorific คำนำหน้า คำนำหน้าชื่อ คำนำหน้านาม",
    "nickname": "nickname nick ชื่อเล่น",
    "display_name": "displayname linename linedisplayname screenname ชื่อไลน์ ชื่อที่แสดง ชื่อในไลน์",
    "username": "username login loginname ชื่อผู้ใช้",
    "email": """
        email emailaddress mail mailaddress emailid อีเมล อีเมล์ อีเมลล์ เมล เมล์ อีเมลแอดเดรส ที่อยู่อีเมล ที่อยู่อีเมล์""",
    "phone": """
        phone phonenumber phoneno mobile mobilephone mobilenumber mobileno cell cellphone tel telno telephone
        telephoneno telephonenumber contactnumber contactno homephone workphone msisdn
        โทร โทรศัพท์ เบอร์ เบอร์โทร เบอร์โทรศัพท์ เบอร์มือถือ มือถือ โทรศัพท์มือถือ เบอร์โทรศัพท์มือถือ หมายเลขโทรศัพท์
        หมายเลขโทรศัพท์มือถือ หมายเลขมือถือ เบอร์ติดต่อ เบอร์โทรติดต่อ โทรศัพท์บ้าน เลขโทรศัพท์""",
    "birth_date": """
        birthdate birthday dateofbirth dob birth borndate วันเกิด วันเดือนปีเกิด วดปเกิด วดป วันที่เกิด เกิดวันที่ ปีเกิด_""",
    "gender": "gender sex เพศ",
    "age": "age อายุ",
    "line_id": "lineid lineuserid lineuid lineaccount ไลน์ ไลน์ไอดี ไอดีไลน์ line",
    "member_id": """
        memberid memberno membernumber membercode membercard membercardno membershipid membershipno loyaltyid loyaltyno
        cardno_ householdkey householdid
        รหัสสมาชิก เลขสมาชิก เลขที่สมาชิก หมายเลขสมาชิก บัตรสมาชิก เลขบัตรสมาชิก เลขที่บัตรสมาชิก""",
    "address": """
        address addressline addressline1 address1 addr addrline1 addrfull street streetaddress
        ที่อยู่ ที่อยู่ปัจจุบัน ที่อยู่จัดส่ง บ้านเลขที่""",
    "address_line2": "addressline2 address2 addrline2 street2",
    "subdistrict": "subdistrict tambon tumbon khwaeng ตำบล แขวง ตำบลแขวง แขวงตำบล",
    "district": "district amphoe amphur amphur khet อำเภอ เขต อำเภอเขต เขตอำเภอ suburb",
    "city": "city town addrcity locality เมือง",
    "province": "province changwat state region stateprovince addrstate จังหวัด",
    "postcode": """
        postcode postalcode zip zipcode postal addrpostalcode รหัสไปรษณีย์ ไปรษณีย์""",
    "country": "country countrycode addrcountry nation ประเทศ",
    "language": "language lang locale preferredlanguage ภาษา",
    "company": "company companyname organisation organization employer บริษัท ชื่อบริษัท หน่วยงาน องค์กร",
    "job_title": "jobtitle position occupation job อาชีพ ตำแหน่ง ตำแหน่งงาน",
    "note": "note notes remark remarks comment comments หมายเหตุ บันทึก",
    "tier": "tier membertier memberlevel level ระดับสมาชิก ระดับ",
    "created_at": """
        createdat created createddate registeredat registerdate registrationdate signupdate joindate joined membersince
        วันที่สมัคร วันสมัคร วันที่ลงทะเบียน วันที่สร้าง""",
    "avatar": "avatar photo picture pictureurl profilepicture รูป รูปโปรไฟล์",
    "website": "website url homepage เว็บไซต์",
    "national_id": "nationalid",
}

_NAME_OF: Final = {alias: name for name, aliases in _ALIASES.items() for alias in aliases.split()} | {
    name.replace("_", ""): name for name in _ALIASES
}
CANONICAL: Final = frozenset(_ALIASES)

# Words that narrow a header without changing what it holds.
_OPENINGS: Final = ("customer", "cust", "client", "contact", "buyer", "member", "user", "primary", "main", "billing",
                    "shipping", "home", "work", "my")  # fmt: skip
_ENDINGS: Final = (
    "ลูกค้า",
    "ของลูกค้า",
    "สมาชิก",
    "ผู้ติดต่อ",
    "ที่ติดต่อได้",
    "ที่ติดต่อ",
    "1",
    "2",
    "3",
    "th",
    "en",
    "thai",
    "eng",
    "english",
)
_BRACKETED: Final = re.compile(r"[(\[].*?[)\]]")
_NOT_ALPHANUMERIC: Final = re.compile(r"[^0-9a-zก-ฺเ-๛]+")
_WORD_STARTS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS: Final = re.compile(r"[\s!-/:-@\[-^`{-~]+")  # ASCII punctuation without _; \W would split Thai at its marks


def _squashed(header: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", ascii_digits(normalise_thai(header)).casefold())


@lru_cache(maxsize=8_192)
def suggest_trait(header: str) -> str | None:
    """The canonical trait that a column of this header most likely holds, or None.

    ``external_id`` is suggested for the column that tells the source's own records apart; it is the record's key, no
    trait. Thai and English; case, spaces and punctuation do not matter. A suggestion only: a person confirms it.
    """
    if len(header) > 100:
        return None
    if is_national_id_name(header):
        return "national_id"
    without_brackets = _BRACKETED.sub(" ", header)
    key = _squashed(without_brackets) or _squashed(header)
    if found := _NAME_OF.get(key):
        return found
    for opening in _OPENINGS:
        if key.startswith(opening) and (found := _NAME_OF.get(key.removeprefix(opening))):
            return found
    for ending in _ENDINGS:
        if key.endswith(ending) and (found := _NAME_OF.get(key.removesuffix(ending))):
            return found
    return None


@lru_cache(maxsize=8_192)
def canonical_name(key: str) -> str:
    """The canonical name of a trait key: an exact synonym's, else the key itself in snake_case.

    Stricter than ``suggest_trait``, since nobody confirms it: only Segment's reserved traits and plain synonyms are
    renamed, never ``id`` or a header that may mean something else.
    """
    if key in CANONICAL:
        return key
    if is_national_id_name(key):
        return "national_id"
    squashed = _squashed(key) if len(key) <= 100 else ""
    found = _NAME_OF.get(squashed)
    if found and found not in _NEVER_RENAMED_TO and squashed not in _NEVER_RENAMED:
        return found
    snake = _SEPARATORS.sub("_", _WORD_STARTS.sub("_", clean(key))).strip("_").lower()
    return snake or key


# Keys that as often mean something else about a person (the state of an account, a line of business).
_NEVER_RENAMED: Final = frozenset({"state", "region", "line", "birth", "cell", "nation", "khet", "locality"})
# These synonyms mean what they say only in a table of people, where a person looks at the suggestion.
_NEVER_RENAMED_TO: Final = frozenset({"external_id", "note", "company", "job_title", "website", "tier"})
