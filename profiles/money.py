"""What amounts are worth in the company's currency: each at the rate of the day on which it was paid."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Case, DateField, DecimalField, OuterRef, Subquery, Value, When
from django.db.models.functions import TruncDate

from profiles.models import ExchangeRate

CENT = Decimal("0.01")


def with_rate(orders: Any) -> Any:
    """Orders annotated with `rate`: of their currency on the day of the order; None where no rate is known by then."""
    known = ExchangeRate.objects.filter(currency=OuterRef("currency"), valid_from__lte=OuterRef("placed_on"))
    return orders.annotate(
        placed_on=TruncDate("placed_at", output_field=DateField()),
        rate=Case(
            When(currency=settings.COMPANY_CURRENCY, then=Value(Decimal(1))),
            default=Subquery(known.order_by("-valid_from").values("rate")[:1]),
            output_field=DecimalField(max_digits=14, decimal_places=6),
        ),
    )
