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
    slip,
    thai_date,
)
from cdp_site.operations.company.year import DAY, Year, sale_percent

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
        life.feeds.sales.extend((moment, row) for row in receipt_rows(life.year, moment, receipt, card, basket))
        life.feeds.touchpoints["Order Completed"] += 1
        life.orders.append((moment, receipt))
        returned_at = moment + int((1 + rng.random() * 13) * DAY)
        if rng.random() < 0.033 and not life.is_over(returned_at):
            line = basket.lines[0]
            amount = min(basket.total, line.price * line.quantity)
            when = till_time(life.year, returned_at)
            row = (receipt, when, card.store[1], card.code, line.product.sku, f"{amount}.00")
            life.feeds.returns.append((returned_at, row))
            life.feeds.touchpoints["Order Refunded"] += 1


def receipt_rows(year: Year, moment: int, receipt: str, card: Card, basket: Basket) -> list[Row]:
    """Return one row for each line of a receipt; the till repeats the receipt's total on every line."""
    when = till_time(year, moment)
    rows = []
    coupon_left = basket.discount
    for number, line in enumerate(basket.lines, 1):
        coupon_part = min(coupon_left, line.price * line.quantity)
        coupon_left -= coupon_part
        head = (receipt, str(number), when, card.store[1], card.code)
        rows.append((*head, *_line_cells(line), basket.coupon, f"{coupon_part}.00", f"{basket.total}.00"))
    return rows


def till_time(year: Year, moment: int) -> str:
    """Return a moment as the till writes it: 27/09/2569 14:05."""
    local = year.local(moment)
    return f"{buddhist_day(local.date())} {local:%H:%M}"


def _line_cells(line: Line) -> Row:
    """Return a receipt's line from the product's code to the day's reduction, in baht for the whole line."""
    product = line.product
    return (
        product.sku,
        product.name.thai,
        product.category.thai,
        product.color.thai,
        str(line.quantity),
        f"{line.price}.00",
        f"{line.list_price}.00",
        f"{(line.list_price - line.price) * line.quantity}.00",
    )


def _member_row(life: Life, card: Card) -> Row:
    """Return the card's row of the members' file, as the cashier keyed it in."""
    rng, person = life.rng, life.person
    title, given, surname = keyed_name(rng, person, life.surname(0))
    if card.keyed_badly:
        given, surname = slip(rng, given, 0.5), slip(rng, surname, 0.5)
    name = f"{title}{given} {surname}".strip()
    if rng.random() < 0.012:
        name = masked(name)
    address = life.address(0)
    has_address = rng.random() < 0.55
    registered = life.year.date(person.joined_day)
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
            buddhist_day(registered),
            _cell(rng.random(), 0.3, 0.55),
            _cell(rng.random(), 0.2, 0.35),
        )
    )


def _cell(draw: float, yes: float, answered: float) -> str:
    """Return what stands in a consent column: Y, N, or nothing where nobody asked."""
    return "Y" if draw < yes else "N" if draw < answered else ""
