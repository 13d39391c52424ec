"""Placeholders and masks: shown as they came, never evidence."""

import pytest

from ingestion.normalise.values import Problem, placeholder_problem


@pytest.mark.parametrize("text", ["ส***ย", "******23", "08X-XXX-1234", "xxx1234", "j•••@gmail.com", "*"])
def test_masked(text: str) -> None:
    assert placeholder_problem(text) is Problem.MASKED


@pytest.mark.parametrize(
    "text",
    ["", "-", " -- ", "N/A", "n.a.", "null", "NULL", "None", "guest", "ไม่มี", "ไม่ระบุ", "(ไม่มี)", "ลูกค้าทั่วไป", "Unknown"],
)
def test_junk(text: str) -> None:
    assert placeholder_problem(text) is Problem.JUNK


@pytest.mark.parametrize("text", ["สมชาย", "Maxxx", "Nullenberg", "0812345679", "ไม่มีทางแพ้", "Guestrow"])
def test_a_value_that_only_resembles_one_is_none(text: str) -> None:
    assert placeholder_problem(text) is None
