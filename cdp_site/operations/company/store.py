"""The stores: cards, receipts and returns, as the tills export them."""

from __future__ import annotations

from cdp_site.operations.company.accounts import Card
from cdp_site.operations.company.catalogue import Product
from cdp_site.operations.company.draws import pick
from cdp_site.operations.company.feeds import Row
from cdp_site.operations.company.life import Life
from cdp_site.operations.company.shopping import Basket, Line, browse, checkout
from cdp_site.operations.company.spelling import (
    buddhist_day,
    email_as_typed,
    keyed_name,
    masked,
    phone_as_keyed,
    thai_date,
)
from cdp_site.operations.company.year import DAY, sale_percent

#: Thai civil servants' abbreviation for what the till prints.
SALE, RETURN = "ขาย", "คืน"

#: The tills write Thai and ASCII only (TIS-620).
_ASCII = str.maketrans({"ü": "u", "’": "'"})


class StoreCustomer:
    """A person with one card of the stores, or with two of which the second was filled in again."""

    def __init__(self, life: Life, cards: tuple[Card, ...]) -> None:
        self.life = life
        self._cards = cards
        self._receipts = 0
        for card in cards:
            life.feeds.members.append((life.first_day * DAY, _member_row(life, card)))

    def buy(self, moment: int) -> None:
        """Buy something at the till; one receipt in thirty comes back within two weeks."""
        life, rng = self.life, self.life.rng
        card = pick(rng, self._cards)
        products: list[Product] = []
        for _ in range(1 + int(rng.random() ** 2 * 4)):
            products.append(browse(rng, life.person.persona, products[-1] if products else None))
        basket = checkout(rng, products, sale_percent(life.year.local(moment).date()))
        self._receipts += 1
        receipt = f"{card.store[0]}{card.code[1:]}{self._receipts:02d}"
        self._print(moment, card, receipt, basket, SALE)
        life.orders.append((moment, receipt))
        returned_at = moment + int((1 + rng.random() * 13) * DAY)
        if rng.random() < 0.033 and not life.is_over(returned_at):
            self._print(returned_at, card, receipt, Basket(basket.lines[:1], "", 0), RETURN)

    def _print(self, moment: int, card: Card, receipt: str, basket: Basket, kind: str) -> None:
        """Append one row for each line of the receipt, and count one touchpoint for the whole."""
        life = self.life
        local = life.year.local(moment)
        date, time = buddhist_day(local.date()), f"{local:%H:%M}"
        coupon_left = basket.discount
        for number, line in enumerate(basket.lines, 1):
            coupon_part = min(coupon_left, line.price * line.quantity)
            coupon_left -= coupon_part
            row = _sale_row(line, number, coupon_part, basket.coupon)
            life.feeds.sales.append((moment, (receipt, str(number), kind, date, time, card.store[1], card.code, *row)))
        life.feeds.touchpoints["Order Completed" if kind == SALE else "Order Refunded"] += 1


def _sale_row(line: Line, number: int, coupon_part: int, coupon: str) -> Row:
    """Return the columns of a receipt's line from the product's code on; ``number`` is the line's place.

    The discount is the day's reduction and the coupon's part together, in baht for the whole line.
    """
    product = line.product
    return (
        product.sku,
        product.name.thai,
        product.category.thai,
        product.color.thai,
        str(line.quantity),
        f"{line.price}.00",
        f"{line.list_price}.00",
        f"{(line.list_price - line.price) * line.quantity + coupon_part}.00",
        coupon if number == 1 else "",
    )


def _member_row(life: Life, card: Card) -> Row:
    """Return the card's row of the members' file, as the cashier keyed it in."""
    rng, person = life.rng, life.person
    title, given, surname = keyed_name(rng, person, life.surname(0))
    if card.keyed_badly:
        title, given, surname = keyed_name(rng, person, life.surname(0))
    name = f"{title}{given} {surname}".strip()
    if rng.random() < 0.012:
        name = masked(name)
    address = life.address(0)
    has_address = rng.random() < 0.55
    registered = life.year.date(min(person.joined_day, 0) if person.joined_day < 0 else life.first_day)
    return tuple(
        text.translate(_ASCII)
        for text in (
            card.code,
            name,
            phone_as_keyed(rng, person.phone) if rng.random() < 0.9 else "",
            email_as_typed(rng, person.email) if rng.random() < 0.35 else "",
            thai_date(rng, person.birth_date) if rng.random() < 0.7 else "",
            address.street("th") if has_address else "",
            address.district.thai if has_address else "",
            address.district.province_thai,
            address.district.postcode if has_address else "",
            card.member_id,
            person.citizen_id if rng.random() < 0.08 else "",
            buddhist_day(registered),
            _cell(rng.random(), 0.3, 0.55),
            _cell(rng.random(), 0.2, 0.35),
        )
    )


def _cell(draw: float, yes: float, answered: float) -> str:
    """Return what stands in a consent column: Y, N, or nothing where nobody asked."""
    return "Y" if draw < yes else "N" if draw < answered else ""
