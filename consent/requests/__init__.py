"""Requests of data subjects: taken in, decided by a second person, carried out within the law's time.

What other rooms of the house call stands here; each step has a module of its own.
"""

from consent.requests.deciding import JOB, approve, refuse, retry
from consent.requests.intake import DAYS_TO_ACT, receive

__all__ = ["DAYS_TO_ACT", "JOB", "approve", "receive", "refuse", "retry"]
