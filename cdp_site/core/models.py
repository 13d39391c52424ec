"""What every other app stands on: people who work here, departments, the audit, heartbeats, operations."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractUser, Group
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.personal_data import NONE, PSEUDONYMOUS, Classification


class Department(models.Model):
    """One row: a department of the company. Written in the admin; never deleted while it owns anything.

    Its `group` carries the django-guardian grants on containers (sources, event types, trait groups) of
    other departments.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    name_th = models.CharField(_("name in Thai"), max_length=100, blank=True)
    group = models.OneToOneField(Group, on_delete=models.PROTECT, editable=False, related_name="department")

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name_th if get_language() == "th" and self.name_th else self.name

    def save(self, *args: object, **kwargs: object) -> None:
        if self.group_id is None:
            self.group, _created = Group.objects.get_or_create(name=f"department:{self.slug}")
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class Role(models.TextChoices):
    AGENT = "agent", _("Call-center agent")
    MARKETER = "marketer", _("Marketer")
    STEWARD = "steward", _("Data steward")
    COMPLIANCE = "compliance", _("Compliance")
    ANALYST = "analyst", _("Analyst")
    ADMIN = "admin", _("Administrator")


class User(AbstractUser):
    """One row: somebody who works with the product. Written in the admin; deactivated, never deleted."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}  # staff accounts, not customers

    role = models.CharField(_("role"), max_length=20, choices=Role.choices, blank=True)
    department = models.ForeignKey(
        Department, verbose_name=_("department"), null=True, blank=True, on_delete=models.PROTECT
    )
    language = models.CharField(_("language"), max_length=2, blank=True)
    # Sessions carry the number that they were made under. A trigger counts it up when role, department, password or
    # activity changes, whoever changes it: older sessions are over with their next request.
    session_epoch = models.IntegerField(default=0, editable=False)
    # May decide on requests of data subjects in these days although the role does not (`access.DELEGABLE`): a delegate
    # of another department, or cover for an absence.
    decides_from = models.DateField(null=True, editable=False)
    decides_until = models.DateField(null=True, editable=False)

    # Of the user that stands for a program (`core.machines.acting`), never of a person's.
    machine_key: ClassVar["MachineKey | None"] = None
    key_permissions: ClassVar[frozenset[str] | None] = None

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def save(self, *args: object, **kwargs: object) -> None:
        # The role is the one source of what a user may do: the admin site follows it.
        self.is_staff = self.is_superuser = self.role == Role.ADMIN
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class KnownDevice(models.Model):
    """One row: a browser from which a user has logged in. Written at each login, gone after half a year without one.

    Guessing from elsewhere never locks the user out here (`login.limits`).
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_devices")
    key = models.BinaryField(max_length=32)  # keyed hash of the browser's cookie
    since = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key"], name="device_known_once")]


class FailedLogins(models.Model):
    """One row: the tries of late under one limit (`login.limits`). Counted before each try; gone after it was right, or
    when its time is over."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    key = models.BinaryField(max_length=32, primary_key=True)  # keyed hash of what is limited: account, device, address
    until = models.DateTimeField()  # then it counts from one again
    count = models.IntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["until"], name="failed_logins_by_end")]  # the chore that forgets them


class MachineKeyQuerySet(models.QuerySet[Any]):
    def newest_first(self) -> Self:
        """With what a list shows of them."""
        return self.select_related("department", "created_by", "replaced_by").order_by("-pk")

    def replacing(self, former: "MachineKey") -> Self:
        """The one that took the place of this one."""
        return self.filter(replaces=former)


class MachineKey(models.Model):
    """One row: a key by which a program of the company reads or merges customers. Shown once when made; only prefix and
    hash are kept. Written by `machines.keys`; one that has ended stays as the record of who could read when."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    name = models.CharField(_("name"), max_length=120)  # of the program
    scopes = ArrayField(models.CharField(max_length=40))  # machines.scopes.KeyScope
    department = models.ForeignKey(Department, null=True, on_delete=models.PROTECT)  # whose eyes it has; null: all
    prefix = models.CharField(max_length=12)
    secret_hash = models.BinaryField(max_length=32, unique=True)  # SHA-256: the key itself has 256 random bits
    rate_per_second = models.PositiveIntegerField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    made_until = models.DateTimeField()  # the end that it was made with; rotating brings the real one forward
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)  # to the minute
    revoked_at = models.DateTimeField(null=True)
    replaces = models.OneToOneField("self", null=True, on_delete=models.SET_NULL, related_name="replaced_by")

    objects = MachineKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def is_live(self, now: datetime) -> bool:
        """Whether it is taken: neither revoked nor expired."""
        return self.revoked_at is None and now < self.expires_at


