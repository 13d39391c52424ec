"""The story of the chair: one customer whose last ten days show what a single profile is for.

A discount mail, a click, a chair in the basket, an interruption; a reminder, doubts about the size, a call, the
purchase; a thank-you mail with an old delivery address, a second call in which the agent updates the address and
sells a cushion; at last a chat and a survey. Seven records in five systems hold the pieces.
"""

from __future__ import annotations

from datetime import date

from cdp_site.operations.company.accounts import Card, address_traits
from cdp_site.operations.company.catalogue import BY_SKU, STORES, Product
from cdp_site.operations.company.draws import generator, hexadecimal, mobile_number, scramble, ticket_id, uuid_text
from cdp_site.operations.company.feeds import APP, CALLS, LINE, POS, WEB, Feeds, Message, Tracker
from cdp_site.operations.company.people import BEHAVIOUR, Address
from cdp_site.operations.company.places import DISTRICTS
from cdp_site.operations.company.shopping import Basket, Line, product_properties
from cdp_site.operations.company.spelling import buddhist_day
from cdp_site.operations.company.store import receipt_rows
from cdp_site.operations.company.wording import NOTICE_VERSION
from cdp_site.operations.company.year import DAY, HOUR, MINUTE, SECOND, Year

#: The person's number; whoever would have had it is not in the company.
NUMBER = 3

EMAIL = "pimchanok.sae@gmail.example.com"
BIRTH_DATE = date(1991, 2, 14)
_LINE_NAME = "พิมพ์ 🌸"


def _district(thai: str) -> Address:
    district = next(place for place in DISTRICTS if place.thai == thai)
    return Address(
        house="88/214", lane=4 if thai == "บางนา" else 12, road=0 if thai == "บางนา" else 1, district=district
    )


OLD_HOME, NEW_HOME = _district("บางนา"), _district("จตุจักร")


