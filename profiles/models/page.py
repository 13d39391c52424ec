"""How each member of staff has arranged the customer's page."""

from typing import ClassVar

from django.db import models

from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, Classification


class PanelPlace(models.Model):
    """One row: a user moved or folded a panel of the customer's page. Written on that page; a panel without a row
    stands where it was registered, open. Goes with the user."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}
    LAST: ClassVar = 32_767  # greater than any position

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    panel = models.SlugField(max_length=40)
    position = models.PositiveSmallIntegerField(null=True)  # within its column; null: as registered
    is_folded = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "panel"], name="panel_place_once")]
