"""Links that other apps have at a touchpoint of the timeline."""

from typing import Any

from django import template
from django.template.context import Context

from cdp_site.core import timeline_links

register = template.Library()


@register.inclusion_tag("components/timeline_links.html", takes_context=True)
def touchpoint_links(context: Context, touchpoint: Any) -> dict[str, object]:
    """`{% touchpoint_links touchpoint %}`: what can be asked about it; nothing for most. Needs `profile`."""
    user = context["request"].user
    return {"links": timeline_links.links_at(touchpoint, user), "touchpoint": touchpoint, "profile": context["profile"]}
