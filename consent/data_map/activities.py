"""For what personal data is processed: the activities of the record of processing (PDPA s.39; GDPR Art. 30(1))."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text


class Whose(StrEnum):
    CUSTOMERS = "customers"
    STAFF = "staff"
    NOBODY = "nobody"


WHOSE: Final[Mapping[str, Text]] = {
    Whose.CUSTOMERS: _("Customers and visitors"),
    Whose.STAFF: _("People who work here"),
    Whose.NOBODY: _("No person"),
}


@dataclass(frozen=True, slots=True)
class Activity:
    """Attributes:
    purpose, ground: for what, and by which right; `law` is the section.
    recipients: to whom it is given.
    """

    key: str
    title: Text
    purpose: Text
    ground: Text
    law: Text
    whose: Whose
    recipients: Text


_NO_ONE = _("nobody outside the company")
_CONTRACT = _("contract with the customer, and the company's legitimate interest in knowing whom it serves")
_DUTY = _("legal obligation")

_ALL: Final = (
    Activity(
        "customers", _("Knowing who a customer is"),
        _("One profile out of what every system knows, so that customers are served and not asked twice"),
        _CONTRACT, "PDPA s.24(3), s.24(5)", Whose.CUSTOMERS, _NO_ONE,
    ),
    Activity(
        "matching", _("Finding records of one person"),
        _("Joining records that belong to one person, and keeping apart those that do not"),
        _("legitimate interest in correct data, which the law asks for as well"), "PDPA s.24(5), s.35",
        Whose.CUSTOMERS, _NO_ONE,
    ),
    Activity(
        "behaviour", _("What customers did"),
        _("Telling service and marketing what happened between customer and company"),
        _("legitimate interest; for marketing and analysis the consent of each purpose"), "PDPA s.19, s.24(5)",
        Whose.CUSTOMERS, _NO_ONE,
    ),
    Activity(
        "orders", _("Orders"), _("Delivery, service and the books"), _("contract, and the duty to keep accounts"),
        _("PDPA s.24(3), s.24(6); Accounting Act s.14"), Whose.CUSTOMERS, _NO_ONE,
    ),
    Activity(
        "service", _("Serving customers"), _("Calls, cases and notes, so that what was promised is kept"),
        _CONTRACT, "PDPA s.24(3), s.24(5)", Whose.CUSTOMERS, _NO_ONE,
    ),
    Activity(
        "audiences", _("Choosing whom to write to"),
        _("Segments, lists and computed values, and the exports made of them under consent"),
        _("consent of each purpose"), "PDPA s.19", Whose.CUSTOMERS,
        _("mail and message systems and advertising platforms, by exports that the gate lets through"),
    ),
    Activity(
        "consents", _("Consents"), _("Proving what was asked, answered and when, and obeying it"), _DUTY,
        "PDPA s.19, s.24(6)", Whose.CUSTOMERS, _NO_ONE,
    ),
    Activity(
        "requests", _("Requests of data subjects"), _("Answering access, erasure and the other rights in time"), _DUTY,
        "PDPA s.30 to s.36, s.39", Whose.CUSTOMERS, _("the person who asked"),
    ),
    Activity(
        "intake", _("Taking data in"), _("Messages and files on their way to a profile, and what could not be used"),
        _("legitimate interest in losing nothing that a system sent"), "PDPA s.24(5)", Whose.CUSTOMERS, _NO_ONE,
    ),
    Activity(
        "suppression", _("Keeping erased people out"), _("So that an erasure lasts, whatever is imported again"), _DUTY,
        "PDPA s.33", Whose.CUSTOMERS, _NO_ONE,
    ),
    Activity(
        "security", _("Security and proof"), _("Who saw and changed what; keeping others out"), _DUTY,
        "PDPA s.37(1), s.39", Whose.CUSTOMERS, _("an authority that asks by law"),
    ),
    Activity(
        "breaches", _("Breaches"), _("Telling the office and the people in time"), _DUTY, "PDPA s.37(4)",
        Whose.CUSTOMERS, _("the Personal Data Protection Committee's office"),
    ),
    Activity(
        "staff", _("Accounts of people who work here"), _("Logging in, permissions, and who answers for what"),
        _("employment contract and the duty to secure data"), "PDPA s.24(3), s.37(1)", Whose.STAFF, _NO_ONE,
    ),
    Activity(
        "configuration", _("Settings and definitions"), _("How the platform works; says nothing of a person"),
        _("none is needed"), "–", Whose.NOBODY, _NO_ONE,
    ),
    Activity(
        "operations", _("Running the platform"), _("Counts, schedules and states; says nothing of a person"),
        _("none is needed"), "–", Whose.NOBODY, _NO_ONE,
    ),
)  # fmt: skip

ACTIVITIES: Final[Mapping[str, Activity]] = {activity.key: activity for activity in _ALL}

RIGHTS: Final[Text] = _(
    "Access, portability, erasure, rectification, objection, restriction and withdrawal: by the public form, by a"
    " link to the preference page, by telephone, post or in person; within the days of the law that applies."
)
MEASURES: Final[Text] = _(
    "Roles and departments decide who sees what; identifiers are masked; logins take a second factor where the"
    " company says so; keys, sessions and files are kept under keys outside the database; every look and change is in a"
    " sealed audit."
)
