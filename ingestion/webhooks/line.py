"""LINE's reports as our messages. Pure.

https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects

A follower is the record of the LINE user id, which is also the address on which LINE reaches the person. Following is
the channel's permission and no consent to marketing; who unfollows has withdrawn the channel for every purpose. What
happens in groups and rooms is the talk of many people and stays outside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from ingestion.webhooks.reading import Reading, Unreadable, as_dict, as_list, present, text

CHANNEL: Final = "line"
LONGEST_TEXT: Final = 5_000  # LINE's own limit for a text message


class LinkedUser(NamedTuple):
    """A user of another source whom a nonce stands for."""

    namespace: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Account:
    """The LINE official account's settings and neighbours.

    Args:
        purposes: for which a person who unfollows can no longer be reached.
        linked_user: who a nonce stands for; None when it is not known, used up or too old.
    """

    keeps_text: bool = True
    purposes: Sequence[str] = ()
    linked_user: Callable[[str], LinkedUser | None] = lambda _nonce: None


def read(body: Any, *, account: Account) -> Reading:
    """What the report says: none, one or several events. Raises Unreadable."""
    if not isinstance(body, dict) or not isinstance(body.get("events"), list):
        raise Unreadable("events", "expected a list")
    said = [_message(as_dict(event), account) for event in body["events"]]
    found = tuple(message for message in said if message is not None)
    return Reading(messages=found, ignored=len(said) - len(found))


def _message(event: Mapping[str, Any], account: Account) -> dict[str, Any] | None:
    speaker = as_dict(event.get("source"))
    user_id = text(speaker.get("userId"))
    translate = TRANSLATIONS.get(text(event.get("type")))
    if speaker.get("type") != "user" or not user_id or translate is None:
        return None
    said = translate(event, user_id, account)
    if said is None:
        return None
    cdp = {"record": {"external_id": user_id}, **said.pop("cdp", {})}
    return {
        "type": "track",
        "messageId": f"line:{_event_id(event)}",
        "context": {"traits": {"line_id": user_id}},
        "timestamp": _time(event),
        **said,
        "cdp": cdp,
    }


def _event_id(event: Mapping[str, Any]) -> str:
    """The same when LINE delivers the event again."""
    found = text(event.get("webhookEventId"))
    if not found or len(found) > 80:
        raise Unreadable("events[].webhookEventId", "expected an id")
    return found


def _time(event: Mapping[str, Any]) -> str:
    try:
        return datetime.fromtimestamp(int(event["timestamp"]) / 1000, UTC).isoformat()
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise Unreadable("events[].timestamp", "expected milliseconds since 1970") from error


# --- what happened --------------------------------------------------------------------------------------------------


def _follow(event: Mapping[str, Any], _user_id: str, _account: Account) -> dict[str, Any]:
    again = as_dict(event.get("follow")).get("isUnblocked") is True
    properties = {"channel": CHANNEL, "is_return": again}
    return {"event": "LINE Followed", "properties": properties, "cdp": {"own_act": True}}


def _unfollow(event: Mapping[str, Any], user_id: str, account: Account) -> dict[str, Any]:
    withdrawn = [
        {
            "purpose": purpose,
            "channel": CHANNEL,
            "address": user_id,
            "state": "withdrawn",
            "evidence": {"system": "line", "event": "unfollow", "webhook_event_id": _event_id(event)},
        }
        for purpose in account.purposes
    ]
    return {"event": "LINE Unfollowed", "properties": {"channel": CHANNEL}, "cdp": present({"consents": withdrawn})}


def _received(event: Mapping[str, Any], _user_id: str, account: Account) -> dict[str, Any]:
    message = as_dict(event.get("message"))
    kind = text(message.get("type"))
    properties = {
        "channel": CHANNEL,
        "message_type": kind,
        "message_id": text(message.get("id")),
        "text": text(message.get("text"))[:LONGEST_TEXT] if account.keeps_text and kind == "text" else "",
    }
    return {"event": "Message Received", "properties": present(properties)}


def _postback(event: Mapping[str, Any], _user_id: str, _account: Account) -> dict[str, Any]:
    postback = as_dict(event.get("postback"))
    properties = {"channel": CHANNEL, "data": text(postback.get("data"))[:300]} | as_dict(postback.get("params"))
    return {"event": "LINE Button Tapped", "properties": present(properties)}


def _watched(event: Mapping[str, Any], _user_id: str, _account: Account) -> dict[str, Any]:
    tracking = text(as_dict(event.get("videoPlayComplete")).get("trackingId"))
    return {"event": "LINE Video Watched", "properties": present({"channel": CHANNEL, "video": tracking})}


def _linked(event: Mapping[str, Any], _user_id: str, account: Account) -> dict[str, Any] | None:
    """The follower has logged in at the company's own site: one person with the user whom the nonce stands for."""
    link = as_dict(event.get("link"))
    user = account.linked_user(text(link.get("nonce"))) if link.get("result") == "ok" else None
    if user is None:
        return None
    named = {"kind": "user", "namespace": user.namespace, "value": user.user_id}
    return {
        "event": "LINE Account Linked",
        "properties": {"channel": CHANNEL, "with": user.namespace},
        "cdp": {"identifiers": [named], "own_act": True},
    }


Translation = Callable[[Mapping[str, Any], str, Account], dict[str, Any] | None]

TRANSLATIONS: Final[Mapping[str, Translation]] = {
    "follow": _follow,
    "unfollow": _unfollow,
    "message": _received,
    "postback": _postback,
    "videoPlayComplete": _watched,
    "accountLink": _linked,
}


def is_verification(body: Any) -> bool:
    """LINE asks whether the address answers: a report without events."""
    return isinstance(body, dict) and not as_list(body.get("events"))
