"""The form of a computed trait: the builder's conditions, without how often and how much, behind what is calculated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any as Json

from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from segments import catalogue
from segments.builder import actions, draft, fitting, popularity
from segments.builder.controls import Add, Control, Line, Makers, Row, values_url
from segments.builder.review import OPEN
from segments.builder.rows import Painter
from segments.definition import nodes
from segments.definition.fields import Fields, FieldType
from segments.definition.problems import DefinitionProblem, Problem
from segments.models import ComputedTrait
from segments.traits import presenting, reader
from segments.traits.formula import OF_A_PROPERTY, OF_NUMBERS, Calculation, Formula

BEHAVIOUR, ORDERS, PRODUCTS = "touchpoint", "order_total", "order_line"
_LEFT_OVER: Mapping[str, Mapping[str, Json]] = {
    BEHAVIOUR: {"count": {"bound": "at_least", "n": 1}},
    ORDERS: {"measure": "sum", "operator": "at_least", "value": 0},
    PRODUCTS: {"measure": "lines", "operator": "at_least", "value": 0},
}
"""What a condition asks beside what it picks; always the same here."""


def read(posted: Mapping[str, str]) -> dict[str, Json]:
    """The tree of the controls."""
    return draft.read(posted.items()) | {
        "of": posted.get("/of", BEHAVIOUR),
        "calculation": posted.get("/calculation", ""),
        "property": posted.get("/property", ""),
        "per_channel": "/per_channel" in posted,
    }


def act(written: dict[str, Json], action: str) -> str:
    """Carry out a button's action; returns the place to be at afterwards, "" where the action has no meaning."""
    return actions.act(written, action) or ""


def blank() -> dict[str, Json]:
    """The form with which a new trait begins."""
    return {"of": BEHAVIOUR, "where": {}, "calculation": Calculation.COUNT.value, "property": "", "per_channel": False}


def of_trait(trait: ComputedTrait) -> dict[str, Json]:
    """The form of a stored trait."""
    members = trait.definition["where"]["of"]
    return {**trait.definition, "of": members[0]["kind"]}


class PickPainter(Painter):
    """Rows of conditions that only pick."""

    def _touchpoint(self, node: Mapping[str, Json], place: str) -> Iterator[Line]:
        yield Line([*self._event(node, place), *self._window(node["window"], f"{place}/window")])
        yield from self._picking(node, place)

    def _order_total(self, node: Mapping[str, Json], place: str) -> Iterator[Line]:
        yield Line([self._currency(node, place), *self._window(node["window"], f"{place}/window")])

    def _order_line(self, node: Mapping[str, Json], place: str) -> Iterator[Line]:
        yield Line([*self._window(node["window"], f"{place}/window")])
        yield from self._filters(
            node["filters"], place, self.fields.line_properties, {}, lambda name: values_url(line=name)
        )
        yield Line(adds=[Add(f"add-filter {place}", _("of products where …"), "filter")])

    def _adds(self, place: str, *, may_nest: bool) -> Iterator[Add]:
        yield Add(f"add-touchpoint {place}", _("Another behaviour"), "click")


