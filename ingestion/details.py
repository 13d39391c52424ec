"""What a rejection's `detail` says, in the reader's language.

Details are stored in English, as they were found: codes of many doors, libraries among them. The patterns here know
those of this platform; a text that none of them knows is shown as it stands.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cdp_site.core.errors import Text
from ingestion.models import PlanObservation

_TYPES: Final[Mapping[str, Text]] = {
    **dict(PlanObservation.JsonType.choices),
    # msgspec's and Python's words for the same
    "str": gettext_lazy("text"),
    "int": gettext_lazy("whole number"),
    "float": gettext_lazy("number"),
    "bool": gettext_lazy("yes or no"),
}
_FORMATS: Final[Mapping[str, Text]] = {
    "date": gettext_lazy("a date such as 2026-11-22"),
    "date-time": gettext_lazy("a time such as 2026-11-22T14:05:00+07:00"),
    "email": gettext_lazy("an e-mail address"),
}

# Behind a field: "properties.price: expected number".
_EXPECTED: Final[tuple[tuple[str, Text], ...]] = (
    (r"required", gettext_lazy("is missing")),
    (r"not in the plan", gettext_lazy("is not in the plan")),
    (r"a real one is needed, not a placeholder", gettext_lazy("a real one is needed, not a placeholder")),
    (r"expected a number", gettext_lazy("a number was expected")),
    (r"expected a list of objects", gettext_lazy("a list of objects was expected")),
    (r"expected a code of three letters", gettext_lazy("a code of three letters was expected")),
    (
        r"expected a text of at most (?P<n>\d+) characters",
        gettext_lazy("a text of at most %(n)s characters was expected"),
    ),
    (r"at most (?P<n>\d+) characters", gettext_lazy("at most %(n)s characters are allowed")),
    (r"(?:expected )?one of (?P<values>.+)", gettext_lazy("has to be one of: %(values)s")),
    (r"expected exactly (?P<value>.+)", gettext_lazy("has to be %(value)s")),
    (r"expected at least (?P<n>\d+) characters", gettext_lazy("at least %(n)s characters are needed")),
    (r"expected at most (?P<n>\d+) characters", gettext_lazy("at most %(n)s characters are allowed")),
    (r"expected at least (?P<n>\d+) items", gettext_lazy("at least %(n)s entries are needed")),
    (r"expected at most (?P<n>\d+) items", gettext_lazy("at most %(n)s entries are allowed")),
    (r"expected at least (?P<n>\S+)", gettext_lazy("has to be %(n)s or more")),
    (r"expected at most (?P<n>\S+)", gettext_lazy("has to be %(n)s or less")),
    (r"expected more than (?P<n>\S+)", gettext_lazy("has to be more than %(n)s")),
    (r"expected less than (?P<n>\S+)", gettext_lazy("has to be less than %(n)s")),
    (r"expected the format (?P<format>\S+)", gettext_lazy("expected was %(format)s")),
    (r"expected (?P<types>[a-z]+(?: or [a-z]+)*)", gettext_lazy("expected was: %(types)s")),
)
_WHOLE: Final[tuple[tuple[str, Text], ...]] = (
    (r"(?P<n>\d+) bytes; at most (?P<most>\d+) KB", gettext_lazy("%(n)s bytes; at most %(most)s KB are taken")),
    (r"not valid UTF-8 .*", gettext_lazy("The text is not valid UTF-8")),
    (r"JSON is malformed: .*\(byte (?P<n>\d+)\)", gettext_lazy("It stops being valid JSON at byte %(n)s")),
    (r"Input data was truncated", gettext_lazy("It breaks off in the middle")),
    (r"nested too deep|too deep", gettext_lazy("It is nested too deep")),
    (
        r"a lone surrogate or a number out of range",
        gettext_lazy("Half a character (a lone surrogate), or a number out of range"),
    ),
    (r"lone surrogate", gettext_lazy("Half a character (a lone surrogate)")),
    (r"not a number", gettext_lazy("A number that is none (NaN, infinity)")),
    (r"a NUL character .*|nul byte", gettext_lazy("A NUL character")),
    (
        r"Expected `(?P<types>[^`]+)`, got `(?P<got>[^`]+)` - at `\$\.(?P<field>[^`]+)`",
        gettext_lazy("%(field)s: expected was %(types)s, %(got)s came"),
    ),
    (r"Expected `(?P<types>[^`]+)`, got `(?P<got>[^`]+)`", gettext_lazy("Expected was %(types)s, %(got)s came")),
    (r"Object missing required field `(?P<field>[^`]+)`(?: - at .*)?", gettext_lazy("%(field)s: is missing")),
    (r"(?P<field>\w+) is one of (?P<values>.+)", gettext_lazy("%(field)s: has to be one of: %(values)s")),
    (r"userId or anonymousId is required", gettext_lazy("userId or anonymousId is missing")),
    (
        r"userId or anonymousId: a real one is needed, not a placeholder",
        gettext_lazy("userId or anonymousId: a real one is needed, not a placeholder"),
    ),
    (r"(?P<field>\w+) is required", gettext_lazy("%(field)s: is missing")),
    (r"alias needs previousId and userId", gettext_lazy("alias needs previousId and userId")),
    (r"(?P<field>\w+) is no ISO 8601 time since 1970", gettext_lazy("%(field)s: is no ISO 8601 time since 1970")),
)
_BEHIND_FIELD: Final = [(re.compile(pattern), text) for pattern, text in _EXPECTED]
_ALONE: Final = [(re.compile(pattern), text) for pattern, text in _WHOLE]


def told(detail: str) -> str:
    """The detail in the reader's language, as far as it is known; else as it stands."""
    for pattern, text in _ALONE:
        if (found := pattern.fullmatch(detail)) is not None:
            return str(text) % _words(found)
    field, colon, rest = detail.partition(": ")
    if colon:
        for pattern, text in _BEHIND_FIELD:
            if (found := pattern.fullmatch(rest)) is not None:
                return f"{field}: {str(text) % _words(found)}"
    return detail


def _words(found: re.Match[str]) -> dict[str, str]:
    return {name: _WORDING[name](value) if name in _WORDING else value for name, value in found.groupdict().items()}


def _types(text: str) -> str:
    names = re.split(r" or | \| ", text)
    return _(" or ").join(str(_TYPES.get(name, name)) for name in names)


_WORDING: Final[Mapping[str, Callable[[str], str]]] = {
    "types": _types,
    "got": _types,
    "format": lambda name: str(_FORMATS.get(name, name)),
}
