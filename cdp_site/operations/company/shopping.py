"""Baskets and prices: what somebody looks at, and what an order comes to."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from cdp_site.operations.company.catalogue import PERSONAS, Product
from cdp_site.operations.company.draws import pick, pick_by_total
from cdp_site.operations.company.feeds import Message
from cdp_site.operations.company.wording import COUPONS

#: Worth of each coupon: baht off the order, or percent of it when below 1.
_COUPON_WORTH = {"WELCOME100": 100.0, "PAYDAY10": 0.1, "LINE50": 50.0, "HOME500": 500.0, "FREESHIP": 0.0}
_HOME_COUPON_FROM = 5_000


@dataclass(frozen=True, slots=True)
class Line:
    """One product of an order; ``price`` paid and ``list_price`` are whole baht a piece."""

    product: Product
    quantity: int
    price: int
    list_price: int

    def properties(self, language: str, number: int) -> Message:
        """Return the line as a product of Segment's e-commerce events; ``number`` is its place in the order."""
        return {
            "line_id": str(number),
            **product_properties(self.product, language),
            "quantity": self.quantity,
            "price": self.price,
            "list_price": self.list_price,
            "discount": (self.list_price - self.price) * self.quantity,
        }


@dataclass(frozen=True, slots=True)
class Basket:
    """What an order holds. ``discount`` is what the coupon takes off the order, in whole baht."""

    lines: tuple[Line, ...]
    coupon: str
    discount: int

    @property
    def total(self) -> int:
        """What is paid, in whole baht."""
        return max(0, sum(line.price * line.quantity for line in self.lines) - self.discount)

    def properties(self, order_id: str, language: str) -> Message:
        """Return the order as properties of Segment's `Order Completed`."""
        properties: Message = {
            "order_id": order_id,
            "total": self.total,
            "currency": "THB",
            "products": [line.properties(language, number) for number, line in enumerate(self.lines, 1)],
        }
        if self.coupon:
            properties |= {"coupon": self.coupon, "discount": self.discount}
        return properties


def product_properties(product: Product, language: str) -> Message:
    """Return a product as Segment's e-commerce events name it, in the shop's language."""
    return {
        "product_id": product.product_id,
        "sku": product.sku,
        "name": product.name.of(language),
        "category": product.category.of(language),
        "color": product.color.of(language),
        "price": product.price,
    }


def browse(rng: Random, persona: str, previous: Product | None) -> Product:
    """Return the next product somebody looks at: mostly of the category just seen."""
    _, assortment = PERSONAS[persona]
    product = pick_by_total(rng, assortment.products, assortment.totals)
    if previous is None or product.category is previous.category or rng.random() < 0.45:
        return product
    alike = pick_by_total(rng, assortment.products, assortment.totals)
    return alike if alike.category is previous.category else product


def checkout(rng: Random, products: list[Product], sale_percent: int) -> Basket:
    """Return the basket of these products at the day's prices, with a coupon in a quarter of the cases."""
    lines = []
    for product in dict.fromkeys(products):
        price = product.price * (100 - sale_percent) // 100
        quantity = 1 if product.price > 5_000 or rng.random() < 0.8 else 2 + int(rng.random() * 3)
        lines.append(Line(product, quantity, price, product.price))
    coupon, discount = "", 0
    if rng.random() < 0.24:
        subtotal = sum(line.price * line.quantity for line in lines)
        coupon = pick(rng, COUPONS)
        if coupon == "HOME500" and subtotal < _HOME_COUPON_FROM:
            coupon = "WELCOME100"
        worth = _COUPON_WORTH[coupon]
        discount = int(subtotal * worth) if worth < 1 else min(int(worth), subtotal)
    return Basket(tuple(lines), coupon, discount)
