"""What the company sells, in which words, and what its currencies are worth."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cdp_site.core.personal_data import NONE, Classification
from profiles.querysets import ProductQuerySet


class Product(models.Model):
    """One row: a product under the number of one source. Written by the digest from a product feed, or discovered
    from order lines until a feed tells more."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.BigAutoField(primary_key=True)
    namespace = models.SlugField()  # the source's short name, or what the feed names; two shops may share a number
    sku = models.CharField(max_length=120)
    name = models.CharField(max_length=200, blank=True)
    name_th = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=120, blank=True)
    price = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    attributes = models.JSONField(default=dict)  # {"color": "Red", …} as the source writes them
    url = models.CharField(max_length=500, blank=True)  # http or https
    is_discovered = models.BooleanField(default=False)  # from order lines; the first word of a feed replaces it
    version_at = models.DateTimeField()  # source's clock
    operation_id = models.UUIDField(null=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["namespace", "sku"], name="product_sku")]
        indexes: ClassVar = [
            models.Index(fields=["category", "id"], name="product_of_category"),
            # the search box of the catalogue
            GinIndex(
                name="product_words",
                fields=["name", "name_th", "sku"],
                opclasses=["gin_trgm_ops", "gin_trgm_ops", "gin_trgm_ops"],
            ),
        ]

    def __str__(self) -> str:
        in_language = (self.name_th, self.name) if get_language() == "th" else (self.name, self.name_th)
        return next((name for name in in_language if name), self.sku)


class Term(models.Model):
    """One row: a value that products have, e.g. the colour red, with its names. Written on the catalogue's page."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    attribute = models.SlugField(_("attribute"))  # the property of an event or of a product: color, category, …
    label = models.CharField(_("name"), max_length=120)
    label_th = models.CharField(_("name in Thai"), max_length=120, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["attribute", "label"], name="term_once")]
        ordering: ClassVar = ["attribute", "label"]

    def __str__(self) -> str:
        return self.label_th if get_language() == "th" and self.label_th else self.label


class Synonym(models.Model):
    """One row: a spelling of a term, its names included; folded (profiles.catalogue.fold), so that each spelling of
    an attribute means one thing."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    term = models.ForeignKey(Term, on_delete=models.CASCADE, related_name="synonyms")
    attribute = models.SlugField()
    text = models.CharField(max_length=120)
    folded = models.CharField(max_length=120)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["attribute", "folded"], name="synonym_means_one")]
        ordering: ClassVar = ["id"]


class ExchangeRate(models.Model):
    """One row: what a unit of a currency is worth in the company's, from a day on. Written in the admin."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    currency = models.CharField(_("currency"), max_length=3, help_text=_("Three letters, as USD."))
    valid_from = models.DateField(_("from"))
    rate = models.DecimalField(
        _("rate"),
        max_digits=14,
        decimal_places=6,
        help_text=_("What one unit is worth in the company's currency."),
    )

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        ordering: ClassVar = ["currency", "-valid_from"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["currency", "valid_from"], name="exchange_rate_of_day"),
            models.CheckConstraint(name="exchange_rate_positive", condition=models.Q(rate__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.valid_from:%Y-%m-%d}"
