"""The web shop and the app: visits, baskets, orders, and what follows an order."""

from __future__ import annotations

from random import Random

from cdp_site.operations.company import consents, wording
from cdp_site.operations.company.accounts import Accounts, Device, address_traits, app_traits, web_traits
from cdp_site.operations.company.catalogue import RED_SHOES, Product
from cdp_site.operations.company.draws import pick
from cdp_site.operations.company.feeds import Message, Tracker
from cdp_site.operations.company.life import Life
from cdp_site.operations.company.shopping import browse, checkout, product_properties
from cdp_site.operations.company.year import DAY, HOUR, MINUTE, SECOND, sale_percent

#: The tablet in the store at Pathum Wan, on which anybody may log in.
KIOSK = "kiosk-s01-pathumwan"

_ORDERS = "https://www.baansabai.example/orders/"
_LOCALES = {"th": "th-TH", "en": "en-GB"}


class Shopper:
    """What visits to the web shop and to the app have in common: looking, basket, order, refund, survey."""

    def __init__(self, life: Life, tracker: Tracker, order_prefix: str) -> None:
        self.life = life
        self.tracker = tracker
        self._order_prefix = order_prefix
        self._orders = 0

    def look_around(self, moment: int, views: int) -> tuple[int, list[Product]]:
        """View some products; return the moment afterwards and what lies in the basket."""
        life, tracker, rng = self.life, self.tracker, self.life.rng
        language = life.person.language
        basket: list[Product] = []
        product: Product | None = None
        if rng.random() < 0.3:
            tracker.track(moment, "Products Searched", {"query": pick(rng, wording.SEARCHES[language])})
            moment += int(rng.random() * 20 * SECOND) + SECOND
        for _ in range(views):
            product = browse(rng, life.person.persona, product)
            tracker.track(moment, "Product Viewed", product_properties(product, language))
            moment += int((4 + rng.random() * 80) * SECOND)
            if rng.random() < 0.16:
                basket.append(product)
                tracker.track(moment, "Product Added", product_properties(product, language) | {"quantity": 1})
                moment += int((2 + rng.random() * 15) * SECOND)
        if len(basket) > 1 and rng.random() < 0.15:
            tracker.track(moment, "Product Removed", product_properties(basket.pop(), language))
            moment += 5 * SECOND
        return moment, basket

    def check_out(self, moment: int, basket: list[Product]) -> int:
        """Go to the till with the basket; nearly half leave it there. Return the moment afterwards."""
        life, tracker, rng = self.life, self.tracker, self.life.rng
        if not basket or rng.random() < 0.45:
            return moment
        order = checkout(rng, basket, sale_percent(life.year.local(moment).date()))
        tracker.track(moment, "Checkout Started", {"value": order.total, "currency": "THB"})
        moment += int((30 + rng.random() * 240) * SECOND)
        if rng.random() < 0.42 or life.is_over(moment):
            return moment
        self._orders += 1
        order_id = f"{self._order_prefix}{self._orders:03d}"
        properties = order.properties(order_id, life.person.language) | {"order_url": f"{_ORDERS}{order_id}"}
        tracker.track(moment, "Order Completed", properties)
        life.orders.append((moment, order_id))
        self._after_order(moment, order_id, order.total, properties)
        return moment + 20 * SECOND

    def _after_order(self, moment: int, order_id: str, total: int, properties: Message) -> None:
        """Payment and parcel; refund or cancel one order in twenty; three buyers in ten say how it was."""
        life, tracker, rng = self.life, self.tracker, self.life.rng
        fate = rng.random()
        self._fulfil(moment, order_id, is_cancelled=fate < 0.015)
        if fate < 0.015:
            cancelled_at = moment + int(rng.random() * 5 * HOUR)
            if not life.is_over(cancelled_at):
                reason = {"order_id": order_id, "total": total, "currency": "THB"}
                tracker.track(cancelled_at, "Order Cancelled", reason)
            return
        if fate < 0.05:
            refunded_at = moment + int((3 + rng.random() * 11) * DAY)
            if not life.is_over(refunded_at):
                line = pick(rng, properties["products"])
                amount = min(total, line["price"] * line["quantity"])
                refund = {"order_id": order_id, "total": amount, "currency": "THB", "products": [line]}
                tracker.track(refunded_at, "Order Refunded", refund)
        if rng.random() < 0.3:
            answered_at = moment + int((4 + rng.random() * 9) * DAY)
            if not life.is_over(answered_at):
                tracker.track(
                    answered_at, "Survey Answered", survey(life, unhappy=fate < 0.05) | {"order_id": order_id}
                )

    def _fulfil(self, moment: int, order_id: str, *, is_cancelled: bool) -> None:
        """Paid at once, shipped within two days, delivered some days later; what is cancelled never leaves."""
        rng = Random(order_id)  # draws of its own: what follows an order changes nothing else in a life
        paid = {"order_id": order_id, "payment_method": pick(rng, wording.PAYMENTS)}
        self._track_in_time(moment + 20 * SECOND, "Order Paid", paid)
        if is_cancelled:
            return
        shipped_at = moment + int((6 + rng.random() * 36) * HOUR)
        parcel = f"TH{int(rng.random() * 10**10):010d}"
        shipment = {"order_id": order_id, "carrier": pick(rng, wording.CARRIERS), "tracking_number": parcel}
        self._track_in_time(shipped_at, "Order Fulfilled", shipment)
        self._track_in_time(shipped_at + int((1 + rng.random() * 3) * DAY), "Order Delivered", {"order_id": order_id})

    def _track_in_time(self, moment: int, event: str, properties: Message) -> None:
        if not self.life.is_over(moment):
            self.tracker.track(moment, event, properties)


