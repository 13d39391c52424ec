"""The digest: landed messages become records, touchpoints and orders, each once, in any order."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion import landing
from ingestion.models import InboundBatch, QuarantinedItem, Source
from profiles import digest, intake
from profiles.models import Identifier, Order, Profile, SourceRecord, SourceRecordVersion, Touchpoint

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
Send = Callable[..., dict[str, int]]


@pytest.fixture
def send(web_shop: Source) -> Send:
    """Land messages as one batch and digest it; returns the counts of the step."""

    def land(*messages: dict[str, Any], source: Source = web_shop, door: str = "api", **more: Any) -> dict[str, int]:
        landing.land(source=source, messages_raw=list(messages), door=door, **more)
        return dict(+digest.drain().counts)

    return land


def track(event: str, *, user: str = "u1", number: int = 0, **properties: Any) -> dict[str, Any]:
    at = (NOON + timedelta(minutes=number)).isoformat()
    return {
        "type": "track",
        "messageId": f"{event}-{user}-{number}",
        "userId": user,
        "event": event,
        "timestamp": at,
        "properties": properties,
    }


def identify(user: str = "u1", *, number: int = 0, **traits: Any) -> dict[str, Any]:
    at = (NOON + timedelta(minutes=number)).isoformat()
    return {"type": "identify", "messageId": f"id-{user}-{number}", "userId": user, "timestamp": at, "traits": traits}


class TestRecords:
    def test_identify_makes_a_record_with_identifiers_and_a_golden_record(self, send: Send) -> None:
        assert send(
            identify(firstName="สมชาย", lastName="ใจดี", email=" SOMCHAI@baansabai.co.th", phone="086-345-1972")
        ) == {"stored": 1}
        record = SourceRecord.objects.get()
        assert record.attributes["first_name"] == "สมชาย"
        assert record.attributes["phone"] == "+66863451972"
        assert set(Identifier.objects.values_list("kind", "value", "is_evidence")) == {
            ("user", "u1", True),
            ("email", "somchai@baansabai.co.th", True),
            ("phone", "+66863451972", True),
        }
        profile = Profile.objects.get()
        assert profile.golden["email"] == "somchai@baansabai.co.th"
        assert profile.kind == "identified"

    def test_absent_is_unchanged_and_null_is_cleared(self, send: Send) -> None:
        send(identify(city="Bangkok", language="th"), identify(number=1, language=None))
        assert SourceRecord.objects.get().attributes == {"city": "Bangkok"}

    def test_a_version_is_kept_only_when_the_content_changed(self, send: Send) -> None:
        send(identify(city="Bangkok"))
        send(identify(number=1, city="Bangkok"))
        send(identify(number=2, city="Phuket"))
        assert SourceRecordVersion.objects.count() == 2

    def test_any_order_of_arrival_gives_the_same_record(self, send: Send, web_shop: Source) -> None:
        said = [
            identify("u1", number=n, city=city, **({"language": None} if n % 3 == 0 else {"language": city[:2]}))
            for n, city in enumerate(["Bangkok", "Phuket", "Chiang Mai", "Rayong", "Krabi", "Trang"])
        ]
        send(*said)
        expected = SourceRecord.objects.get().attributes
        for seed in range(3):
            shuffled = [m | {"userId": f"v{seed}", "messageId": f"{m['messageId']}-{seed}"} for m in said]
            random.Random(seed).shuffle(shuffled)
            for message in shuffled:
                send(message)
            assert SourceRecord.objects.get(external_id=f"v{seed}").attributes == expected

    def test_what_a_browser_states_is_shown_and_no_evidence(self, send: Send) -> None:
        send(identify(email="victim@baansabai.co.th"), is_public_key=True)
        email = Identifier.objects.get(kind="email")
        assert (email.is_evidence, email.problem) == (False, "public_key")

    def test_a_placeholder_is_nobodys_id(self, send: Send) -> None:
        assert send(track("Product Viewed", user="null")) == {"quarantined": 1}
        assert not SourceRecord.objects.exists()
        assert QuarantinedItem.objects.get().reason == "missing"

    def test_a_placeholder_never_wins_over_a_value(self, send: Send) -> None:
        send(identify(city="Bangkok", phone="086-345-1972"), identify(number=1, city="-", phone="0999999999"))
        assert SourceRecord.objects.get().attributes == {}
        shown = Identifier.objects.get(value="+66863451972")
        assert (shown.is_evidence, shown.is_current) == (True, False)
        assert Identifier.objects.get(raw="0999999999").problem == "junk"

    def test_an_address_that_reaches_nobody_is_kept_with_the_identifiers_alone(self, send: Send) -> None:
        send(identify(email=["owen.@@baansabai.co.th", "owen@baansabai.co.th"], phone="08x-xxx-1234"))
        assert SourceRecord.objects.get().attributes == {"email": "owen@baansabai.co.th"}
        assert set(Identifier.objects.exclude(kind="user").values_list("raw", "is_evidence", "is_current")) == {
            ("owen.@@baansabai.co.th", False, False),
            ("owen@baansabai.co.th", True, True),
            ("08x-xxx-1234", False, False),
        }

    def test_a_value_no_longer_shown_is_not_current(self, send: Send) -> None:
        send(identify(email="old@baansabai.co.th"))
        send(identify(number=1, email="new@baansabai.co.th"))
        assert dict(Identifier.objects.filter(kind="email").values_list("value", "is_current")) == {
            "old@baansabai.co.th": False,
            "new@baansabai.co.th": True,
        }


class TestTouchpoints:
    def test_events_are_on_the_profile_with_their_clocks(self, send: Send) -> None:
        sent_at = NOON + timedelta(minutes=30)  # the client's clock runs half an hour fast
        send(track("Product Viewed", color="red") | {"sentAt": sent_at.isoformat()}, received_at=NOON)
        touchpoint = Touchpoint.objects.select_related("type").get()
        assert touchpoint.type.name == "Product Viewed"
        assert touchpoint.properties == {"color": "red"}
        assert touchpoint.occurred_at == NOON - timedelta(minutes=30)
        assert (touchpoint.original_at, touchpoint.sent_at, touchpoint.received_at) == (NOON, sent_at, NOON)
        assert touchpoint.profile_id == Profile.objects.get().pk

    def test_a_message_is_taken_once_for_ever(self, send: Send) -> None:
        view = track("Product Viewed")
        assert send(view, view) == {"stored": 1, "duplicate": 1}
        assert send(view) == {"duplicate": 1}
        assert send(identify(city="Bangkok")) == {"stored": 1}
        assert send(identify(city="Phuket")) == {"duplicate": 1}
        assert SourceRecord.objects.get().attributes == {"city": "Bangkok"}

    def test_what_a_visitor_did_before_login_is_theirs_afterwards(self, send: Send) -> None:
        view = track("Product Viewed")
        send(view | {"userId": None, "anonymousId": "device-1"})
        assert Profile.objects.get().kind == "anonymous"
        send(identify("u1", number=5, city="Bangkok") | {"anonymousId": "device-1"})
        person = Profile.objects.people().get()
        assert Touchpoint.objects.get().profile_id == person.pk

    def test_a_device_that_two_people_use_joins_neither(self, send: Send) -> None:
        send(track("Product Viewed") | {"userId": None, "anonymousId": "kiosk"})
        send(identify("u1", number=1, city="Bangkok") | {"anonymousId": "kiosk"})
        send(identify("u2", number=2, city="Phuket") | {"anonymousId": "kiosk"})
        assert Touchpoint.objects.get().profile.kind == "anonymous"
        assert Profile.objects.people().count() == 2

    def test_pages_and_screens_have_types_of_their_own(self, send: Send) -> None:
        page = {"type": "page", "messageId": "p1", "userId": "u1", "name": "Home", "properties": {"path": "/"}}
        send(page, page | {"type": "screen", "messageId": "s1"})
        assert set(Touchpoint.objects.values_list("type__name", "properties__name")) == {
            ("Page Viewed", "Home"),
            ("Screen Viewed", "Home"),
        }


class TestOrders:
    PRODUCT: ClassVar = {"sku": "CHAIR-1", "name": "เก้าอี้", "color": "red", "quantity": 2, "price": "1990.00"}

    def test_an_order_has_lines_and_one_touchpoint(self, send: Send) -> None:
        send(track("Order Completed", order_id="A1", total=3980, currency="THB", products=[self.PRODUCT]))
        send(track("Order Completed", number=1, order_id="A1", total=3980, products=[self.PRODUCT]))
        order = Order.objects.get()
        assert (order.total, order.currency, order.status) == (Decimal("3980.00"), "THB", "completed")
        assert order.lines.get().unit_price == Decimal("1990.00")
        touchpoint = Touchpoint.objects.get()
        assert touchpoint.order_id == order.pk
        assert "products" not in touchpoint.properties

    def test_scattered_lines_add_up(self, send: Send) -> None:
        for number in range(3):
            send(
                track(
                    "Order Completed", number=number, order_id="B", products=[self.PRODUCT | {"line_id": str(number)}]
                )
            )
        assert Order.objects.get().total == Decimal("11940.00")
        assert Touchpoint.objects.count() == 1

    def test_an_older_version_never_overwrites_a_newer_one(self, send: Send) -> None:
        send(track("Order Cancelled", number=9, order_id="C"))
        send(track("Order Completed", number=1, order_id="C", total=100))
        order = Order.objects.get()
        assert (order.status, order.total, order.placed_at) == ("cancelled", Decimal(100), NOON + timedelta(minutes=1))

    def test_refunds_stand_apart_and_count_once(self, send: Send) -> None:
        send(track("Order Completed", order_id="D", total=100))
        refund = track("Order Refunded", number=1, order_id="D", total=40)
        send(refund, refund)
        order = Order.objects.get()
        assert (order.total, order.refunded) == (Decimal(100), Decimal(40))

    def test_a_wrong_amount_is_quarantined_with_its_place(self, send: Send) -> None:
        wrong = track("Order Completed", order_id="E", products=[{"sku": "X", "price": "much"}])
        assert send(wrong, track("Product Viewed", number=1)) == {"quarantined": 1, "stored": 1}
        assert QuarantinedItem.objects.get().detail == "properties.products[0].price: expected a number"


class TestFaults:
    def test_the_equation_holds_for_every_batch(self, send: Send) -> None:
        send(track("A"), track("A"), track("B", user="guest"), {"type": "group", "messageId": "g", "userId": "u1"})
        batch = InboundBatch.objects.get()
        assert (batch.n_items, batch.n_stored, batch.n_duplicate, batch.n_quarantined) == (4, 1, 1, 2)
        assert batch.raw is None

    def test_a_message_that_always_fails_is_found_and_the_others_are_stored(
        self, send: Send, web_shop: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        take = intake.take

        def failing(statements: Any, *args: Any, **kwargs: Any) -> Any:
            if any(statement.key.external_id == "poison" for statement in statements):
                raise RuntimeError("poison")
            return take(statements, *args, **kwargs)

        monkeypatch.setattr(intake, "take", failing)
        good = [track("Product Viewed", user=f"u{n}", number=n) for n in range(7)]
        landing.land(source=web_shop, messages_raw=[*good, track("Product Viewed", user="poison")], door="api")
        landing.land(source=web_shop, messages_raw=[track("Product Viewed", user="u9")], door="api")
        counts = digest.drain().counts
        assert +counts == {"stored": 8, "quarantined": 1}
        assert QuarantinedItem.objects.get().reason == "failed"
        assert InboundBatch.objects.order_by("pk")[0].attempts == landing.MAX_ATTEMPTS

    def test_a_worker_that_comes_too_late_changes_nothing(self, web_shop: Source) -> None:
        landing.land(source=web_shop, messages_raw=[track("Product Viewed")], door="api")
        late = landing.claim(1, -1.0)  # its lease has ended
        digest.drain()
        with pytest.raises(digest.LateWorkerError):
            digest._digest(late, digest.Report())
        assert Touchpoint.objects.count() == 1

    def test_a_step_costs_the_same_statements_for_many_messages(self, send: Send, web_shop: Source) -> None:
        send(*[identify(f"u{n}", city="Bangkok") for n in range(50)])

        def statements(number: int, batch: int) -> int:
            messages = [track("View", user=f"u{n % 50}", number=100 * batch + n) for n in range(number)]
            landing.land(source=web_shop, messages_raw=messages, door="api")
            with CaptureQueriesContext(connection) as queries:
                digest.step()
            return len(queries)

        statements(10, 0)  # the event type is new
        # The last two note whose memberships and whose computed traits have to follow.
        assert statements(200, 1) == statements(20, 3) <= 22
