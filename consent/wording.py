"""What people read for the codes of this app."""

from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from cdp_site.core.personal_data import Ground
from consent.ledger import Evidence, OwnAct
from consent.models import ConsentEntry
from consent.states import State


class Justification(NamedTuple):
    """Why something is kept: for people, and the section for a certificate."""

    text: Text
    law: str


GROUNDS: dict[str, Justification] = {
    Ground.ACCOUNTING: Justification(
        _("Accounts are kept for five years; nothing in them leads to the person any more"), "Accounting Act s.14"
    ),
    Ground.PROOF: Justification(_("Proof of what was done and by whom; without values"), "PDPA s.39, s.40"),
    Ground.SUPPRESSION: Justification(
        _("Keyed hashes by which the person is kept out; they cannot be read back"), "PDPA s.33"
    ),
    Ground.CLAIM: Justification(_("Held for a legal claim; nobody uses it for anything else"), "PDPA s.33"),
    Ground.OBLIGATION: Justification(_("Held for a duty under a law; nobody uses it for anything else"), "PDPA s.33"),
}

EVIDENCE: dict[str, Text] = {
    Evidence.CALL: _("On the phone"),
    Evidence.IN_PERSON: _("In person"),
    Evidence.MESSAGE: _("In a message or e-mail"),
    Evidence.FORM: _("On a signed form"),
    OwnAct.PREFERENCES: _("On the preference page"),
    OwnAct.GPC: _("By the browser's privacy signal (GPC)"),
}

STATES: dict[str, Text] = {
    State.GRANTED: _("Granted"),
    State.REFUSED: _("Refused"),
    State.WITHDRAWN: _("Withdrawn"),
    State.NEVER: _("Never asked"),
    State.EXPIRED: _("Expired"),
    State.NEEDS_GUARDIAN: _("Needs a guardian"),
}

# What the rows of a table are called, by the label of the model.
TABLES: dict[str, Text] = {
    "core.AccessLogEntry": _("Log of who opened the customer"),
    "core.AuditEvent": _("Audit: what was done, without values"),
    "segments.SegmentExport": _("Exports of segments"),
    "segments.ExportMember": _("Exports that the customer was in or held out of"),
    "segments.StaticListMember": _("Lists that the customer is on"),
    "segments.SegmentState": _("Segments that the customer is in"),
    "segments.SegmentPassage": _("When the customer entered and left segments"),
    "segments.PendingMembership": _("Customers whose segments are looked at next"),
    "segments.ComputedValue": _("Values computed about the customer"),
    "segments.PendingValues": _("Customers whose values are computed next"),
    "consent.ConsentEntry": _("Consents given, refused and withdrawn"),
    "consent.RepeatedCell": _("Until when files repeated a consent"),
    "consent.VoidEntry": _("Consents without effect, since their import was reverted"),
    "consent.SecondedCell": _("Which imports repeated a consent"),
    "consent.DataSubjectRequest": _("Earlier requests: subject and note"),
    "consent.AccessPackage": _("Copies of the data, made for requests"),
    "consent.ForwardedRequest": _("Requests that systems passed on"),
    "consent.LegalHold": _("Rows under a legal hold"),
    "consent.BreachPerson": _("Breaches that affect the customer"),
    "consent.IdentityCode": _("One-time codes sent for a request"),
    "consent.OutgoingMessage": _("Messages about requests"),
    "profiles.Touchpoint": _("Touchpoints"),
    "profiles.TouchpointShare": _("Which imports brought a touchpoint"),
    "profiles.Order": _("Orders"),
    "profiles.OrderLine": _("Order lines"),
    "profiles.Refund": _("Refunds"),
    "profiles.OrderShare": _("What each import said about an order"),
    "profiles.Account": _("Accounts that only this person acts for"),
    "profiles.AccountMembership": _("Accounts that the person acts for"),
    "profiles.Note": _("Notes of staff"),
    "profiles.NoteDraft": _("Drafts of notes"),
    "profiles.AgentEdit": _("Changes by staff"),
    "profiles.Presence": _("Who has the page open"),
    "profiles.Call": _("Calls"),
    "profiles.CallerCheck": _("What callers were asked to show who they are"),
    "profiles.Case": _("Cases"),
    "profiles.CaseNote": _("Steps of cases"),
    "profiles.MatchLabel": _("What people said of pairs of records"),
    "profiles.ReviewPair": _("Pairs of records that wait for a person"),
    "profiles.MatchChange": _("What runs of matching did with records"),
    "profiles.ScoredPair": _("Pairs of records that were compared"),
    "profiles.RunRecord": _("Records that runs of matching looked at"),
    "profiles.BlockKey": _("Keys by which records are compared"),
    "profiles.UnmatchedChange": _("Records that the next run looks at"),
    "profiles.VerifiedRecord": _("Marks of verified records"),
    "profiles.CustomerOpening": _("Who opened the customer, and until when"),
    "profiles.QualityFinding": _("Where data quality names the customer"),
    "profiles.Pin": _("Pinned values"),
    "profiles.RecordShare": _("What each import said about a record"),
    "profiles.RecordName": _("Search index of names"),
    "profiles.NameToken": _("Words that only this person's name has"),
    "profiles.IdentifierKey": _("Keys by which records are joined"),
    "profiles.Identifier": _("Phone numbers, e-mail addresses and other ids"),
    "profiles.LinkDecision": _("Decisions that joined or parted records"),
    "profiles.PendingResolution": _("Records waiting to be compared"),
    "profiles.SourceRecordVersion": _("Earlier versions of records"),
    "profiles.Membership": _("Which record belonged to whom"),
    "profiles.SourceRecord": _("Records of the sources"),
    "profiles.Profile": _("Profiles"),
    "ingestion.InboundBatch": _("Messages waiting to be processed"),
    "ingestion.RelayDelivery": _("Reports on their way to a chatbot"),
    "ingestion.LinkNonce": _("Account links that have begun"),
    "ingestion.QuarantinedItem": _("Messages in quarantine"),
    "ingestion.FileImport": _("Imported files"),
    "ingestion.RowDigests": _("Marks of rows already read"),
    "ingestion.Pull": _("Marks of rows already asked for"),
    "ingestion.SeenMessage": _("Marks of messages already taken"),
    "ingestion.SuppressedIdentifier": _("Suppression list"),
}

