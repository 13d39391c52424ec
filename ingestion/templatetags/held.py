"""Filters of the screens about messages that are held back."""

from django import template

from ingestion import details

register = template.Library()


@register.filter
def told(detail: str) -> str:
    """`{{ item.detail|told }}`: where in the message and what was expected, in the reader's language."""
    return details.told(detail)
