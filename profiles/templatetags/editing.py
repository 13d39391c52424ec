"""Which values of a customer's page people may change."""

from django import template

from profiles.editing.fields import is_editable
from profiles.models import Trait

register = template.Library()


@register.filter
def editable(trait: Trait) -> bool:
    """`{% if attribute.trait|editable %}`: whether people may change the trait at all."""
    return is_editable(trait)
