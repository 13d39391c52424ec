"""What can be wrong with a definition, in words: each problem at its place, with how to mend it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import MendableError
from segments.definition.checked import Flaw

Text = str | Promise


@dataclass(frozen=True)
class Problem:
    """One thing to mend: `place` is a JSON pointer into the definition, `mend` says how to put it right."""

    place: str
    code: str
    text: Text
    mend: Text


class DefinitionProblem(MendableError):
    """A definition that cannot be read. `problems` holds all of them in reading order, at least one."""

    code = "invalid_definition"

    def __init__(self, problems: tuple[Problem, ...], message: Text | None = None) -> None:
        super().__init__(
            message
            or ngettext_lazy(
                "%(n)d thing in the definition needs mending.", "%(n)d things in the definition need mending.", "n"
            )
            % {"n": len(problems)},
            field=problems[0].place,
            hint=problems[0].mend,
        )
        self.problems = problems

    def as_dict(self) -> dict[str, object]:
        """The API's error shape, with each problem at its place."""
        return super().as_dict() | {
            "problems": [
                {"place": one.place, "code": one.code, "message": str(one.text), "hint": str(one.mend)}
                for one in self.problems
            ]
        }


class StoredProblem(DefinitionProblem):
    """The same of a stored definition, which no form stands beside: says what is wrong, and where."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        said = {"place": problems[0].place or "/", "what": problems[0].text}
        super().__init__(problems, gettext("The stored definition cannot be used (%(place)s): %(what)s") % said)


MESSAGES: Mapping[str, tuple[Text, Text]] = {
    # the shape of the JSON
    "object-expected": (_("A JSON object is expected here."), _("Write {…} with a “kind”.")),
    "version-unknown": (
        _("This definition has version “%(version)s”, which this program does not read."),
        _("It reads version %(known)s: save the segment again in the builder, or update the program."),
    ),
    "kind-unknown": (_("“%(kind)s” is no kind that can stand here."), _("Use one of: %(known)s.")),
    "key-missing": (_("“%(key)s” is missing."), _("Add it.")),
    "key-unknown": (_("“%(key)s” means nothing here."), _("Remove it, or correct its spelling.")),
    "choice-unknown": (_("“%(value)s” is not one of the choices."), _("Use one of: %(known)s.")),
    "list-expected": (_("A list is expected here."), _("Give one or more values.")),
    # groups
    "group-empty": (_("This group holds no condition."), _("Add a condition, or remove the group.")),
    "too-deep": (
        _("Groups lie in groups more than %(limit)s deep."),
        _("Move the innermost conditions one group up."),
    ),
    "too-many-conditions": (
        _("There are %(n)s conditions; at most %(limit)s are read."),
        _("Use “is one of” for conditions that differ only in the value, or split the segment."),
    ),
    # values
    "value-missing": (_("The value is missing."), _("Fill it in.")),
    "value-unexpected": (_("This comparison takes no value."), _("Remove the value.")),
    "name-missing": (_("Nothing is chosen here."), _("Choose a field.")),
    "text-expected": (_("A text is expected here."), _("Give a text, or choose another comparison.")),
    "text-too-long": (_("The text is longer than %(limit)s characters."), _("Shorten it.")),
    "text-has-nul": (_("The text holds a NUL character."), _("Type the text again.")),
    "number-expected": (_("A number is expected here."), _("Give a number, digits only.")),
    "number-too-long": (_("The number has more than %(limit)s digits."), _("Shorten it.")),
    "number-out-of-range": (_("The number is out of range."), _("Use a number from %(first)s to %(last)s.")),
    "whole-number-expected": (_("A whole number is expected here."), _("Give a number without decimals.")),
    "two-numbers-expected": (_("Two numbers are expected here."), _("Give the lowest and the highest.")),
    "range-reversed": (_("The range ends before it begins."), _("Swap the two values.")),
    "date-expected": (_("A date is expected here."), _("Write it as year-month-day, for example 2026-11-22.")),
    "date-out-of-range": (_("The date is out of range."), _("Use a date from %(first)s to %(last)s.")),
    "two-dates-expected": (_("Two dates are expected here."), _("Give the first day and the last.")),
    "list-too-long": (_("The list has more than %(limit)s values."), _("Split it over several conditions.")),
    "list-mixed": (_("The list mixes texts and numbers."), _("Use only one of them.")),
    "currency-expected": (_("A currency is expected here."), _("Use its three letters, for example THB.")),
    "currency-not-here": (
        _("Only money has a currency, and this counts no money."),
        _("Remove the currency, or choose what was spent."),
    ),
    "yes-or-no-expected": (_("A yes or no is expected here."), _("Write true or false.")),
    "id-expected": (
        _("The id of a segment or a list is expected here."),
        _("Choose one from the list; an id has 36 characters in small letters."),
    ),
    "operator-not-here": (_("An amount cannot be compared this way."), _("Choose more, less, between or equal.")),
    # what the viewer has
    "operator-not-for-type": (
        _("This comparison does not fit the kind of value."),
        _("Choose another comparison; the field holds: %(type)s."),
    ),
    "measure-not-for-type": (
        _("This cannot be computed of such values."),
        _("Choose another measure or property; the property holds: %(type)s."),
    ),
    "trait-unknown": (_("There is no attribute “%(name)s”."), _("Choose one from the list.")),
    "event-unknown": (_("There is no event “%(name)s”."), _("Choose one from the list.")),
    "property-unknown": (_("There is no property “%(name)s” here."), _("Choose one from the list.")),
    "purpose-unknown": (_("There is no purpose “%(name)s”."), _("Choose one from the list.")),
    "channel-unknown": (_("There is no channel “%(name)s”."), _("Choose one from the list.")),
    "source-unknown": (
        _("There is no source “%(name)s”, or no longer."),
        _("Choose one from the list, or let all sources count."),
    ),
    "segment-unknown": (
        _("There is no segment “%(name)s”, or no longer."),
        _("Choose one from the list, or remove the condition."),
    ),
    "segment-cycle": (
        _("The segment would ask for itself: %(path)s."),
        _("Remove the condition on “%(name)s”, here or in one of them."),
    ),
    "segments-too-deep": (
        _("Segments ask for segments more than %(limit)s deep: %(path)s."),
        _("Write the conditions of the last one here instead."),
    ),
    "segments-too-many-conditions": (
        _("With the segments that it asks for, %(n)s conditions are asked; at most %(limit)s are."),
        _("Ask for fewer segments, or for simpler ones."),
    ),
    "list-unknown": (
        _("There is no list “%(name)s”, or no longer."),
        _("Choose one, upload it again, or remove the condition."),
    ),
    "currency-unknown": (_("No order was ever made in “%(name)s”."), _("Choose a currency from the list.")),
}
"""Code of a flaw → what is wrong, how to mend it. A test holds that each code raised anywhere has its line."""


def problem(place: str, flaw: Flaw) -> Problem:
    """A flaw of the node at `place`, in words."""
    text, mend = MESSAGES[flaw.code]
    at = f"{place}/{flaw.field}" if flaw.field else place
    return Problem(at, flaw.code, text % flaw.parameters, mend % flaw.parameters)