class WebVisitor(Shopper):
    """A browser in the web shop, before and after its user has logged in."""

    def __init__(self, life: Life, accounts: Accounts) -> None:
        context = {"locale": _LOCALES[life.person.language], "channel": "browser"}
        tracker = Tracker(life.feeds.web, life.feeds.touchpoints, life.year, life.rng, context)
        super().__init__(life, tracker, f"WB{accounts.web_user[1:]}")
        server = {"channel": "server"}
        self.server = Tracker(
            life.feeds.web, life.feeds.touchpoints, life.year, life.rng, server, user_id=accounts.web_user
        )
        self.user = accounts.web_user
        self.seen_before_login: set[str] = set()
        self.answers = consents.answers(life.rng, consents.WEB_QUESTIONS) if self.user else ()
        self._devices = accounts.devices
        self._logged_in: set[str] = set()
        self._known_since = -1
        self._told_change = False

    @property
    def wants_mail(self) -> bool:
        """Whether the person ever allows marketing by e-mail."""
        end = self.life.year.end
        return consents.until(self.answers, "marketing", "email", -1, end) > 0

    def may_mail(self, moment: int) -> bool:
        """Return whether marketing by e-mail is allowed at a moment."""
        if self._known_since < 0 or moment <= self._known_since:
            return False
        return moment < consents.until(self.answers, "marketing", "email", self._known_since, self.life.year.end)

    def visit(self, moment: int, *, campaign: Message | None = None) -> None:
        """Visit the shop once: pages, products, perhaps an order; log in at the first visit of a device."""
        life, rng = self.life, self.life.rng
        device = self._devices[0] if len(self._devices) == 1 or rng.random() < 0.7 else self._devices[1]
        tracker = self._sit_down_at(device)
        if campaign:
            tracker.context = tracker.context | {"campaign": campaign}
        moment = self._enter(moment, device)
        if rng.random() < 0.6:
            tracker.page(moment, *(("Sale", "/sale") if campaign else pick(rng, wording.PAGES)))
            moment += int((3 + rng.random() * 20) * SECOND)
        moment, basket = self.look_around(moment, 1 + int(rng.random() ** 1.4 * 8))
        if tracker.user_id and not life.is_over(moment):
            self.check_out(moment, basket)

    def want_red_shoes(self, moment: int) -> None:
        """Look at red shoes five to eight times and put a pair into the basket, as in the segment that asks for it."""
        rng, language = self.life.rng, self.life.person.language
        device = self._devices[0]
        tracker = self._sit_down_at(device)
        if self.user:
            self._log_in(moment, device)
        moment += 30 * SECOND
        for _ in range(5 + int(rng.random() * 4)):
            tracker.track(moment, "Product Viewed", product_properties(pick(rng, RED_SHOES), language))
            moment += int((10 + rng.random() * 120) * SECOND)
        if rng.random() < 0.5:
            added = product_properties(pick(rng, RED_SHOES), language) | {"quantity": 1}
            tracker.track(moment, "Product Added", added)

    def stop_at_kiosk(self, moment: int) -> None:
        """Look something up on the store's tablet: first whoever stood there before, then this person, logged in."""
        life, rng = self.life, self.life.rng
        kiosk = Tracker(self.tracker.messages, self.tracker.touchpoints, life.year, rng, self.tracker.context, KIOSK)
        kiosk.track(moment - 4 * MINUTE, "Product Viewed", product_properties(browse(rng, "fashion", None), "th"))
        kiosk.user_id = self.user
        kiosk.identify(moment, {"language": life.person.language})
        product = browse(rng, life.person.persona, None)
        kiosk.track(moment + MINUTE, "Product Viewed", product_properties(product, life.person.language))

    def be_known(self, moment: int) -> None:
        """Let the shop's server introduce a user of earlier years."""
        self._introduce(self.server, moment)

    def _sit_down_at(self, device: Device) -> Tracker:
        self.tracker.anonymous_id = device.anonymous_id
        self.tracker.user_id = self.user if device.anonymous_id in self._logged_in else ""
        self.tracker.context = {"locale": _LOCALES[self.life.person.language], "channel": "browser"}
        return self.tracker

    def _enter(self, moment: int, device: Device) -> int:
        """Log in where that is due; return the moment afterwards."""
        if not self.user or device.anonymous_id in self._logged_in:
            if not self.user or (device.browses_first and self.life.rng.random() < 0.12):
                self.tracker.user_id = ""  # looks around without logging in
                self.seen_before_login.add(device.anonymous_id)
            else:
                self._tell_change(moment)
            return moment
        if device.browses_first:
            self.seen_before_login.add(device.anonymous_id)
            moment, _ = self.look_around(moment, 1 + int(self.life.rng.random() * 5))
        self._log_in(moment, device)
        return moment + 10 * SECOND

    def _log_in(self, moment: int, device: Device) -> None:
        self.tracker.user_id = self.user
        if device.anonymous_id in self._logged_in:
            return
        self._logged_in.add(device.anonymous_id)
        if self._known_since < 0:
            self._introduce(self.tracker, moment)
        else:  # a second device: the SDK joins it to the user, with nothing new about them
            self.tracker.identify(moment, {"language": self.life.person.language})

    def _introduce(self, tracker: Tracker, moment: int) -> None:
        """Send what the registration form asked, and the answers about consent."""
        life = self.life
        self._known_since = moment
        traits = web_traits(life.rng, life.person, life.surname(moment), life.phone(moment), life.address(moment))
        self._told_change = life.changed(moment)
        tracker.identify(moment, traits)
        if life.is_new:
            tracker.track(moment + SECOND, "Signed Up", {"method": "email"})
        consents.state(life, tracker, self.answers, moment + SECOND)

    def _tell_change(self, moment: int) -> None:
        """Update the account after a wedding, a new number or a move, as most do at their next visit."""
        life, change = self.life, self.life.person.change
        if self._told_change or not life.changed(moment) or change is None:
            return
        self._told_change = True
        if life.rng.random() > 0.65:
            return
        if change.surname:
            script = change.surname.thai if life.person.language == "th" else change.surname.latin
            self.tracker.identify(moment, {"lastName": script})
        elif change.phone:
            self.tracker.identify(moment, {"phone": change.phone})
        elif change.address:
            self.tracker.identify(moment, {"address": address_traits(change.address, life.person.language)})


