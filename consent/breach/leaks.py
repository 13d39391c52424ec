"""Kinds of leaks, and how each leads to the people whom it affects. Apps above add theirs by `register`, and to those
that are there by `also`."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import MendableError, Text
from cdp_site.core.models import AccessLogEntry, MachineKey, User
from consent.models import Breach
from ingestion.models import FileImport
from profiles.models import Membership, Profile, RecordShare, SourceRecord

LIST: Final = "list"
TOO_LARGE = _("The list is too long: split it, and record each part.")

# Ids of the profiles, in no order, one perhaps several times.
Finder = Callable[[Breach], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Leak:
    """Attributes:
    check: whether a reference names something; raises MendableError where it does not, returns it as it is kept.
    has_period: it was in the wrong hands from a moment to another.
    """

    key: str
    title: Text
    hint: Text
    check: Callable[[str], str]
    has_period: bool = False


class UnknownProblem(MendableError):
    code = "unknown_reference"

    def __init__(self) -> None:
        super().__init__(
            _("There is nothing here by this id."), field="reference", hint=_("Copy it from its page or its address.")
        )


_leaks: dict[str, Leak] = {}
_finders: dict[str, list[Finder]] = defaultdict(list)


def register(leak: Leak, finder: Finder | None = None) -> None:
    """Raises ValueError for a kind that is there already."""
    if leak.key in _leaks:
        raise ValueError(f"the leak {leak.key!r} is registered twice")
    _leaks[leak.key] = leak
    if finder is not None:
        also(leak.key, finder)


def also(key: str, finder: Finder) -> None:
    """A further way by which a leak of this kind leads to people."""
    _finders[key].append(finder)


def kinds() -> list[Leak]:
    return list(_leaks.values())


def of(key: str) -> Leak:
    return _leaks[key]


def people(breach: Breach) -> Iterable[int]:
    """Profiles that the breach affects."""
    for finder in _finders[breach.kind]:
        yield from finder(breach)


# --- kinds of this app ----------------------------------------------------------------------------------------------


def _nothing_to_name(reference: str) -> str:
    return ""


def _import(reference: str) -> str:
    return str(_found(FileImport.objects.filter(pk=uuid_of(reference)).values_list("pk", flat=True).first()))


def _key(reference: str) -> str:
    """By its number or its prefix."""
    by_number = Q(pk=int(reference)) if reference.isdecimal() and len(reference) < 10 else Q()
    named = MachineKey.objects.filter(Q(prefix=reference) | by_number if by_number else Q(prefix=reference))
    return str(_found(named.values_list("pk", flat=True).first()))


def _user(reference: str) -> str:
    return str(_found(User.objects.filter(username=reference).values_list("pk", flat=True).first()))


def uuid_of(reference: str) -> UUID:
    """Raises UnknownProblem for what is none."""
    try:
        return UUID(reference)
    except ValueError:
        raise UnknownProblem from None


def _found(key: object | None) -> object:
    if key is None:
        raise UnknownProblem
    return key


def _of_import(breach: Breach) -> Iterable[int]:
    """Whoever stood in the file, whether the file was the first to tell of them or not."""
    operation = FileImport.objects.filter(pk=breach.reference).values("operation_id")
    records = Q(record__in=SourceRecord.objects.filter(operation_id__in=operation).values("pk"))
    records |= Q(record__in=RecordShare.objects.filter(operation_id__in=operation).values("record"))
    return Membership.objects.filter(records, valid_to__isnull=True).values_list("profile_id", flat=True).iterator()


def _opened_by(actor: str) -> Finder:
    """Whose page or data was shown to somebody in the time."""

    def find(breach: Breach) -> Iterable[int]:
        seen = AccessLogEntry.objects.filter(actor=f"{actor}:{breach.reference}")
        if breach.since:
            seen = seen.filter(at__gte=breach.since)
        if breach.until:
            seen = seen.filter(at__lte=breach.until)
        return Profile.objects.filter(public_id__in=seen.values("profile")).values_list("pk", flat=True).iterator()

    return find


def register_own() -> None:
    register(
        Leak(LIST, _("A list or file"), _("Upload it or paste it: addresses, numbers, ids."), _nothing_to_name)
    )  # its people are found while it is there: it is not kept
    register(Leak("import", _("An imported file"), _("Id of the import, from its page."), _import), _of_import)
    key_hint = _("Prefix or number of the key, from the list of keys for programs.")
    register(Leak("key", _("A key of a program"), key_hint, _key, has_period=True), _opened_by("key"))
    user_hint = _("Login name of the account.")
    register(
        Leak("user", _("An account of somebody who works here"), user_hint, _user, has_period=True), _opened_by("user")
    )
