"""LINE's reports in our words."""

from typing import Any

import msgspec
import pytest

from ingestion.webhooks import line
from ingestion.webhooks.line import Account, LinkedUser
from ingestion.webhooks.reading import Reading, Unreadable
from tests.factories import reports


def read(*events: dict[str, Any], account: Account | None = None) -> Reading:
    return line.read(msgspec.json.decode(reports.line_report(*events)), account=account or Account())


def only(event: dict[str, Any], account: Account | None = None) -> dict[str, Any]:
    [message] = read(event, account=account).messages
    return message


def test_a_follower_is_a_record_with_an_address_and_gives_no_consent() -> None:
    message = only(reports.FOLLOW)
    assert message == {
        "type": "track",
        "messageId": "line:01FZ74A0TDDPYRVKNK77XK0001",
        "event": "LINE Followed",
        "properties": {"channel": "line", "is_return": False},
        "context": {"traits": {"line_id": reports.FOLLOWER}},
        "timestamp": "2025-11-20T05:00:01+00:00",
        "cdp": {"record": {"external_id": reports.FOLLOWER}, "own_act": True},
    }


def test_who_unfollows_withdraws_the_channel_for_every_purpose() -> None:
    message = only(reports.UNFOLLOW, Account(purposes=["marketing", "service"]))
    assert message["event"] == "LINE Unfollowed"
    assert [(one["purpose"], one["channel"], one["address"], one["state"]) for one in message["cdp"]["consents"]] == [
        ("marketing", "line", reports.FOLLOWER, "withdrawn"),
        ("service", "line", reports.FOLLOWER, "withdrawn"),
    ]
    assert all(one["evidence"]["event"] == "unfollow" and not one.get("cell") for one in message["cdp"]["consents"])


def test_a_message_is_kept_with_its_text_or_without() -> None:
    assert only(reports.MESSAGE)["properties"] == {
        "channel": "line",
        "message_type": "text",
        "message_id": "444573844083572737",
        "text": "โซฟาสีแดงมีของไหมคะ",
    }
    assert "text" not in only(reports.MESSAGE, Account(keeps_text=False))["properties"]
    assert "text" not in only(reports.STICKER)["properties"], "a sticker's words are nobody's"


def test_tokens_are_not_kept() -> None:
    everything = str(read(reports.FOLLOW, reports.MESSAGE, reports.POSTBACK).messages)
    assert not any(token in everything for token in ("r1", "r2", "r4", "q1", "replyToken", "quoteToken"))


def test_a_tapped_button() -> None:
    message = only(reports.POSTBACK)
    assert (message["event"], message["properties"]["data"]) == ("LINE Button Tapped", "action=catalogue")


def test_groups_stay_outside_and_are_counted() -> None:
    found = read(reports.JOIN, reports.IN_GROUP, reports.FOLLOW, {"type": "beacon"})
    assert (len(found.messages), found.ignored) == (1, 3)


def test_a_redelivered_event_bears_the_same_id() -> None:
    again = reports.FOLLOW | {"deliveryContext": {"isRedelivery": True}}
    assert only(again)["messageId"] == only(reports.FOLLOW)["messageId"]


def test_an_account_link_names_the_user_of_the_web_shop() -> None:
    asked: list[str] = []

    def linked_user(nonce: str) -> LinkedUser:
        asked.append(nonce)
        return LinkedUser("web", "1001")

    message = only(reports.account_link("n-1"), Account(linked_user=linked_user))
    assert asked == ["n-1"]
    assert (message["event"], message["properties"]) == ("LINE Account Linked", {"channel": "line", "with": "web"})
    assert message["cdp"] == {
        "record": {"external_id": reports.FOLLOWER},
        "identifiers": [{"kind": "user", "namespace": "web", "value": "1001"}],
        "own_act": True,
    }


def test_a_link_that_failed_or_whose_nonce_is_unknown_links_nobody() -> None:
    nobody = Account(linked_user=lambda _nonce: None)
    assert read(reports.account_link("n-1"), account=nobody).ignored == 1
    failed = reports.account_link("n-1", result="failed")
    assert read(failed, account=Account(linked_user=lambda _nonce: LinkedUser("web", "1001"))).ignored == 1


@pytest.mark.parametrize("body", [{"events": []}, {"destination": "U1", "events": []}, {}])
def test_a_report_without_events_asks_whether_we_are_there(body: dict[str, Any]) -> None:
    assert line.is_verification(body)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ([], "events"),
        ({"events": {}}, "events"),
        ({"events": [reports.FOLLOW | {"webhookEventId": ""}]}, "events[].webhookEventId"),
        ({"events": [reports.FOLLOW | {"timestamp": "noon"}]}, "events[].timestamp"),
        ({"events": [reports.FOLLOW | {"timestamp": 10**30}]}, "events[].timestamp"),
    ],
)
def test_what_cannot_be_read_says_where(body: Any, place: str) -> None:
    with pytest.raises(Unreadable) as caught:
        line.read(body, account=Account())
    assert caught.value.place == place