class MachineRate(models.Model):
    """One row: how far a program has come ahead of its rate (`core.rate_limits`). Written by `machines.doors`;
    unlogged, since after a crash each may start anew."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    key = models.OneToOneField(MachineKey, on_delete=models.CASCADE, primary_key=True, related_name="rate")
    used_until = models.DateTimeField()


class Operation(models.Model):
    """One row: something done as a whole that can be shown and reverted as a whole (import, merge, rebuild).

    Derived rows carry its id. Written once, when the operation starts; kept as long as rows refer to it.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Kind(models.TextChoices):
        IMPORT = "import", _("import")
        MERGE = "merge", _("merge")
        UNMERGE = "unmerge", _("unmerge")
        REFUSAL = "refusal", _("refusal")  # two records are not one person
        EXPORT = "export", _("export")
        RULE = "rule", _("rule")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    actor = models.CharField(max_length=60)  # "user:7" or "system:digest"
    at = models.DateTimeField(auto_now_add=True)


class AuditEvent(models.Model):
    """One row: who did what to which object, and which fields; never a value.

    Written by `audit.record` in the transaction of the change itself; a trigger forbids UPDATE, DELETE and
    TRUNCATE for everyone, so it is kept for ever. No foreign keys: it outlives what it names.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "target_id": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=60)
    action = models.CharField(max_length=60)
    target_type = models.CharField(max_length=60)
    target_id = models.CharField(max_length=64)
    fields = models.JSONField(default=list)  # names only

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["target_type", "target_id", "-id"], name="audit_of_target"),  # audit of one object
            models.Index(fields=["actor", "-id"], name="audit_of_actor"),  # audit of one user
            BrinIndex(fields=["at"], name="audit_by_time"),  # audit of some days; rows come in the order of time
        ]


class AuditSeal(models.Model):
    """One row: the link of the hash chain that seals one committed AuditEvent. Written by the sealer alone.

    commitment = SHA-256(salt ‖ canonical row); chain_hash = SHA-256(previous chain_hash ‖ commitment).
    Append-only by trigger like the events.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    sequence = models.BigAutoField(primary_key=True)
    event_id = models.BigIntegerField(unique=True)
    salt = models.BinaryField(max_length=16)
    commitment = models.BinaryField(max_length=32)
    chain_hash = models.BinaryField(max_length=32)


class AccessLogEntry(models.Model):
    """One row: a member of staff opened a customer ("who looked at me"). Written with each opening; goes with
    the customer's erasure."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "profile": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=60)
    profile = models.UUIDField()  # Profile.public_id
    what = models.CharField(max_length=40)  # "profile.view", "search.hit", "reveal"
    reason = models.CharField(max_length=40, blank=True)  # a code, never free text

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["profile", "-id"], name="access_to_profile"),  # who looked at this customer
            models.Index(fields=["actor", "-id"], name="access_by_actor"),  # recently opened by me
        ]


class Heartbeat(models.Model):
    """One row: the last sign of life of a long-running process, or of a check that runs by the clock, with its result.
    Overwritten by that process."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    name = models.CharField(max_length=40, primary_key=True)  # "worker", "cluster"
    at = models.DateTimeField()
    pid = models.IntegerField()
    detail = models.JSONField(default=dict)
