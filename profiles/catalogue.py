"""The catalogue: products by their numbers, and the words for what they are, so that Red is แดง.

Products come by a feed (messages with `cdp.product`), or are discovered from order lines until one comes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from ingestion.normalise.text import clean
from profiles import signals
from profiles.models import OrderLine, Product, Synonym, Term
from profiles.orders import CENT, GREATEST, web_address

LONGEST_WORD = 120
NAME = "name"  # the attribute whose words are other names of one product

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def fold(text: str) -> str:
    """The form in which two spellings of a word are compared: tidied, without regard to case."""
    return clean(text).lower()


# --- products -----------------------------------------------------------------------------------------------------


class ProductProblem(Exception):
    """A product that cannot be used: `detail` names the field and what was expected, never a value."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class StatedProduct:
    """What one message says about one product."""

    namespace: str
    sku: str
    name: str
    name_th: str
    category: str
    price: Decimal | None
    currency: str
    attributes: Mapping[str, Any]
    url: str
    synonyms: Mapping[str, Sequence[str]]
    version_at: datetime
    operation_id: UUID | None = None


def read(stated: Mapping[str, Any], *, namespace: str, at: datetime, operation_id: UUID | None = None) -> StatedProduct:
    """A product out of a message's `cdp.product`; `namespace` is the source's, unless it names one. `synonyms` are
    other words for its attributes, or a list of other names of its own. Raises ProductProblem."""
    sku = _text(stated.get("sku"), LONGEST_WORD)
    if not sku:
        raise ProductProblem("product.sku is required")
    attributes = stated.get("attributes") or {}
    synonyms = stated.get("synonyms") or {}
    if isinstance(synonyms, list):
        synonyms = {NAME: synonyms}
    if not isinstance(attributes, dict) or not isinstance(synonyms, dict):
        raise ProductProblem("product.attributes and product.synonyms: expected objects")
    return StatedProduct(
        namespace=_text(stated.get("namespace"), 50) or namespace,
        sku=sku,
        name=_text(stated.get("name"), 200),
        name_th=_text(stated.get("name_th"), 200),
        category=_text(stated.get("category"), LONGEST_WORD),
        price=_price(stated.get("price")),
        currency=_text(stated.get("currency"), 3).upper(),
        attributes=attributes,
        url=web_address(stated.get("url")),
        synonyms={
            str(name): [str(one) for one in values] for name, values in synonyms.items() if isinstance(values, list)
        },
        version_at=at,
        operation_id=operation_id,
    )


def _text(value: Any, longest: int) -> str:
    return "" if value is None or isinstance(value, dict | list | bool) else clean(str(value))[:longest]


