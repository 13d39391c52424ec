"""The citizen number: its checksum, and the names of fields that hold it. The numbers are made up."""

import pytest

from ingestion.normalise.national_id import (
    checksum_ok,
    format_national_id,
    is_national_id_name,
    last_four,
    normalise_national_id,
)
from ingestion.normalise.values import Normalised, Problem

VALID = "1101700230708"
COMPANY = "0105536000011"


@pytest.mark.parametrize("raw", [VALID, "1-1017-00230-70-8", "1 1017 00230 70 8", "๑๑๐๑๗๐๐๒๓๐๗๐๘"])
def test_a_persons_number(raw: str) -> None:
    assert normalise_national_id(raw) == Normalised.good(VALID, raw)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("1101700230709", Problem.CHECKSUM),
        ("110170023070", Problem.MALFORMED),
        ("AA1234567", Problem.MALFORMED),
        ("1111111111119", Problem.JUNK),
        ("1234567890121", Problem.JUNK),
        ("-", Problem.JUNK),
        ("x-xxxx-xxxxx-70-8", Problem.MASKED),
        ("*********0708", Problem.MASKED),
    ],
)
def test_no_evidence(raw: str, problem: Problem) -> None:
    assert normalise_national_id(raw).problem is problem
    assert not normalise_national_id(raw).evidence


def test_a_companys_number_is_no_persons_although_its_checksum_fits() -> None:
    assert checksum_ok(COMPANY)
    assert normalise_national_id(COMPANY) == Normalised.bad(COMPANY, COMPANY, Problem.COMPANY_ID)


def test_shown() -> None:
    assert format_national_id(VALID) == "1-1017-00230-70-8"
    assert last_four(VALID) == "0708"


@pytest.mark.parametrize("digits", ["", "110170023070", "1101700230708 ", "๑๑๐๑๗๐๐๒๓๐๗๐๘", "11017002307o8"])
def test_checksum_of_what_is_no_number(digits: str) -> None:
    assert not checksum_ok(digits)


@pytest.mark.parametrize(
    "header",
    ["เลขบัตรประชาชน", "เลขประจำตัวประชาชน", "เลขบัตรประชาชน 13 หลัก", "หมายเลขบัตร ปชช.", "บัตรประชาชน",
     "เลขประจำตัวผู้เสียภาษี", "National ID", "nationalId", "NATIONAL_ID_NUMBER", "national_id_no", "citizenID",
     "citizen_id", "CitizenNo", "id_card", "IDCard", "ID Card No.", "idcard", "thai id", "personal_id",
     "identity card", "tax_id", "TaxID", "SSN"],
)  # fmt: skip
def test_names_of_fields_that_hold_it(header: str) -> None:
    assert is_national_id_name(header)


@pytest.mark.parametrize(
    "header",
    ["รหัส", "รหัสสมาชิก", "เลขที่บัตรสมาชิก", "โทรศัพท์", "id", "customerId", "userId", "line_id", "member_id", "memberIdCard",
     "prepaidCard", "nationality", "product_id", "pid", "cid", "sku", "national_holiday", "taxi_id", ""],
)  # fmt: skip
def test_names_of_other_fields(header: str) -> None:
    assert not is_national_id_name(header)
