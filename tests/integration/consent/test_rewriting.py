"""Tables that are written anew."""

import pytest
from django.db import connection

from consent.erasure import rewriting
from ingestion.models import Source
from tests.customers import Tell, track


@pytest.mark.django_db(transaction=True)
def test_touchpoints_are_left_in_the_order_of_their_kind_and_time(tell: Tell, web_shop: Source) -> None:
    for number, hours in enumerate((3, 1, 4, 2)):
        tell(
            web_shop, track(f"u{number}", "Product Viewed", hours=hours), track(f"u{number}", "Signed Up", hours=hours)
        )

    assert rewriting.write_anew("profiles_touchpoint")

    with connection.cursor() as cursor:
        cursor.execute("SELECT type_id, occurred_at FROM profiles_touchpoint ORDER BY ctid")
        rows = cursor.fetchall()
    assert len(rows) == 8
    assert rows == sorted(rows)
