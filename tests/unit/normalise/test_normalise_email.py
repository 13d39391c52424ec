"""E-mail addresses in the one form in which they are compared."""

import pytest

from ingestion.normalise.email import is_role_address, normalise_email
from ingestion.normalise.values import Normalised, Problem


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        (" PHOPPHRIT.PHR81@GMAIL.COM ", "phopphrit.phr81@gmail.com"),
        ("ann+shop@x-y.co.th", "ann+shop@x-y.co.th"),
        ("Ann Lee <ann@lee.org>", "ann@lee.org"),
        ("mailto:ann@lee.org", "ann@lee.org"),
        ("ann@lee.org;", "ann@lee.org"),
        ("ａｎｎ@ｌｅｅ.org", "ann@lee.org"),
        ("o'neil@lee.org", "o'neil@lee.org"),
        ("ann@lee.technology", "ann@lee.technology"),
        ("สมชาย@คน.ไทย", "สมชาย@คน.ไทย"),
        ("info@lee.org", "info@lee.org"),
    ],
)
def test_evidence(raw: str, address: str) -> None:
    assert normalise_email(raw) == Normalised.good(address, raw)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("noemail@shop.co.th", Problem.JUNK),
        ("test@test.com", Problem.JUNK),
        ("no-reply@lee.org", Problem.JUNK),
        ("ann@example.com", Problem.JUNK),
        ("ann@shop.invalid", Problem.JUNK),
        ("-", Problem.JUNK),
        ("N/A", Problem.JUNK),
        ("ไม่มี", Problem.JUNK),
        ("null", Problem.JUNK),
        ("j***@gmail.com", Problem.MASKED),
        ("ann", Problem.MALFORMED),
        ("ann@lee", Problem.MALFORMED),
        ("ann lee@lee.org", Problem.MALFORMED),
        ("ann..lee@lee.org", Problem.MALFORMED),
        ("ann@-lee.org", Problem.MALFORMED),
        ("@lee.org", Problem.MALFORMED),
        ("a" * 300 + "@lee.org", Problem.TOO_LONG),
    ],
)
def test_no_evidence(raw: str, problem: Problem) -> None:
    assert normalise_email(raw) == Normalised.bad(raw, raw, problem)


def test_role_addresses_are_told_but_stay_evidence() -> None:
    assert is_role_address("sales@lee.org")
    assert is_role_address("info+th@lee.org")
    assert not is_role_address("ann@sales.org")
