"""`bench fairness`: what a calm source notices of a noisy one that sends at ten times its rate."""

import statistics
import time

from cdp_site.operations.bench.ingest import web_server
from cdp_site.operations.bench.measure import ROUNDS, Result
from cdp_site.operations.bench.pacing import Answers, Pace, Sender
from ingestion import keys, sources
from ingestion.models import InboundBatch, SendingRate, Source

GOAL = 2.0
WINDOW_SECONDS = 6.0
CALM_REQUESTS = 50  # a second, one message each: 300 answers a window, the 99th percentile is the third worst
RATE = 1_000  # messages a second that the noisy source may send
TIMES = 10
NOISY_MESSAGES = 100  # a request
# The door learns of a changed rate within keys.CACHE_SECONDS.
SETTLING_SECONDS = keys.CACHE_SECONDS + 1


def run(url: str) -> list[Result]:
    """The calm source's p99 beside the noisy one ÷ alone, in interleaved windows: with the noisy source's rate, and
    without any for comparison. No worker runs: it is the door that is looked at."""
    calm, noisy = _source("bench-calm"), _source("bench-noisy")
    with (
        web_server(url) as port,
        Sender(port=port, write_key=keys.make(source=calm, by="system:bench")[1]) as calm_sender,
        Sender(port=port, write_key=keys.make(source=noisy, by="system:bench")[1]) as noisy_sender,
    ):
        street = _Street(calm_sender, noisy_sender)
        results = []
        for name, rate, goal in (("fairness.limited", RATE, GOAL), ("fairness.unlimited", None, None)):
            sources.set_doors(source=noisy, allowed_origins=[], rate_per_second=rate, by="system:bench")
            time.sleep(SETTLING_SECONDS)
            results.append(street.measure(name, goal=goal))
        return results


class _Street:
    """Two senders on one server."""

    def __init__(self, calm: Sender, noisy: Sender) -> None:
        self._calm = calm
        self._noisy = noisy

    def measure(self, name: str, *, goal: float | None) -> Result:
        self._window(with_noise=True)  # warm
        alone, beside, refused = [self._p99(with_noise=False)[0]], [], []
        ratios = []
        for _round in range(ROUNDS):
            p99, share = self._p99(with_noise=True)
            alone.append(self._p99(with_noise=False)[0])
            beside.append(p99)
            refused.append(share)
            ratios.append(p99 / statistics.fmean(alone[-2:]))
        return Result(
            name=name,
            value=round(statistics.median(beside), 1),
            unit="ms",
            limit=round(statistics.median(alone), 1),
            limit_name="p99 of the calm source alone",
            ratio=round(statistics.median(ratios), 2),
            goal=goal,
            lower_is_better=True,
            rounds=ROUNDS,
            note=f"p99 of {CALM_REQUESTS} requests a second beside a source that sends {RATE * TIMES:,} messages a "
            f"second, of which {statistics.median(refused):.0%} were refused",
        )

    def _p99(self, *, with_noise: bool) -> tuple[float, float]:
        """The calm source's 99th percentile in milliseconds, and the share of the noisy one's requests refused."""
        calm, noisy = self._window(with_noise=with_noise)
        if calm.count(200) != len(calm.statuses):
            raise RuntimeError(f"the calm source was answered {sorted(set(calm.statuses))}")
        refused = 0.0
        if noisy is not None:
            refused = noisy.count(429) / len(noisy.statuses)
            if unexpected := set(noisy.statuses) - {200, 429}:
                raise RuntimeError(f"the noisy source was answered {sorted(unexpected)}")
        return statistics.quantiles(calm.milliseconds, n=100)[98], refused

    def _window(self, *, with_noise: bool) -> tuple[Answers, Answers | None]:
        InboundBatch.objects.waiting().delete()
        SendingRate.objects.all().delete()
        mark = str(time.time_ns())
        if with_noise:
            self._noisy.begin(Pace(RATE * TIMES / NOISY_MESSAGES, NOISY_MESSAGES, WINDOW_SECONDS, f"noisy-{mark}"))
        self._calm.begin(Pace(CALM_REQUESTS, 1, WINDOW_SECONDS, f"calm-{mark}"))
        return self._calm.answers(), self._noisy.answers() if with_noise else None


def _source(slug: str) -> Source:
    return Source.objects.filter(slug=slug).first() or sources.create(
        name=slug, slug=slug, department=None, kind=Source.Kind.OTHER, by="system:bench"
    )
