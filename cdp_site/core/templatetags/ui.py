"""Tags of the interface: icons, permissions in templates, form widgets, links that keep the page's filters."""

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.forms.boundfield import BoundWidget
from django.http import HttpRequest
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cdp_site.core.access import Permission
from cdp_site.core.access import may as user_may
from cdp_site.core.models import User

register = template.Library()

SPRITE = "vendor/icons/sprite.svg"


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """An icon of the sprite. Without `label` it is decoration and hidden from screen readers."""
    href = f"{static(SPRITE)}#{name}"
    if label:
        return format_html(
            '<svg class="icon {}" role="img" aria-label="{}" fill="none" stroke="currentColor" '
            'stroke-linecap="round" stroke-linejoin="round"><use href="{}"></use></svg>',
            css,
            label,
            href,
        )
    return format_html(
        '<svg class="icon {}" aria-hidden="true" fill="none" stroke="currentColor" '
        'stroke-linecap="round" stroke-linejoin="round"><use href="{}"></use></svg>',
        css,
        href,
    )


@register.simple_tag(takes_context=True)
def may(context: Context, permission: str) -> bool:
    """`{% may "view_customers" as can_search %}`: whether the user's role carries the permission."""
    request: HttpRequest | None = context.get("request")
    user: User | AnonymousUser = getattr(request, "user", None) or AnonymousUser()
    return user_may(user, Permission(permission))


@register.simple_tag(takes_context=True)
def takes_focus(context: Context) -> str:
    """`<input {% takes_focus %}>`: the element has the focus once the answer is shown, with and without scripts."""
    return "data-focus" if context["request"].htmx else "autofocus"


@register.simple_tag(takes_context=True)
def with_query(context: Context, **changes: Any) -> str:
    """The page's own query string with some parameters changed; None or "" removes one, and `after` always goes.

    `<a href="{% with_query kind="order" %}">`: filters stay in the URL and paging starts again.
    """
    query = context["request"].GET.copy()
    query.pop("after", None)
    for name, value in changes.items():
        if value in (None, ""):
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"


@register.filter
def styled(field: BoundField) -> SafeString:
    """The field's widget with the house's class. Django itself ties hint and error to it (aria-describedby)."""
    widget = field.field.widget
    if isinstance(widget, (CheckboxSelectMultiple, RadioSelect)):
        return field.as_widget()
    if isinstance(widget, CheckboxInput):
        css = "form-check-input"
    elif isinstance(widget, Select):
        css = "form-select"
    else:
        css = "form-control"
    return field.as_widget(attrs={"class": f"{css} {widget.attrs.get('class', '')}".strip()})


@register.filter
def choices(field: BoundField) -> list[BoundWidget]:
    """The radio buttons or checkboxes of a group, each with the house's class; `choice.tag` is the input alone."""
    field.field.widget.attrs["class"] = "form-check-input"
    return list(field)


@register.filter
def is_check(field: BoundField) -> bool:
    """True for a single checkbox, whose label stands behind it."""
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def is_group(field: BoundField) -> bool:
    """True for radio buttons and checkbox lists, which need a fieldset with a legend."""
    return isinstance(field.field.widget, (CheckboxSelectMultiple, RadioSelect))


@register.filter
def is_below(path: str, entry: str) -> bool:
    """Whether a page belongs to a navigation entry: `/customers/018f…/` to `/customers/`."""
    return path == entry or path.startswith(entry.rstrip("/") + "/")
