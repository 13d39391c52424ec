"""Headers and keys that stand for canonical traits."""

import pytest

from ingestion.normalise.trait_names import canonical_name, suggest_trait


@pytest.mark.parametrize(
    ("headers", "trait"),
    [
        ("รหัส|CustomerID|customer_id|Customer No.|userId|ticket|รหัสลูกค้า", "external_id"),
        ("ชื่อ-สกุล|ชื่อ - นามสกุล|ชื่อ–สกุล|ชื่อลูกค้า|Name|Full Name|customer_name|NAME_FULL", "name"),
        ("ชื่อ|ชื่อจริง|FirstName|first_name|First Name (TH)|caller|NAME_FIRST", "first_name"),
        ("นามสกุล|LastName|Surname|caller_last|NAME_LAST", "last_name"),
        ("คำนำหน้า|Title|prefix", "title"),
        ("โทรศัพท์|เบอร์โทร|เบอร์โทร (มือถือ)|มือถือ|Mobile|Phone No.|Phone 2|PHONE_NUMBER|Tel", "phone"),
        ("อีเมล|อีเมล์|E-mail|Email Address|contact_email|EMAIL_ADDRESS", "email"),
        ("วันเกิด|ว/ด/ป เกิด|BirthDate|Date of Birth|DOB|DATE_OF_BIRTH|birthday", "birth_date"),
        ("เพศ|Gender|sex", "gender"),
        ("จังหวัด|Province|state|ADDR_STATE", "province"),
        ("City|ADDR_CITY", "city"),
        ("รหัสไปรษณีย์|Zip|postalCode|ADDR_POSTAL_CODE", "postcode"),
        ("ที่อยู่|Address|Address Line 1|ADDR_LINE1|street", "address"),
        ("รหัสสมาชิก|เลขที่สมาชิก|เลขที่บัตรสมาชิก|Member No|memberId|household_key", "member_id"),
        ("LINE ID|ไลน์|Line UserId", "line_id"),
        ("displayName|ชื่อไลน์", "display_name"),
        ("ชื่อเล่น|nickname", "nickname"),
        ("เลขบัตรประชาชน|Citizen ID", "national_id"),
        ("หมายเหตุ|Note", "note"),
    ],
)
def test_suggestions(headers: str, trait: str) -> None:
    assert {header: suggest_trait(header) for header in headers.split("|")} == dict.fromkeys(headers.split("|"), trait)


@pytest.mark.parametrize(
    "header", ["MarketingEmail", "MarketingSMS", "ยินยอม SMS", "ยอดซื้อ", "AMOUNT", "", "-", "x" * 200, "quantity"]
)
def test_no_suggestion(header: str) -> None:
    assert suggest_trait(header) is None


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("firstName", "first_name"),
        ("first_name", "first_name"),
        ("birthday", "birth_date"),
        ("postalCode", "postcode"),
        ("createdAt", "created_at"),
        ("jobTitle", "job_title"),
        ("โทรศัพท์", "phone"),
        ("taxId", "national_id"),
        ("favouriteColour", "favourite_colour"),
        ("NPSScore", "nps_score"),
        ("loyalty points", "loyalty_points"),
        ("สีที่ชอบ", "สีที่ชอบ"),
        ("state", "state"),  # of an account, as likely as not
        ("id", "id"),
        ("level", "level"),
        ("!!", "!!"),
    ],
)
def test_canonical_name(key: str, name: str) -> None:
    assert canonical_name(key) == name
