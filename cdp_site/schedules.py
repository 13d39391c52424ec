"""Everything that the platform does by the clock: one list.

The job cluster copies it into django-q2's table when it starts, and deletes there what is no longer listed here.
"""

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True)
class Chore:
    """A function without arguments that runs regularly, in the job cluster.

    Attributes:
        function: its dotted path.
        every_minutes: the pause between two runs; or
        daily_at: the time of day in the company's time zone.
    """

    name: str
    function: str
    every_minutes: int | None = None
    daily_at: time | None = None

    def __post_init__(self) -> None:
        if (self.every_minutes is None) == (self.daily_at is None):
            raise ValueError(f"{self.name}: either every_minutes or daily_at")


CHORES = (
    Chore("sign of life", "cdp_site.operations.cluster.give_sign_of_life", every_minutes=1),
    Chore("seal the audit", "cdp_site.core.audit.seal_pending", every_minutes=1),
    Chore("take up dead erasures", "consent.jobs.resume_erasures", every_minutes=2),
    Chore("end holds whose time is up", "consent.jobs.end_holds", daily_at=time(3, 5)),
    Chore("write the database's files anew", "consent.jobs.rewrite_storage", daily_at=time(4, 5)),
    Chore("remove copies of personal data", "consent.jobs.remove_expired_packages", every_minutes=60),
    Chore("anchor the audit outside the database", "cdp_site.core.audit.write_anchor", daily_at=time(2, 30)),
    Chore("check the audit's chain", "consent.jobs.check_audit", daily_at=time(2, 40)),
    Chore("take up dead trials of imports", "ingestion.rehearsal.resume_abandoned", every_minutes=1),
    Chore("forget what can no longer be reverted", "profiles.reverting.forgetting.forget_old", daily_at=time(3, 40)),
    Chore("take up dead reverts", "profiles.reverting.job.resume_abandoned", every_minutes=1),
    Chore("take up dead trainings", "profiles.matching.training.resume_abandoned", every_minutes=1),
    Chore("take up dead rollbacks of models", "profiles.matching.rollback.resume_abandoned", every_minutes=1),
    Chore("ask the next questions about pairs", "profiles.matching.pools.top_up", every_minutes=2),
    Chore("match with a model taken into use", "profiles.matching.lifecycle.start_first_run", every_minutes=1),
    Chore("match what changed", "profiles.matching.runs.start_nightly", daily_at=time(1, 10)),
    Chore("take up dead runs of matching", "profiles.matching.runs.resume_abandoned", every_minutes=1),
    Chore("forget what old runs of matching changed", "profiles.matching.forgetting.forget_old", daily_at=time(3, 50)),
    Chore("look at the quality of the data", "profiles.matching.quality.look_nightly", daily_at=time(4, 50)),
    Chore("let go of calls that are over", "profiles.calling.lines.let_go", every_minutes=5),
    Chore("forget old openings of customers", "profiles.openings.forget_old", daily_at=time(3, 55)),
    Chore("take up dead exports", "segments.exports.job.resume_abandoned", every_minutes=1),
    Chore("remove exported files after a day", "segments.exports.files.remove_expired", every_minutes=10),
    Chore("remove strays of exports", "segments.exports.files.remove_strays", daily_at=time(3, 25)),
    Chore("take up dead imports", "ingestion.files.importer.resume_abandoned", every_minutes=1),
    Chore("remove strays of the import store", "ingestion.files.importer.remove_strays", daily_at=time(3, 20)),
    Chore("pull from databases", "ingestion.connections.pulls.run_due", every_minutes=1),
    Chore("look at watched folders", "ingestion.connections.watched_folders.look_at_all", every_minutes=1),
    Chore("watch the sources", "ingestion.health.watch.check", every_minutes=1),
    Chore("send alerts again", "ingestion.health.delivery.send_due", every_minutes=1),
    Chore("remove what is past its days", "ingestion.health.retention.remove_due", every_minutes=10),
    Chore("remove by the rules of retention", "consent.jobs.remove_by_rules", every_minutes=10),
    Chore("pass reports on again", "ingestion.webhooks.relay.deliver_due", every_minutes=1),
    Chore("forget unused nonces", "ingestion.webhooks.linking.forget_expired", every_minutes=10),
    Chore("end pins whose days are over", "profiles.pins.end_expired", every_minutes=1),
    Chore("read the words of names again", "profiles.name_index.fill_readings", every_minutes=1),
    Chore("count who bears a word of a name", "profiles.name_spellings.count_bearers", every_minutes=60),
    Chore("learn how names are written in both scripts", "profiles.name_spellings.learn", daily_at=time(4, 20)),
    Chore("discover products in orders", "profiles.catalogue.discover", every_minutes=30),
    Chore("tell of consents that have expired", "consent.jobs.tell_expired", every_minutes=60),
    Chore("keep requests going", "consent.jobs.keep_requests_going", every_minutes=2),
    Chore("watch deadlines of requests", "consent.jobs.watch_deadlines", every_minutes=30),
    Chore("send messages about requests", "consent.jobs.send_messages", every_minutes=1),
    Chore("match requests passed on", "consent.jobs.match_forwarded", every_minutes=10),
    Chore("forget old drafts of segments", "segments.builder.keeping.forget_old", daily_at=time(3, 25)),
    Chore("forget old passages of segments", "segments.membership.forgetting.forget_old", daily_at=time(3, 30)),
    Chore("back up", "cdp_site.operations.backup.making.make_daily", daily_at=time(2, 5)),
    Chore("end old sessions", "cdp_site.operations.chores.clear_expired_sessions", daily_at=time(3, 10)),
    Chore("write down the sizes of segments", "segments.sizes.write_down", daily_at=time(0, 20)),
    Chore("take up dead replays", "ingestion.corrections.undoing.resume_abandoned", every_minutes=1),
    Chore("let go of what replays no longer need", "ingestion.corrections.undoing.close_old", daily_at=time(3, 35)),
    Chore("forget old violations of the plan", "ingestion.plan.violations.forget_old", daily_at=time(3, 45)),
)
