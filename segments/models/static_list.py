"""Lists of customers that were uploaded."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import Department, User
from cdp_site.core.personal_data import NONE, PSEUDONYMOUS, Classification
from profiles.models import SourceRecord
from segments.querysets_lists import StaticListQuerySet


class StaticList(models.Model):
    """One row: a list of customers by their numbers or addresses, as somebody uploaded it. A condition of segments.
    Written by `segments.lists.keeping`; what was uploaded is not kept, only whom it led to."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=120)
    department = models.ForeignKey(
        Department, verbose_name=_("department"), null=True, blank=True, on_delete=models.PROTECT
    )
    n_given = models.PositiveIntegerField(default=0)  # different ids in all uploads since it was last begun anew
    n_found = models.PositiveIntegerField(default=0)  # of these, those that led to one customer
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = StaticListQuerySet.as_manager()

    class Meta:
        verbose_name = _("list")
        verbose_name_plural = _("lists")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["department", "name"], name="static_list_name", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def n_not_found(self) -> int:
        return self.n_given - self.n_found


class StaticListMember(models.Model):
    """One row: a record is on a list. The member is the customer to whom the record belongs at the moment, so that a
    merge and its end need nothing. Goes with the list and with the record."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "record": PSEUDONYMOUS}

    list = models.ForeignKey(StaticList, on_delete=models.CASCADE, db_index=False, related_name="members")
    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["list", "record"], name="static_list_member_once")]
