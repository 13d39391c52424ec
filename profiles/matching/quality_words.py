"""What the numbers of data quality mean, and what to do about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import count as counted
from ingestion.models import Source
from profiles.labels import identifier_kind
from profiles.matching.quality import Figures, OfKind, OfSource
from profiles.models import QualityFinding, QualityLook
from profiles.resolution.partition import Refusal

Kind = QualityFinding.Kind


@dataclass(frozen=True, slots=True)
class Words:
    """Of a number: its name, what to do, what the size of a case counts, and what an empty list says."""

    title: Promise
    advice: Promise
    size: Promise


_WORDS: dict[str, Words] = {
    Kind.TWICE: Words(
        _("Several records in one source"),
        _(
            "The source holds these customers more than once. Let it join its records, or see on the customer's page "
            "whether they are one person; if not, part them there."
        ),
        _("Records"),
    ),
    Kind.KEYLESS: Words(
        _("Nothing to be matched by"),
        _(
            "No phone, e-mail or other identifier that another source could know, so nobody else's records can come to "
            "these. Ask the source to send one, and check its mapping for a column that was left out."
        ),
        _("Records"),
    ),
    Kind.NAMES: Words(
        _("More than three given names"),
        _(
            "The names of these customers differ so often that they may be several people. Read why their records are "
            "one, and take out those that are somebody else's."
        ),
        _("Names"),
    ),
    Kind.TWO_IDS: Words(
        _("Two national IDs"),
        _("A person has one. Take the wrong record out on the customer's page, or correct the number in its source."),
        _("Numbers"),
    ),
    Kind.LARGEST: Words(
        _("Customers of most records"),
        _(
            "The largest are where a wrong link does most harm. Look for an identifier that half a company uses, and "
            "take out the records that came by it."
        ),
        _("Records"),
    ),
    Kind.SHARED: Words(
        _("Identifiers of several people"),
        _(
            "On more than five people an identifier says nothing about anybody and joins nobody. Where it is a "
            "company's own number or mailbox, have the source leave it empty."
        ),
        _("Customers"),
    ),
    Kind.AMBIGUOUS: Words(
        _("It cannot be told whose it is"),
        _(
            "A phone or an e-mail leads to several people, and the names don't say to whom. A full name in the source "
            "settles it; what you decide on the customer's page settles it at once."
        ),
        _("Unclear identifiers"),
    ),
    Kind.PROPOSED: Words(
        _("An agent typed an identifier of somebody else"),
        _("Perhaps they are one person: look at both and merge them, or correct what was typed."),
        _("Identifiers"),
    ),
}
_REFUSED: dict[str, tuple[Promise, Promise, str]] = {
    Refusal.NAMES_DIFFER: (
        _("The names clearly differ"),
        _("People of one household or company. Nothing to do: they are related, not the same."),
        "",
    ),
    Refusal.AMBIGUOUS: (
        _("It cannot be told whose it is"),
        _("Several people have it, and the names don't say to whom a record belongs."),
        Kind.AMBIGUOUS,
    ),
    Refusal.ID_CONFLICT: (
        _("Two numbers of one kind would meet"),
        _("Two members, two users: if they are one person all the same, merge them by hand."),
        "",
    ),
    Refusal.FAN_OUT: (
        _("On too many people"),
        _("The identifier says nothing about anybody; see the identifiers of several people."),
        "",
    ),
    Refusal.NEVER: (_("A colleague keeps them apart"), _("Decided; nothing to do."), ""),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A total; `change`: since the look before, None when there is none."""

    label: Promise
    value: int
    change: int | None

    @property
    def change_text(self) -> str:
        """With its sign; "" when there is nothing to tell."""
        if not self.change:
            return ""
        return ("+" if self.change > 0 else "−") + counted(abs(self.change))


@dataclass(frozen=True, slots=True)
class Alarm:
    """A number that should be nought, what to do, and its list."""

    words: Words
    value: int
    url: str
    always_listed: bool


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source and its numbers."""

    source: Source
    found: OfSource


@dataclass(frozen=True, slots=True)
class KindLine:
    """A kind of identifier and its numbers."""

    text: str
    found: OfKind


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A reason for which records were not joined."""

    title: Promise
    advice: Promise
    value: int
    url: str


@dataclass(frozen=True, slots=True)
class Report:
    """A look, as the page shows it."""

    figures: Figures
    totals: Sequence[Figure]
    before: QualityLook | None
    sources: Sequence[SourceLine]
    alarms: Sequence[Alarm]
    kinds: Sequence[KindLine]
    refused: Sequence[RefusedLine]
    twice: Words = _WORDS[Kind.TWICE]
    keyless: Words = _WORDS[Kind.KEYLESS]
    shared: Words = _WORDS[Kind.SHARED]


def of_kind(kind: str) -> Words:
    """Raises KeyError for what is no kind."""
    return _WORDS[kind]


def report(looks: Sequence[tuple[QualityLook, Figures]], *, by: User) -> Report:
    """The last look beside the one before it; of the sources that the reader sees."""
    _look, figures = looks[0]
    now = figures.totals()
    earlier = looks[1][1].totals() if len(looks) > 1 else None
    labels = {
        "twice": _("Held several times by a source"),
        "keyless": _("Records without a key"),
        "alarms": _("Perhaps several people"),
        "shared": _("Shared identifiers"),
    }
    sources = {source.pk: source for source in Source.objects.visible_to(by)}
    return Report(
        figures=figures,
        totals=[
            Figure(label, now[name], None if earlier is None else now[name] - earlier[name])
            for name, label in labels.items()
        ],
        before=looks[1][0] if len(looks) > 1 else None,
        sources=[SourceLine(sources[one.source], one) for one in figures.sources if one.source in sources],
        alarms=[
            Alarm(_WORDS[kind], value, _list(kind), always_listed=kind == Kind.LARGEST)
            for kind, value in (
                (Kind.NAMES, figures.names),
                (Kind.TWO_IDS, figures.two_ids),
                (Kind.LARGEST, figures.large),
                (Kind.PROPOSED, figures.proposed),
            )
        ],
        kinds=[KindLine(identifier_kind(one.kind), one) for one in figures.shared],
        refused=[
            RefusedLine(title, advice, figures.refused[reason], _list(kind) if kind else "")
            for reason, (title, advice, kind) in _REFUSED.items()
            if figures.refused.get(reason)
        ],
    )


def _list(kind: str) -> str:
    return reverse("profiles:quality_cases", args=[kind])
