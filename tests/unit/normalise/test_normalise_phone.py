"""Phone numbers in E.164."""

import pytest

from ingestion.normalise.phone import normalise_phone
from ingestion.normalise.values import Normalised, Problem


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("0876915246", "+66876915246"),
        ("087-691-5246", "+66876915246"),
        ("087 691 5246", "+66876915246"),
        ("087.691.5246", "+66876915246"),
        ("06 64100379", "+66664100379"),
        ("๐๙๙๗๔๗๕๖๖๑", "+66997475661"),
        ("+66664100379", "+66664100379"),
        ("+66 (0)81 234 5679", "+66812345679"),
        ("+66(0)812345679", "+66812345679"),
        ("66997475661", "+66997475661"),
        ("0066606724329", "+66606724329"),
        ("00 66 81 234 5679", "+66812345679"),
        ("０８１２３４５６７９", "+66812345679"),
        ("081–234–5679", "+66812345679"),
        ("081 234\u200b5679", "+66812345679"),
        ("(081) 234-5679", "+66812345679"),
        ("812345679", "+66812345679"),  # a spreadsheet took the 0
        ("02-123-4568", "+6621234568"),
        ("053 219 876", "+6653219876"),
        ("+1 702 919 1300", "+17029191300"),
        ("+44 20 7946 0958", "+442079460958"),
        ("0698765012", "+66698765012"),  # a range that the library does not know yet
    ],
)
def test_thai_source(raw: str, e164: str) -> None:
    assert normalise_phone(raw) == Normalised.good(e164, raw)


def test_another_region_is_the_sources_own() -> None:
    assert normalise_phone("702-919-1300").problem is Problem.MALFORMED
    assert normalise_phone("702-919-1300", region="US").value == "+17029191300"
    assert normalise_phone("702-919-1300", fallback_regions=("US",)).value == "+17029191300"
    assert normalise_phone("081-234-5679", region="US", fallback_regions=("TH",)).value == "+66812345679"
    assert normalise_phone("081-234-5679", region="US").problem is Problem.MALFORMED


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("0999999999", Problem.JUNK),
        ("0000000000", Problem.JUNK),
        ("0800000000", Problem.JUNK),
        ("0812345678", Problem.JUNK),
        ("0987654321", Problem.JUNK),
        ("1234567890", Problem.JUNK),
        ("000", Problem.JUNK),
        ("-", Problem.JUNK),
        ("ไม่มี", Problem.JUNK),
        ("null", Problem.JUNK),
        ("******23", Problem.MASKED),
        ("08X-XXX-1234", Problem.MASKED),
        ("081-234", Problem.MALFORMED),
        ("somchai", Problem.MALFORMED),
        ("0812345679012345", Problem.MALFORMED),
        ("081-234-5679/80", Problem.MALFORMED),
        ("9" * 61, Problem.TOO_LONG),
    ],
)
def test_no_evidence(raw: str, problem: Problem) -> None:
    found = normalise_phone(raw)
    assert (found.raw, found.problem, found.evidence) == (raw, problem, False)


@pytest.mark.parametrize(
    "raw", ["02-123-4568 ต่อ 12", "021234568 ext. 12", "02 123 4568 x12", "02-123-4568 #12", "021234568 กด 1"]
)
def test_an_extension_is_an_offices(raw: str) -> None:
    assert normalise_phone(raw) == Normalised.bad("+6621234568", raw, Problem.SWITCHBOARD)