def _price(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        price = Decimal(str(value).replace(",", "")) if isinstance(value, str | int | float) else None
    except InvalidOperation:
        price = None
    if price is None or isinstance(value, bool) or not price.is_finite() or abs(price) >= GREATEST / 1000:
        raise ProductProblem("product.price: expected a number")
    return price.quantize(CENT)


# How many it says anything else of than before.
_UPSERT = """
WITH told AS MATERIALIZED (
SELECT * FROM json_to_recordset(%s::json) AS t(
       namespace text, sku text, name text, name_th text, category text, price numeric, currency text,
       attributes jsonb, url text, version_at timestamptz, operation_id uuid)
), before AS MATERIALIZED (
SELECT p.namespace, p.sku, p.name, p.name_th, p.category, p.attributes
  FROM profiles_product p JOIN told USING (namespace, sku)
), written AS (
INSERT INTO profiles_product AS p (namespace, sku, name, name_th, category, price, currency, attributes, url,
                                   is_discovered, version_at, operation_id)
SELECT namespace, sku, name, name_th, category, price, currency, attributes, url, false, version_at, operation_id
  FROM told
 ORDER BY namespace, sku
    ON CONFLICT (namespace, sku) DO UPDATE SET
       name = EXCLUDED.name, name_th = EXCLUDED.name_th, category = EXCLUDED.category, price = EXCLUDED.price,
       currency = EXCLUDED.currency, attributes = EXCLUDED.attributes, url = EXCLUDED.url, is_discovered = false,
       version_at = EXCLUDED.version_at, operation_id = EXCLUDED.operation_id
 WHERE p.is_discovered OR EXCLUDED.version_at >= p.version_at
RETURNING p.namespace, p.sku, p.name, p.name_th, p.category, p.attributes
)
SELECT count(*) FROM written w LEFT JOIN before b USING (namespace, sku)
 WHERE (w.name, w.name_th, w.category, w.attributes) IS DISTINCT FROM (b.name, b.name_th, b.category, b.attributes)
"""


def upsert(products: Iterable[StatedProduct]) -> None:
    """Write products; the newest word about each wins. One statement, and two for each attribute with synonyms that are
    known, four where some are new. What is another now is told once (`signals.products_told`)."""
    newest: dict[tuple[str, str], StatedProduct] = {}
    for product in sorted(products, key=lambda one: one.version_at):
        newest[product.namespace, product.sku] = product
    if not newest:
        return
    rows = [
        {name: getattr(newest[key], name) for name in StatedProduct.__slots__ if name != "synonyms"}
        for key in sorted(newest)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [_ENCODER.encode(rows).decode()])
        has_changed = cursor.fetchone()[0] > 0
    learned = frozenset(attribute for product in newest.values() for attribute in _learn(product))
    if has_changed or learned:
        signals.products_told.send(sender=None, has_changed=has_changed, attributes=learned)


def _learn(product: StatedProduct) -> Iterator[str]:
    """The other words that a feed gives for a product's attributes, unless somebody has already said what they mean.
    Yields the attributes that had not all of them."""
    for attribute, words in product.synonyms.items():
        value = product.name or product.name_th if attribute == NAME else product.attributes.get(attribute)
        if isinstance(value, str) and clean(value) and len(attribute) <= 50:
            term = _term_of(attribute, value)
            if _add_spellings(term, [value, *words]):
                yield attribute


def _term_of(attribute: str, value: str) -> Term:
    known = Synonym.objects.filter(attribute=attribute, folded=fold(value)).select_related("term").first()
    if known is not None:
        found: Term = known.term
        return found
    return Term.objects.get_or_create(attribute=attribute, label=clean(value)[:LONGEST_WORD])[0]


def _add_spellings(term: Term, words: Iterable[str]) -> bool:
    """Whether any of them was new."""
    texts: dict[str, str] = {}
    for word in words:
        if text := clean(word)[:LONGEST_WORD]:
            texts.setdefault(fold(text), text)
    known = Synonym.objects.filter(attribute=term.attribute, folded__in=texts).values_list("folded", flat=True)
    new = texts.keys() - set(known)
    Synonym.objects.bulk_create(
        [
            Synonym(term=term, attribute=term.attribute, text=text, folded=folded)
            for folded, text in texts.items()
            if folded in new
        ],
        ignore_conflicts=True,
    )
    return bool(new)


_DISCOVER = """
INSERT INTO profiles_product (namespace, sku, name, name_th, category, price, currency, attributes, url,
                              is_discovered, version_at)
SELECT DISTINCT ON (s.slug, l.sku)
       s.slug, l.sku, l.name, '', l.category, l.unit_price, o.currency,
       CASE WHEN l.color = '' THEN '{}'::jsonb ELSE jsonb_build_object('color', l.color) END, '', true, l.version_at
  FROM profiles_orderline l
  JOIN profiles_order o ON o.id = l.order_id
  JOIN ingestion_source s ON s.id = o.source_id
 WHERE l.sku <> '' AND l.id > %s
 ORDER BY s.slug, l.sku, l.version_at DESC, l.id DESC
    ON CONFLICT (namespace, sku) DO NOTHING
"""
DISCOVERED_AT_ONCE = 200_000  # order lines looked at in one run, the newest


@transaction.atomic
def discover() -> int:
    """A chore: products that only order lines know. Returns how many are new."""
    newest = OrderLine.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with connection.cursor() as cursor:
        cursor.execute(_DISCOVER, [newest - DISCOVERED_AT_ONCE])
        found: int = cursor.rowcount
    if found:
        signals.products_told.send(sender=None, has_changed=True, attributes=frozenset())
    return found


# --- words --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Words:
    """Names in the reader's language; "" for an unknown product, the text itself for an unknown word."""

    products: Mapping[tuple[str, str], str] = field(default_factory=dict)
    terms: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def product(self, namespace: str, sku: str) -> str:
        return self.products.get((namespace, sku), "")

    def term(self, attribute: str, text: str) -> str:
        return self.terms.get((attribute, fold(text)), text)


def words_of_lines(lines: Mapping[str, Collection[OrderLine]]) -> Words:
    """The words for order lines by the short name of their source. Two queries."""
    numbers = {(slug, line.sku) for slug, of_source in lines.items() for line in of_source if line.sku}
    products = Product.objects.filter(
        namespace__in={slug for slug, _sku in numbers}, sku__in={sku for _slug, sku in numbers}
    )
    spoken = {fold(text) for of_source in lines.values() for line in of_source for text in (line.color, line.category)}
    synonyms = Synonym.objects.filter(attribute__in=("color", "category"), folded__in=spoken).select_related("term")
    return Words(
        products={
            (product.namespace, product.sku): str(product)
            for product in products
            if (product.namespace, product.sku) in numbers and (product.name or product.name_th)
        },
        terms={(synonym.attribute, synonym.folded): str(synonym.term) for synonym in synonyms},
    )


def words_of_products(products: Iterable[Product]) -> Words:
    """The words for products' categories and attributes. One query."""
    spoken = {
        (attribute, fold(str(value)))
        for product in products
        for attribute, value in [("category", product.category), *product.attributes.items()]
    }
    synonyms = Synonym.objects.filter(
        attribute__in={attribute for attribute, _text in spoken}, folded__in={text for _attribute, text in spoken}
    ).select_related("term")
    return Words(terms={(synonym.attribute, synonym.folded): str(synonym.term) for synonym in synonyms})


def spellings_of(words: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """(attribute, text) → every spelling of what it means, for the words that have several. One query.

    ("color", "red") → ("Red", "แดง", "สีแดง")
    """
    folded = {(attribute, text): fold(text) for attribute, text in words}
    means = Synonym.objects.filter(
        attribute__in={attribute for attribute, _text in words}, folded__in=set(folded.values())
    ).values("term")
    by_term: dict[int, list[Synonym]] = defaultdict(list)
    for synonym in Synonym.objects.filter(term__in=means):
        by_term[synonym.term_id].append(synonym)
    found = {
        (one.attribute, one.folded): tuple(other.text for other in together)
        for together in by_term.values()
        for one in together
    }
    return {key: found[key[0], text] for key, text in folded.items() if (key[0], text) in found}


def spellings(attribute: str, text: str) -> tuple[str, ...]:
    """Every spelling of what a text means, itself included. One query."""
    return spellings_of([(attribute, text)]).get((attribute, text), (text,))


@dataclass(frozen=True, slots=True)
class UnknownWord:
    """A value that products or order lines have and no term explains, with how many have it."""

    attribute: str
    text: str
    count: int

    @property
    def query(self) -> str:
        """The word in an address: of a product, never of a person."""
        return urlencode({"attribute": self.attribute, "text": self.text})


_UNKNOWN = """
SELECT v.attribute, min(v.text), count(*)
  FROM (SELECT 'color' AS attribute, color AS text FROM profiles_orderline WHERE color <> ''
         UNION ALL SELECT 'category', category FROM profiles_orderline WHERE category <> ''
         UNION ALL SELECT a.key, a.value FROM profiles_product p, jsonb_each_text(p.attributes) a
          WHERE length(a.value) BETWEEN 1 AND 120 AND length(a.key) <= 50) v
 WHERE NOT EXISTS (SELECT 1 FROM profiles_synonym s WHERE s.attribute = v.attribute AND s.folded = lower(trim(v.text)))
 GROUP BY v.attribute, lower(trim(v.text))
 ORDER BY count(*) DESC, 1, 2
 LIMIT %s
"""


def unknown_words(most: int = 30) -> list[UnknownWord]:
    """The commonest ones first. One query over all order lines and products."""
    with connection.cursor() as cursor:
        cursor.execute(_UNKNOWN, [most])
        return [UnknownWord(*row) for row in cursor.fetchall()]


def find_term(term_id: int) -> Term | None:
    """With its synonyms. Two queries."""
    found: Term | None = Term.objects.prefetch_related("synonyms").filter(pk=term_id).first()
    return found


@transaction.atomic
def save_term(
    *, term: Term | None, attribute: str, label: str, label_th: str, spellings: Iterable[str], by: User
) -> Term:
    """Say what words mean the same. Raises MendableError, ConflictProblem when a word means something else already."""
    attribute, label, label_th = attribute.strip().lower(), clean(label), clean(label_th)
    if not label:
        raise MendableError(_("A word needs a name."), field="label")
    if not attribute.replace("_", "").isalnum() or not attribute.isascii() or len(attribute) > 50:
        raise MendableError(_("An attribute has small Latin letters, digits and _, as color."), field="attribute")
    texts = list(dict.fromkeys(text for word in (label, label_th, *spellings) if (text := clean(word))))
    if any(len(text) > LONGEST_WORD for text in texts):
        raise MendableError(_("A word has at most 120 characters."), field="spellings")
    taken = Synonym.objects.filter(attribute=attribute, folded__in={fold(text) for text in texts})
    if term is not None:
        taken = taken.exclude(term=term)
    if other := taken.select_related("term").first():
        raise ConflictProblem(
            _("“%(word)s” already means “%(term)s”.") % {"word": other.text, "term": other.term},
            field="spellings",
            hint=_("Take it away there first."),
        )
    saved = term or Term()
    attributes = frozenset({attribute, saved.attribute} - {""})
    saved.attribute, saved.label, saved.label_th = attribute, label, label_th
    saved.save()
    saved.synonyms.all().delete()
    _add_spellings(saved, texts)
    signals.words_said.send(sender=None, attributes=attributes)
    audit.record(action="catalogue.term", target=saved, by=by, fields=["label", "label_th", "synonyms"])
    return saved


@transaction.atomic
def remove_term(*, term: Term, by: User) -> None:
    """The words mean only themselves again."""
    audit.record(action="catalogue.term_removed", target=term, by=by)
    term.delete()
    signals.words_said.send(sender=None, attributes=frozenset({term.attribute}))
