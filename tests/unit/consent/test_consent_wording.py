"""Every code of this app has words, in both languages; addresses are read as people write them."""

from typing import Any

import pytest
from django.utils.translation import override

from cdp_site.core.personal_data import Ground, holders
from consent import case, matrix, wording
from consent.contacts import FAULTS, postal
from consent.ledger import Evidence, OwnAct
from consent.models import Channel, DataSubjectRequest, ErasureStep
from consent.reasons import REASON_TEXTS, Reason, first_told
from consent.states import State


def test_every_code_has_words() -> None:
    assert set(REASON_TEXTS) == set(Reason)
    assert set(wording.STATES) == set(State)
    assert set(wording.EVIDENCE) == {*Evidence, *OwnAct}
    assert set(wording.GROUNDS) == set(Ground)
    assert set(matrix.ICON_OF_CHANNEL) == set(Channel)
    assert set(matrix.ICON_OF_STATE) == set(State)
    assert set(case.KIND_OF_STATUS) == set(case.ICON_OF_STATUS) == set(DataSubjectRequest.Status)
    assert set(case.KIND_OF_STEP) == set(case.ICON_OF_STEP) == set(ErasureStep.Status)
    assert set(FAULTS) - {None} < set(Reason)


def test_every_store_and_table_that_an_erasure_reaches_has_a_name() -> None:
    assert {holder.name for holder in holders()} <= set(wording.STORES)
    assert {table for holder in holders() for table in holder.tables} <= set(wording.TABLES)


@pytest.mark.parametrize("texts", [REASON_TEXTS, wording.STATES, wording.EVIDENCE, wording.TABLES, wording.STORES])
def test_thai_is_not_english(texts: dict[Any, Any]) -> None:
    for text in texts.values():
        with override("en"):
            english = str(text)
        with override("th"):
            assert str(text) != english


def test_what_the_person_said_is_told_before_what_we_lack() -> None:
    assert first_told([Reason.UNUSABLE, Reason.WITHDRAWN, Reason.NEVER_ASKED]) is Reason.WITHDRAWN
    assert first_told([]) is Reason.NO_ADDRESS


@pytest.mark.parametrize(
    ("golden", "line"),
    [
        ({}, ""),
        ({"province": "กรุงเทพมหานคร"}, ""),
        (
            {"address": "99/1 ถนนสุขุมวิท", "province": "กรุงเทพมหานคร", "postcode": 10110},
            "99/1 ถนนสุขุมวิท, กรุงเทพมหานคร, 10110",
        ),
        ({"address": ["1 Main St", "2 Side St"], "city": " Austin ", "country": None}, "1 Main St, Austin"),
    ],
)
def test_a_postal_address_on_one_line(golden: dict[str, Any], line: str) -> None:
    assert postal(golden) == line
