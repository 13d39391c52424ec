"""Named queries over the words of names."""

from typing import Any, Self

from django.db import models


class NameTokenQuerySet(models.QuerySet[Any]):
    def unread(self) -> Self:
        """Stored before readings were kept."""
        return self.filter(reading="")

    def claimed(self, count: int) -> "models.QuerySet[Any, int]":
        """The ids of the first so many, locked; those that another transaction holds are left to it."""
        return self.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True)[:count]

    def unused(self) -> Self:
        """In no record's name."""
        names = self.model._meta.get_field("recordname").related_model
        return self.filter(~models.Exists(names._default_manager.filter(token=models.OuterRef("pk"))))