# The stores that an erasure goes through, by the name of their holder.
STORES: dict[str, Text] = {
    "suppression": _("Hide the customer and keep them out"),
    "segments.exports": _("Segments and exports"),
    "segments.lists": _("Lists of customers"),
    "segments.membership": _("Membership of segments"),
    "segments.computed_traits": _("Computed values"),
    "core.cache": _("Remembered answers"),
    "consent.ledger": _("Consents"),
    "consent.packages": _("Copies of the data"),
    "consent.forwarded": _("Requests that systems passed on"),
    "consent.holds": _("Legal holds"),
    "consent.breaches": _("Breaches"),
    "consent.messages": _("Codes and messages about requests"),
    "profiles.touchpoints": _("Touchpoints"),
    "profiles.orders": _("Orders"),
    "profiles.accounts": _("Accounts"),
    "profiles.notes": _("Notes"),
    "profiles.calls": _("Calls"),
    "profiles.cases": _("Cases"),
    "profiles.editing": _("Changes and drafts by staff"),
    "profiles.matching": _("Matching of records"),
    "profiles.openings": _("For whom identifiers were open"),
    "profiles.records": _("Records and profile"),
    "ingestion.quarantine": _("Quarantine"),
    "ingestion.files": _("Imported files"),
    "ingestion.landing": _("Waiting messages"),
    "core.access_log": _("Access log"),
    "core.audit": _("Audit"),
    "core.statistics": _("Statistics of the database"),
}

# What the access log says of a look at a customer.
LOOKS: dict[str, Text] = {
    "profile.view": _("page"),
    "profile.timeline": _("timeline"),
    "profile.records": _("records"),
    "profile.notes": _("notes"),
    "profile.edit": _("change of a value"),
    "profile.cases": _("cases"),
    "profile.script": _("what to say"),
    "profile.sent": _("why a message was sent"),
    "profile.segment_why": _("why in a segment or not"),
    "segment.members": _("member of a segment"),
    "segment.sample": _("sample of a segment"),
    "segment.version_effect": _("change of a segment"),
    "profile.computed": _("computed values"),
    "profile.compare": _("comparison"),
    "profile.explanation": _("how the records became one"),
    "profile.household": _("related customers"),
    "profile.question": _("question for the call"),
    "profile.occasion": _("why they may call"),
    "call.card": _("card of somebody who may be calling"),
    "profile.api": _("programming interface"),
    "profile.consent": _("consent"),
    "profile.access_log": _("this log"),
    "profile.holds": _("legal holds"),
    "reveal": _("identifiers, for a reason"),
    "reveal.call": _("identifiers, in a verified call"),
    "request.intake": _("intake of a request"),
    "breach.people": _("people whom a breach affects"),
    "search.hit": _("search result"),
}

# Why a step failed, where it is not the kind of an error.
PROBLEMS: dict[str, Text] = {
    "rows_left": _("Rows were left over; they are tried again"),
    "no_holder": _("The app that answers for this store is not installed"),
}


def how(entry: ConsentEntry) -> Text:
    """By what evidence an entry was made, in a few words."""
    told = entry.evidence.get("how") if isinstance(entry.evidence, dict) else None
    return EVIDENCE.get(str(told), ConsentEntry.Origin(entry.origin).label)
