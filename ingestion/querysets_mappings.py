"""Named questions about saved mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from cdp_site.core.models import User


class FieldMappingQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Mappings of all sources, and those of a source by who sees the source."""
        sources = self.model._meta.get_field("source").related_model._default_manager.visible_to(user)
        return self.filter(models.Q(source__isnull=True) | models.Q(source__in=sources))

    def named(self, name: str) -> Self:
        return self.filter(name=name)

    def by_name(self) -> Self:
        return self.order_by("name")

    def newest_first(self) -> Self:
        return self.order_by("-version")

    def with_people(self) -> Self:
        return self.select_related("source", "created_by")

    def newest_versions(self) -> Self:
        """The last version of each name."""
        later = self.model._default_manager.filter(name=models.OuterRef("name"), version__gt=models.OuterRef("version"))
        return self.filter(~models.Exists(later))

    def with_use(self) -> Self:
        """Adds `n_imports` and `last_used_at`: imports by any version of the name."""
        imports = (
            self.model.fileimport_set.rel.related_model._default_manager.filter(mapping__name=models.OuterRef("name"))
            .order_by()
            .values("mapping__name")
        )
        return self.annotate(
            n_imports=models.functions.Coalesce(models.Subquery(imports.annotate(n=models.Count("pk")).values("n")), 0),
            last_used_at=models.Subquery(imports.annotate(last=models.Max("created_at")).values("last")),
        )
