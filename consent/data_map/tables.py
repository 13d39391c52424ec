"""Which activity each table belongs to, and how long its rows are kept. A table that is missing here fails a test."""

from collections.abc import Callable, Mapping
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cdp_site.core.errors import Text
from consent.models import KeepingRule
from ingestion.health import retention

Kept = Text | Callable[[], str]
Kind = KeepingRule.Kind


def _days(n: int) -> str:
    return ngettext("%(n)d day", "%(n)d days", n) % {"n": n}


def _people() -> str:
    """The company's rules of inactivity, as they are now."""
    rules = {rule.kind: rule.days for rule in KeepingRule.objects.filter(kind__in=[Kind.CUSTOMERS, Kind.VISITORS])}
    said = [_("until the person is erased")]
    if Kind.CUSTOMERS in rules:
        days = _days(rules[Kind.CUSTOMERS])
        said.append(_("customers at most %(days)s after their last sign of life") % {"days": days})
    if Kind.VISITORS in rules:
        said.append(_("visitors at most %(days)s after theirs") % {"days": _days(rules[Kind.VISITORS])})
    return "; ".join(said)


def _values() -> str:
    return _together(Kind.TRAITS)


def _touchpoints() -> str:
    return _together(Kind.TOUCHPOINTS)


def _together(kind: str) -> str:
    rules = KeepingRule.objects.filter(kind=kind).select_related("event_type", "trait_group")
    own = [f"{rule.event_type or rule.trait_group}: {_days(rule.days)}" for rule in rules]
    return "; ".join([_people(), *own])


def _raw(name: str) -> Callable[[], str]:
    """Numbers of the company; a source may have its own."""

    def said() -> str:
        days = _days(getattr(retention.company_days(), name))
        return _("%(days)s, or as long as its source says") % {"days": days}

    return said


KEPT: Final[Mapping[str, Kept]] = {
    "person": _people,
    "values": _values,
    "touchpoints": _touchpoints,
    "quarantine": _raw("quarantine_days"),
    "files": _raw("file_days"),
    "batches": _raw("batch_days"),
    "accounts": gettext_lazy("until the person is erased; five years where the accounts need it, without the person"),
    "proof": gettext_lazy("for good, as proof; without values"),
    "request": gettext_lazy("for good, as proof; what names the person goes when the request has ended"),
    "hold": gettext_lazy("until the hold is released; that there was one stays as proof"),
    "suppression": gettext_lazy("as long as the erasure has to last; keyed hashes alone"),
    "short": gettext_lazy("minutes to days, until it has done its work"),
    "days90": gettext_lazy("90 days, or until the person is erased"),
    "days430": gettext_lazy("430 days, or until the person is erased"),
    "weeks2": gettext_lazy("until it is saved, two weeks at most"),
    "session": gettext_lazy("until the login ends, twelve hours at most"),
    "employment": gettext_lazy("while the account is needed; a deactivated one stays, as proof of who acted"),
    "ever": gettext_lazy("until somebody removes it"),
}

