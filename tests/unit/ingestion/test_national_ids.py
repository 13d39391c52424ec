import json

import msgspec
import pytest

from ingestion import national_ids

NUMBER = "1101700230708"  # its check digit fits


def sealed_batch(*items: dict, ascii_only: bool = False, indent: int | None = None) -> list[dict]:
    raw = json.dumps(list(items), ensure_ascii=ascii_only, indent=indent).encode()
    return msgspec.json.decode(national_ids.seal_national_ids(raw))


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["national_id", "nationalId", "เลขบัตรประชาชน", "CITIZEN_ID", "tax id", "id_card"])
def test_a_field_with_a_telling_name_is_sealed_at_any_depth(name, ascii_only, indent):
    message = {"type": "identify", "traits": {"first_name": "สมชาย", "papers": [{name: NUMBER}]}}

    (sealed,) = sealed_batch(message, ascii_only=ascii_only, indent=indent)

    held = sealed["traits"]["papers"][0][name]
    assert set(held) == {"hash", "last_four"}
    assert held["last_four"] == "0708"
    assert sealed["traits"]["first_name"] == "สมชาย"


def test_however_it_is_written_the_hash_is_the_same():
    spellings = [NUMBER, int(NUMBER), "1-1017-00230-70-8", " 1 1017 00230 70 8 ", "๑๑๐๑๗๐๐๒๓๐๗๐๘"]

    sealed = sealed_batch(*({"national_id": spelling} for spelling in spellings))

    assert len({message["national_id"]["hash"] for message in sealed}) == 1


def test_what_is_no_persons_number_says_so():
    (company, junk, short) = sealed_batch({"tax_id": "0105536000313"}, {"tax_id": "1111111111111"}, {"tax_id": "12"})

    assert company["tax_id"]["problem"] == "company_id"
    assert junk["tax_id"]["problem"] == "junk"
    assert (short["tax_id"]["problem"], short["tax_id"]["last_four"]) == ("malformed", "")


def test_messages_that_name_none_pass_untouched():
    raw = b'[{"type":"track","properties":{"note":"1101700230708"}},  {"pidgin": 3}]'

    assert national_ids.seal_national_ids(raw) is raw


def test_an_item_that_cannot_be_decoded_loses_the_clear_number():
    raw = b'[{"national_id":"1-1017-00230-70-8","x":"\xff"},{"national_id":null}]'

    sealed = national_ids.seal_national_ids(raw)

    assert b"1-1017" not in sealed
    assert b"70-8" in sealed


def test_an_escaped_key_is_read():
    raw = b'[{"national\\u005fid":"1101700230708"}]'

    assert NUMBER.encode() not in national_ids.seal_national_ids(raw)
