"""The list of products: a page by key, narrowed by a text and a category."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdp_site.core.models import User
from profiles import catalogue
from profiles.models import Product

PAGE_SIZE = 50
LONGEST_SEARCH = 100
MOST_CATEGORIES = 100


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader wants to see; "" is everything. `after` is the last product of the page before."""

    text: str = ""
    category: str = ""
    after: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        after = query.get("after", "")
        return cls(
            text=query.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH],
            category=query.get("category", "").replace("\0", "")[: catalogue.LONGEST_WORD],
            after=int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None,
        )

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.category)


@dataclass(frozen=True, slots=True)
class Row:
    """A product; `attributes` are pairs of a name and a word in the reader's language."""

    product: Product
    category: str
    attributes: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row]
    categories: Sequence[str]
    next: int | None


def page(*, by: User, filters: Filters, size: int = PAGE_SIZE) -> Page:
    """Products in the order in which they became known. Three queries."""
    visible = Product.objects.visible_to(by)
    products = visible.of_category(filters.category).with_words(filters.text).order_by("pk")
    if filters.after is not None:
        products = products.filter(pk__gt=filters.after)
    found = list(products[: size + 1])
    shown = found[:size]
    words = catalogue.words_of_products(shown)
    categories = visible.exclude(category="").values_list("category", flat=True).order_by("category").distinct()
    return Page(
        rows=[
            Row(
                product=product,
                category=words.term("category", product.category),
                attributes=[(name, words.term(name, str(value))) for name, value in sorted(product.attributes.items())],
            )
            for product in shown
        ],
        categories=list(categories[:MOST_CATEGORIES]),
        next=shown[-1].pk if len(found) > size else None,
    )