# activity → how long → labels of the models.
_TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "customers": {
        "values": "profiles.SourceRecord profiles.SourceRecordVersion profiles.Profile profiles.RecordShare",
        "person": """
            profiles.Membership profiles.Identifier profiles.IdentifierKey profiles.LinkDecision profiles.RecordName
            profiles.NameToken profiles.Pin profiles.Account profiles.AccountMembership
        """,
        "short": "profiles.PendingResolution",
    },
    "matching": {
        "person": """
            profiles.MatchLabel profiles.ReviewPair profiles.BlockKey profiles.VerifiedRecord profiles.QualityFinding
        """,
        "days90": "profiles.MatchChange profiles.RunRecord profiles.ScoredPair",
        "short": "profiles.UnmatchedChange",
    },
    "behaviour": {"touchpoints": "profiles.Touchpoint profiles.TouchpointShare"},
    "orders": {"accounts": "profiles.Order profiles.OrderLine profiles.Refund profiles.OrderShare"},
    "service": {
        "person": "profiles.Note profiles.Case profiles.CaseNote profiles.AgentEdit",
        "days90": "profiles.Call profiles.CallerCheck",
        "weeks2": "profiles.NoteDraft",
        "short": "profiles.Presence",
    },
    "audiences": {
        "person": "segments.SegmentState segments.ComputedValue segments.StaticListMember segments.ExportMember",
        "days430": "segments.SegmentPassage",
        "short": "segments.PendingMembership segments.PendingValues",
    },
    "consents": {"person": "consent.ConsentEntry consent.RepeatedCell consent.VoidEntry consent.SecondedCell"},
    "requests": {
        "request": "consent.DataSubjectRequest consent.ForwardedRequest consent.AccessPackage",
        "proof": "consent.ErasureStep consent.RequestAlert",
        "hold": "consent.LegalHold",
        "short": "consent.OutgoingMessage consent.IdentityCode",
    },
    "intake": {
        "batches": "ingestion.InboundBatch",
        "quarantine": "ingestion.QuarantinedItem",
        "files": "ingestion.FileImport ingestion.RowDigests ingestion.ImportTrial ingestion.ArrivedFile",
        "short": "ingestion.RelayDelivery ingestion.LinkNonce",
        "ever": "ingestion.Pull",
    },
    "suppression": {"suppression": "ingestion.SuppressedIdentifier ingestion.SeenMessage"},
    "security": {
        "proof": "core.AuditEvent core.AuditSeal",
        "person": "core.AccessLogEntry",
        "days90": "profiles.CustomerOpening",
    },
    "breaches": {"proof": "consent.Breach", "person": "consent.BreachPerson"},
    "staff": {
        "employment": """
            core.User core.KnownDevice core.User_groups core.User_user_permissions profiles.PanelPlace admin.LogEntry
            account.EmailAddress account.EmailConfirmation mfa.Authenticator socialaccount.SocialAccount
            socialaccount.SocialToken guardian.UserObjectPermission
        """,
        "session": "sessions.Session",
        "short": "core.FailedLogins",
    },
    "configuration": {
        "ever": """
            core.Department core.MachineKey ingestion.Source ingestion.WriteKey ingestion.WatchRule
            ingestion.AlertRecipient ingestion.CorrectionRule ingestion.Rulebook ingestion.FieldMapping
            ingestion.RetentionRule ingestion.PlanSchema ingestion.WatchedFolder ingestion.Webhook
            profiles.EventType profiles.TraitGroup profiles.Trait profiles.Product profiles.Term profiles.Synonym
            profiles.ExchangeRate consent.Purpose consent.Notice consent.MessageGateway consent.KeepingRule
            segments.SegmentFolder segments.Segment segments.SegmentVersion segments.SegmentGrant segments.Script
            segments.ScriptVersion segments.StaticList segments.ComputedTrait segments.ComputedTraitVersion
            segments.SegmentExport profiles.MatchModel auth.Group auth.Group_permissions auth.Permission
            guardian.GroupObjectPermission contenttypes.ContentType socialaccount.SocialApp
        """,
        "weeks2": "segments.SegmentDraft segments.DraftStep",
    },
    "operations": {
        "ever": """
            core.Heartbeat core.MachineRate core.Operation ingestion.SendingRate ingestion.Alert ingestion.AlertDelivery
            ingestion.Replay ingestion.ReceivedHour ingestion.ImportRollUp
            ingestion.FutureHour ingestion.RejectedHour ingestion.RemovedByRetention
            ingestion.PlanObservation ingestion.PlanViolation profiles.MatchRun profiles.QualityLook profiles.Revert
            segments.SegmentFreshness segments.SegmentSize consent.RemovedByRule
        """,
        "short": "django_q.OrmQ django_q.Task django_q.Schedule",
    },
}

# Label → (activity, how long).
TABLES: Final[Mapping[str, tuple[str, str]]] = {
    label: (activity, kept)
    for activity, by_kept in _TABLES.items()
    for kept, labels in by_kept.items()
    for label in labels.split()
}

# Tables that no model stands for: name → (activity, how long, what it is, columns with their types). What is counted
# for pages is cached without a customer's values, and an erasure empties it.
BARE: Final[Mapping[str, tuple[str, str, Text, Mapping[str, str]]]] = {
    "core_cache": (
        "operations",
        "short",
        gettext_lazy("Cache of counts and lists"),
        {"cache_key": "CharField", "value": "TextField", "expires": "DateTimeField"},
    ),
    "django_migrations": (
        "operations",
        "ever",
        gettext_lazy("Which changes of the schema were made"),
        {"id": "BigAutoField", "app": "CharField", "name": "CharField", "applied": "DateTimeField"},
    ),
}

# Fields that do not go with their row.
FIELDS: Final[Mapping[tuple[str, str], str]] = {
    ("ingestion.FileImport", "stored_as"): "files",
    ("profiles.Call", "sealed_number"): "short",
    ("profiles.Order", "profile"): "person",
    ("profiles.Order", "record"): "person",
    ("profiles.Order", "tracking_number"): "person",
    ("profiles.Order", "tracking_url"): "person",
    ("profiles.Order", "url"): "person",
}


def kept(code: str) -> Text:
    """How long, in words, by the rules as they are now."""
    said = KEPT[code]
    return said() if callable(said) else said