class AppUser(Shopper):
    """The company's app on one phone; its user is logged in from the installation on."""

    def __init__(self, life: Life, accounts: Accounts) -> None:
        phone = "ios" if life.rng.random() < 0.45 else "android"
        context = {"locale": _LOCALES[life.person.language], "device": {"type": phone}}
        tracker = Tracker(
            life.feeds.app,
            life.feeds.touchpoints,
            life.year,
            life.rng,
            context,
            anonymous_id=accounts.app_install,
            user_id=accounts.app_user,
        )
        super().__init__(life, tracker, f"AP{accounts.app_user}")
        self.answers = consents.answers(life.rng, consents.APP_QUESTIONS)
        self._known_since = -1
        self._told_change = False

    def visit(self, moment: int) -> None:
        """Open the app once."""
        life, tracker, rng = self.life, self.tracker, self.life.rng
        if self._known_since < 0:
            self._introduce(moment)
            moment += 20 * SECOND
        elif life.changed(moment) and not self._told_change and life.person.change and life.person.change.phone:
            self._told_change = True
            tracker.identify(moment, {"phone": f"+66{life.person.change.phone[1:]}"})
        if rng.random() < 0.18 and moment < consents.until(
            self.answers, "marketing", "push", self._known_since, life.year.end
        ):
            tracker.track(moment, "Push Notification Tapped", {"campaign": "app-only-deal"})
        tracker.track(moment, "Application Opened", {"version": "5.2.1"})
        moment += 2 * SECOND
        for _ in range(1 + int(rng.random() * 3)):
            tracker.screen(moment, pick(rng, wording.SCREENS[life.person.language]))
            moment += int((3 + rng.random() * 25) * SECOND)
        moment, basket = self.look_around(moment, int(rng.random() * 6))
        if not life.is_over(moment):
            self.check_out(moment, basket)

    def _introduce(self, moment: int) -> None:
        life = self.life
        self._known_since = moment
        self._told_change = life.changed(moment)
        traits = app_traits(life.rng, life.person, life.surname(moment), life.phone(moment))
        self.tracker.identify(moment, traits)
        if life.is_new:
            self.tracker.track(moment + SECOND, "Application Installed", {"version": "5.2.1"})
        consents.state(life, self.tracker, self.answers, moment + 2 * SECOND)


def survey(life: Life, *, unhappy: bool) -> Message:
    """Return the answer to "how likely are you to recommend us", in the person's language."""
    rng, language = life.rng, life.person.language
    score = int(rng.random() * 7) if unhappy or rng.random() < 0.14 else 7 + int(rng.random() ** 0.8 * 4)
    mood = 0 if score <= 6 else 1 if score <= 8 else 2
    return {
        "survey": "nps",
        "score": score,
        "reason": pick(rng, wording.SURVEY_REASONS),
        "comment": pick(rng, wording.SURVEY_COMMENTS[mood][language]),
        "language": language,
    }
