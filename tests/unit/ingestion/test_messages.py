import json
from datetime import UTC, datetime

import pytest

from ingestion import landing, messages
from ingestion.messages import Reason

GOOD = {"type": "track", "event": "Product Viewed", "userId": "u1", "messageId": "m1"}


def batch_of(*items: bytes | dict, door: str = "api", **changes) -> landing.Claimed:
    raw = b"[" + b",".join(item if isinstance(item, bytes) else json.dumps(item).encode() for item in items) + b"]"
    values = {
        "id": 7, "source_id": 1, "received_at": datetime(2026, 11, 22, tzinfo=UTC), "sent_at": None, "door": door,
        "lane": 1, "is_public_key": False, "file_import_id": None, "operation_id": None, "attempts": 1,
        "n_items": len(items), "raw": raw,
    }  # fmt: skip
    return landing.Claimed(**(values | changes))


def test_a_good_message_is_read():
    (item,) = messages.read(batch_of({**GOOD, "context": {"traits": {"email": "a@b.co"}}}))

    assert isinstance(item, messages.Item)
    assert item.id == landing.message_uuid(1, "m1")
    assert item.message.person() == {"email": "a@b.co"}
    assert item.place == 0


def test_the_envelopes_sent_at_corrects_and_the_messages_own_wins():
    sent = datetime(2026, 11, 22, 1, tzinfo=UTC)
    late = {**GOOD, "timestamp": "2026-11-22T00:59:00Z"}

    by_envelope, by_message = messages.read(
        batch_of(late, {**late, "messageId": "m2", "sentAt": "2026-11-22T02:59:00Z"}, sent_at=sent)
    )

    assert by_envelope.clocks.occurred_at == datetime(2026, 11, 21, 23, 59, tzinfo=UTC)
    assert by_message.clocks.occurred_at == datetime(2026, 11, 21, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("bad", "reason", "in_detail"),
    [
        ({**GOOD, "event": 5}, Reason.WRONG_TYPE, "$.event"),
        ({**GOOD, "type": "purchase"}, Reason.WRONG_TYPE, "type"),
        ({"event": "x", "userId": "u1"}, Reason.MISSING, "type"),
        ({"type": "track", "userId": "u1"}, Reason.MISSING, "event"),
        ({"type": "track", "event": "x"}, Reason.MISSING, "userId or anonymousId"),
        ({**GOOD, "properties": []}, Reason.WRONG_TYPE, "$.properties"),
        ({**GOOD, "userId": True}, Reason.WRONG_TYPE, "$.userId"),
        ({**GOOD, "userId": "u" * 201}, Reason.TOO_LONG, "userId"),
        ({**GOOD, "messageId": "m" * 101}, Reason.TOO_LONG, "messageId"),
        ({**GOOD, "event": "e" * 101}, Reason.TOO_LONG, "event"),
        ({**GOOD, "timestamp": "gestern"}, Reason.TIME, "timestamp"),
        ({**GOOD, "properties": {"a": "x" * 33_000}}, Reason.TOO_LARGE, "32 KB"),
        ({**GOOD, "properties": {"a": "x\0y"}}, Reason.UNSTORABLE, "NUL"),
        ({**GOOD, "userId": "u\0"}, Reason.UNSTORABLE, "NUL"),
        ({"type": "alias", "userId": "u1"}, Reason.MISSING, "previousId"),
        ({"type": "group", "userId": "u1"}, Reason.MISSING, "groupId"),
        (b'{"type":"track","event":"x","userId":"u","properties":{"n":1e200000}}', Reason.UNSTORABLE, "range"),
        (b'{"type":"track","event":"\xff","userId":"u"}', Reason.MALFORMED, "UTF-8"),
        (b"5", Reason.WRONG_TYPE, "got `int`"),
        (b'"hello"', Reason.WRONG_TYPE, "got `str`"),
        (b"null", Reason.WRONG_TYPE, "null"),
        (
            b'{"type":"track","event":"x","userId":"u","properties":' + b'{"a":' * 70 + b"1" + b"}" * 70 + b"}",
            Reason.UNSTORABLE,
            "deep",
        ),
    ],
)
def test_a_bad_item_is_rejected_with_reason_and_place_and_the_others_stand(bad, reason, in_detail):
    first, rejected, last = messages.read(batch_of(GOOD, bad, {**GOOD, "messageId": "m3"}))

    assert isinstance(first, messages.Item)
    assert isinstance(last, messages.Item)
    assert isinstance(rejected, messages.Rejection)
    assert (rejected.place, rejected.reason) == (1, reason)
    assert in_detail in rejected.detail


def test_the_detail_never_holds_a_value():
    secret = "somchai@example.co.th"
    for bad in ({**GOOD, "event": {"x": secret}}, {**GOOD, "timestamp": secret}, {**GOOD, "type": secret}):
        (rejected,) = messages.read(batch_of(bad))
        assert secret not in rejected.detail


def test_what_only_our_doors_may_say_is_ignored_from_the_api_and_kept_from_a_file():
    ours = {"type": "identify", "userId": "u1", "cdp": {"record": {"external_id": "someone else"}, "line": 41}}

    (from_api,) = messages.read(batch_of(ours))
    (from_file,) = messages.read(batch_of(ours, door="file"))

    assert from_api.message.cdp is None
    assert from_file.message.cdp["record"] == {"external_id": "someone else"}
    assert (from_api.place, from_file.place) == (0, 41)


def test_a_message_without_an_id_is_the_same_within_its_batch_and_new_in_another():
    bare = {"type": "track", "event": "x", "userId": "u1"}

    (once,) = messages.read(batch_of(bare))
    (again,) = messages.read(batch_of(bare))
    (elsewhere,) = messages.read(batch_of(bare, id=8))

    assert once.id == again.id != elsewhere.id


def test_a_file_row_may_be_larger_than_an_event():
    (item,) = messages.read(batch_of({**GOOD, "properties": {"a": "x" * 33_000}}, door="file"))

    assert isinstance(item, messages.Item)