@dataclass(frozen=True)
class Sheet:
    """A computed trait as one user writes it. `kept`: the trait whose next version it is.

    Open points are told only when somebody saves: until then they are still writing.
    """

    written: Mapping[str, Json]
    user: User
    kept: ComputedTrait | None = None
    is_saving: bool = False

    @cached_property
    def scope(self) -> Scope:
        return scope_of(self.user)

    @cached_property
    def fields(self) -> Fields:
        kept = reader.named_in(self.kept.definition) if self.kept else None
        return catalogue.fields_of(self.scope, self.written, kept=kept, by=self.user)

    @cached_property
    def fitted(self) -> dict[str, Json]:
        """With what follows from its choices."""
        chosen_kind: str = self.written.get("of", BEHAVIOUR)
        kind = chosen_kind if chosen_kind in _LEFT_OVER else BEHAVIOUR
        where = self.written.get("where")
        members = where.get("of") if isinstance(where, dict) else None
        listed = [one for one in members if _is_of(one, kind)] if isinstance(members, list) else []
        if kind != BEHAVIOUR or not listed:
            listed = listed[:1] or [{"kind": kind}]
        asked = [{**one, **_LEFT_OVER[kind]} for one in listed]
        fitted = fitting.fit({"where": {"kind": "any", "of": asked}}, self.fields)["where"]
        calculation = self.written.get("calculation")
        offered = presenting.calculations(of_orders=kind == ORDERS)
        chosen = Calculation(calculation) if calculation in offered else Calculation.COUNT
        return {
            "version": nodes.VERSION,
            "calculation": chosen.value,
            "property": self.written.get("property", "") if chosen in OF_A_PROPERTY and kind != ORDERS else "",
            "per_channel": bool(self.written.get("per_channel")),
            "where": {"kind": "any", "of": [{**one, **_LEFT_OVER[kind]} for one in fitted["of"]]},
        }

    @cached_property
    def _read(self) -> tuple[Formula | None, list[Problem]]:
        try:
            return reader.parse(draft.finished(self.fitted), self.fields), []
        except DefinitionProblem as problem:
            return None, list(problem.problems)

    @property
    def formula(self) -> Formula | None:
        """As it would be stored; None while it has gaps or mistakes."""
        return self._read[0]

    @property
    def problems(self) -> list[Problem]:
        return self._read[1]

    @cached_property
    def told(self) -> list[Problem]:
        return self.problems if self.is_saving else [one for one in self.problems if one.code not in OPEN]

    @property
    def own_problems(self) -> list[Problem]:
        """Of what stands above the conditions."""
        return [one for one in self.told if not one.place.startswith("/where/of/")]

    @cached_property
    def row(self) -> Row:
        known = popularity.popularity(self.fields, self.scope, events=popularity.events_named(self.fitted))
        return PickPainter(self.fields, catalogue.words(), self.told, known).rows(self.fitted)

    @property
    def ground(self) -> str:
        """What is computed with."""
        kind: str = self.fitted["where"]["of"][0]["kind"]
        return kind

    @property
    def is_of_behaviour(self) -> bool:
        return self.ground == BEHAVIOUR

    @cached_property
    def head(self) -> list[Control]:
        """What is computed with, what is calculated, and of which property."""
        make = Makers(self.told)
        grounds = {BEHAVIOUR: _("What they did"), ORDERS: _("Their orders"), PRODUCTS: _("Products that they bought")}
        offered = presenting.calculations(of_orders=self.ground == ORDERS)
        controls = [
            make.select("/of", _("Computed from"), grounds, self.ground),
            make.select("/calculation", _("Calculation"), offered, self.fitted["calculation"]),
        ]
        if self.ground != ORDERS and self.fitted["calculation"] in set(OF_A_PROPERTY):
            subject = self.fitted["property"]
            controls.append(
                make.select("/property", _("Property"), self._properties(), subject, opens=_("Choose a property…"))
            )
        return controls

    def _properties(self) -> dict[str, str]:
        """The properties of the chosen events, or of products, that the calculation can take."""
        known = [
            fitting.properties_of(one["event"], self.fields) for one in self.fitted["where"]["of"] if "event" in one
        ]
        wants_numbers = self.fitted["calculation"] in set(OF_NUMBERS)
        return {
            name: field.label
            for properties in (known if self.is_of_behaviour else [self.fields.line_properties])
            for name, field in properties.items()
            if field.type is not FieldType.IDENTIFIER
            and (not wants_numbers or field.type in (FieldType.NUMBER, FieldType.ANY))
        }

    def focus(self, place: str) -> str:
        """Id of the element at a place: the first control below it, else the conditions as a whole."""
        controls = [control for row in self.row.flat() for line in row.lines for control in line.controls]
        names = (f"{place}/", place)
        return next(
            (one.id for one in controls if one.kind != "word" and (one.name == place or one.name.startswith(names[0]))),
            self.row.id,
        )


def _is_of(member: Json, kind: str) -> bool:
    return isinstance(member, dict) and member.get("kind", kind) == kind