class Story:
    """Tells the story into feeds; every part appends what one system sends.

    Args:
        modulus: `draws.modulus_for` the size of the company, for codes of the usual form.
    """

    def __init__(self, *, seed: int, year: Year, modulus: int, ticket_width: int, feeds: Feeds) -> None:
        rng = generator(seed, NUMBER, BEHAVIOUR)
        self._year = year
        self._feeds = feeds
        self._rng = rng
        self._phone = mobile_number(NUMBER)
        self._web_user = f"u{scramble(NUMBER, 1, modulus):06d}"
        self._app_user = f"{scramble(NUMBER, 2, modulus):06d}"
        self._card = Card(
            code=f"P{scramble(NUMBER, 4, modulus):06d}",
            member_id=f"M{scramble(NUMBER, 5, modulus):07d}",
            store=STORES[1],
            keyed_badly=False,
        )
        self._line_user = f"U{hexadecimal(rng, 32)}"
        self._tickets = [ticket_id(NUMBER, call, ticket_width) for call in (0, 1)]
        self._laptop, self._mobile = uuid_text(rng), uuid_text(rng)
        self._order_id = f"WB{self._web_user[1:]}001"
        context = {"locale": "th-TH", "channel": "browser"}
        self._browser = Tracker(feeds.web, feeds.touchpoints, year, rng, context, self._laptop)
        self._server = Tracker(feeds.web, feeds.touchpoints, year, rng, {"channel": "server"}, user_id=self._web_user)

    def tell(self) -> None:
        """Append the whole story."""
        self._years_before()
        self._mail_and_basket()
        self._doubt_and_purchase()
        self._second_call()
        self._afterwards()
        self._feeds.truth.extend(
            (source, external_id, NUMBER)
            for source, external_id in (
                (WEB, self._web_user),
                (WEB, self._mobile),
                (APP, self._app_user),
                (POS, self._card.code),
                (LINE, self._line_user),
                *((CALLS, ticket) for ticket in self._tickets),
            )
        )

    def _at(self, days_ago: int, hour: int, minute: int, second: int = 0) -> int:
        """Return a moment that many days before the last midnight."""
        return (self._year.end // DAY - days_ago) * DAY + hour * HOUR + minute * MINUTE + second * SECOND

    def _years_before(self) -> None:
        """An account of the shop, a card, the app and LINE; a purchase in the store; a look around on the phone."""
        registered = self._at(330, 20, 15)
        self._server.identify(
            registered,
            {
                "firstName": "พิมพ์ชนก",
                "lastName": "แสงอรุณ",
                "email": EMAIL,
                "phone": self._phone,
                "birthday": BIRTH_DATE.isoformat(),
                "language": "th",
                "address": address_traits(OLD_HOME, "th"),
            },
        )
        for event, purpose, channel in (
            ("Consent Granted", "marketing", "email"),
            ("Consent Refused", "marketing", "sms"),
        ):
            answer = {"purpose": purpose, "channel": channel, "notice_version": NOTICE_VERSION, "language": "th"}
            self._server.track(registered + SECOND, event, answer)
        app = Tracker(
            self._feeds.app,
            self._feeds.touchpoints,
            self._year,
            self._rng,
            {"locale": "th-TH", "device": {"type": "ios"}},
            anonymous_id=uuid_text(self._rng),
            user_id=self._app_user,
        )
        installed = self._at(200, 8, 40)
        app.identify(
            installed,
            {
                "firstName": "Pimchanok",
                "lastName": "Saengarun",
                "phone": f"+66{self._phone[1:]}",
                "email": EMAIL,
                "gender": "female",
                "language": "th",
                "home_type": "condo",
                "pet": "cat",
                "family_size": 2,
            },
        )
        app.track(installed + SECOND, "Application Installed", {"version": "5.0.0"})
        app.track(self._at(40, 22, 5), "Application Opened", {"version": "5.2.1"})
        app.screen(self._at(40, 22, 5, 4), "คะแนนสะสม")
        self._shop_in_store(self._at(150, 15, 32))
        self._line_row(self._at(149, 9, 0), "Friend Added", "")
        browser = Tracker(self._feeds.web, self._feeds.touchpoints, self._year, self._rng, self._browser.context)
        browser.anonymous_id = self._mobile
        for place, sku in enumerate(("CH-ARE-BLK", "CH-ARE-GRY", "TB-DEK-WHT")):
            browser.track(self._at(12, 13, 5 + place), "Product Viewed", _viewed(sku))

    def _shop_in_store(self, moment: int) -> None:
        """Two dining chairs at Bang Na; the cashier heard the name and left a letter out."""
        local = self._year.local(moment)
        registered = buddhist_day(local.date())
        row = (
            self._card.code,
            "คุณพิมชนก แสงอรุณ",
            f"{self._phone[:3]}-{self._phone[3:6]}-{self._phone[6:]}",
            "",
            buddhist_day(BIRTH_DATE),
            OLD_HOME.street("th"),
            OLD_HOME.district.thai,
            OLD_HOME.district.province_thai,
            OLD_HOME.district.postcode,
            self._card.member_id,
            "",
            registered,
            registered,
            "N",
            "",
        )
        self._feeds.members.append((moment, row))
        chair = BY_SKU["CH-NAN-OAK"]
        basket = Basket((Line(chair, 2, chair.price, chair.price),), "", 0)
        receipt = f"{self._card.store[0]}{self._card.code[1:]}01"
        rows = receipt_rows(self._year, moment, receipt, self._card, basket)
        self._feeds.sales.extend((moment, row) for row in rows)
        self._feeds.touchpoints["Order Completed"] += 1

    def _mail_and_basket(self) -> None:
        """The discount mail, the click, the chair in the basket, and the interruption."""
        mail = self._mail(self._at(9, 10, 4), "chair-week", "สัปดาห์เก้าอี้ ลดสูงสุด 20%", opened=self._at(9, 19, 42))
        clicked = self._at(9, 19, 43)
        self._server.track(clicked, "Email Link Clicked", mail | {"link": "/sale"})
        browser = self._browser
        browser.context = browser.context | {"campaign": {"name": mail["campaign"], "medium": "email"}}
        browser.user_id = self._web_user
        browser.identify(clicked + 3 * SECOND, {"language": "th"})
        browser.page(clicked + 4 * SECOND, "Sale", "/sale")
        for seconds, sku in ((30, "CH-ARE-GRY"), (95, "CH-SAM-BGE"), (160, "CH-ARE-GRY")):
            browser.track(clicked + seconds * SECOND, "Product Viewed", _viewed(sku))
        browser.track(clicked + 215 * SECOND, "Product Added", _viewed("CH-ARE-GRY") | {"quantity": 1})
        browser.track(clicked + 250 * SECOND, "Checkout Started", {"value": 5592, "currency": "THB"})

    def _doubt_and_purchase(self) -> None:
        """The reminder, the size guide, the call, and the purchase an hour later."""
        subject = "เก้าอี้อารีย์ของคุณยังรออยู่ในตะกร้า"
        mail = self._mail(self._at(8, 10, 10), "basket-reminder", subject, opened=self._at(8, 12, 6))
        self._server.track(self._at(8, 12, 7), "Email Link Clicked", mail | {"link": "/basket"})
        self._browser.page(self._at(8, 12, 8), "Size guide", "/size-guide")
        self._browser.track(self._at(8, 12, 9), "Product Viewed", _viewed("CH-ARE-GRY"))
        self._call(
            0,
            self._at(8, 12, 15),
            reason="product_question",
            outcome="answered",
            note="ลูกค้าอยากได้เก้าอี้อารีย์ แต่ไม่แน่ใจเรื่องขนาด สูง 158 ซม. ที่นั่งปรับได้ 42–50 ซม. เหมาะ แนะนำสีเทา",
            order_id="",
        )
        self._browser.track(self._at(8, 13, 2), "Order Completed", self._order(with_cushion=False))

    def _second_call(self) -> None:
        """The thank-you mail names the old address; the agent mends it and offers a cushion from the sale."""
        address = address_traits(OLD_HOME, "th")
        sent = self._at(8, 13, 4)
        details = {"order_id": self._order_id, "delivery_address": f"{address['street']} {address['city']}"}
        self._mail(sent, "order-confirmation", "ขอบคุณสำหรับคำสั่งซื้อ", opened=sent + 6 * MINUTE, details=details)
        self._call(
            1,
            self._at(8, 13, 21),
            reason="address_change",
            outcome="sale",
            note="ที่อยู่จัดส่งเป็นคอนโดเดิม ย้ายไปจตุจักรแล้ว แก้ให้ เสนอหมอนอิงลดราคา ลูกค้ารับ 1 ใบ รวมส่งพร้อมกัน",
            order_id=self._order_id,
        )
        self._server.identify(self._at(8, 13, 26), {"address": address_traits(NEW_HOME, "th")})
        self._server.track(self._at(8, 13, 27), "Order Updated", self._order(with_cushion=True))

    def _afterwards(self) -> None:
        """Delivered: a chat, and a survey that she answers on her phone, logged in there for the first time."""
        self._line_row(self._at(5, 14, 20), "Message Received", "ของถึงแล้วนะคะ นั่งสบายมากค่ะ ❤️")
        self._line_row(self._at(5, 14, 26), "Message Sent", "ขอบคุณมากค่ะ คุณพิมพ์ 🙏")
        answer = {
            "survey": "nps",
            "score": 10,
            "reason": "service",
            "comment": "นั่งสบายหลัง โทรไปถามก็รู้เรื่องเลย ไม่ต้องเล่าซ้ำ",
            "language": "th",
            "order_id": self._order_id,
        }
        mobile = Tracker(self._feeds.web, self._feeds.touchpoints, self._year, self._rng, self._browser.context)
        mobile.anonymous_id, mobile.user_id = self._mobile, self._web_user
        mobile.identify(self._at(3, 20, 9), {"language": "th"})  # what it looked at before belongs to her from now on
        mobile.track(self._at(3, 20, 10), "Survey Answered", answer)

    def _order(self, *, with_cushion: bool) -> Message:
        lines = [_line(BY_SKU["CH-ARE-GRY"], 20)]
        if with_cushion:
            lines.append(_line(BY_SKU["DC-CUS-GRN"], 30))
        return Basket(tuple(lines), "", 0).properties(self._order_id, "th")

    def _mail(self, moment: int, key: str, subject: str, *, opened: int, details: Message | None = None) -> Message:
        mail: Message = {"campaign": f"{key}-{self._year.local(moment):%Y%m%d}", "subject": subject} | (details or {})
        self._server.track(moment, "Email Delivered", mail)
        self._server.track(opened, "Email Opened", mail)
        return mail

    def _call(self, number: int, moment: int, *, reason: str, outcome: str, note: str, order_id: str) -> None:
        started = f"{self._year.local(moment):%Y-%m-%d %H:%M:%S}"
        phone = f"+66{self._phone[1:]}"
        head = (self._tickets[number], "คุณพิมพ์ชนก", "แสงอรุณ" if number else "", phone, "", started)
        self._feeds.calls.append((moment, (*head, "312", "อรอนงค์", reason, outcome, note, "5", order_id, "")))
        self._feeds.touchpoints["Call Ended"] += 1

    def _line_row(self, moment: int, event: str, text: str) -> None:
        row: Message = {
            "eventId": f"01{hexadecimal(self._rng, 24).upper()}",
            "timestamp": self._year.epoch(moment),
            "event": event,
            "userId": self._line_user,
        }
        if text:
            row["text"] = text
        else:
            row |= {"may_send": True, "displayName": _LINE_NAME, "phone": self._phone, "language": "th"}
        self._feeds.line.append((moment, row))
        self._feeds.touchpoints[event] += 1


def _viewed(sku: str) -> Message:
    return product_properties(BY_SKU[sku], "th")


def _line(product: Product, sale_percent: int) -> Line:
    return Line(product, 1, product.price * (100 - sale_percent) // 100, product.price)
