"""What the ingestion benchmarks send, and how they read the answers."""

import socket
import threading

import msgspec
import pytest

from cdp_site.operations.bench import client, measure, traffic
from ingestion import messages

EVENT = {"type": "track", "messageId": "m1", "userId": "u1", "event": "Product Viewed"}


def test_poison_is_found_by_reading() -> None:
    with pytest.raises(messages.UnusableMessage):
        messages.parse(msgspec.json.encode(traffic.unusable(EVENT)), from_api=True)


def test_a_percentile_is_one_of_the_values() -> None:
    assert measure.percentile([5.0], 99) == 5.0
    assert measure.percentile([float(number) for number in range(200)], 99) == 198.0
    assert measure.percentile([3.0, 1.0, 2.0], 50) == 2.0


def test_answers_are_told_apart_however_they_are_cut() -> None:
    ours, theirs = socket.socketpair()
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"

    with ours, theirs:
        sender = threading.Thread(
            target=lambda: [theirs.sendall(piece) for piece in (answer[:10], answer[10:40], answer[40:])]
        )
        sender.start()
        assert client._answer(ours) == 200
        sender.join()
        theirs.sendall(b"HTTP/1.1 429 Slow Down\r\nContent-Length: 0\r\n\r\n")
        assert client._answer(ours) == 429


def test_a_closed_connection_is_said() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(ConnectionError):
        client._answer(ours)
