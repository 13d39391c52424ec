"""The rates of sources (`core.rate_limits`): how many messages a second each may send to the event API and by
webhooks."""

from django.db import connection

from cdp_site.core import memory
from cdp_site.core.rate_limits import Limiter, RateProblem


class SourceRateProblem(RateProblem):
    """The source sends faster than it may: nothing was kept, the client sends it again later."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            seconds,
            "This source sends more messages a second than it may; send this again later.",
            hint="Retry-After says in how many seconds. An administrator can raise the source's rate.",
        )


_CHARGE = """
INSERT INTO ingestion_sendingrate AS r (source_id, used_until)
VALUES (%(source)s, clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (source_id) DO UPDATE
       SET used_until = greatest(r.used_until, clock_timestamp()) + make_interval(secs => %(seconds)s)
RETURNING extract(epoch FROM used_until - clock_timestamp())::float8
"""


def charge(source_id: int, seconds: float) -> float:
    """Use up that many seconds of the source's rate, whoever sends; returns how far ahead of now it has. One statement,
    which waits for no disk: the table is unlogged."""
    with connection.cursor() as cursor:
        cursor.execute(_CHARGE, {"source": source_id, "seconds": seconds})
        ahead: float = cursor.fetchone()[0]
        return ahead


limiter = Limiter(charge=charge, refusal=SourceRateProblem)
memory.forgets(limiter.forget)
