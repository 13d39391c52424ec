"""Requests of data subjects: taken in, decided by a second person, carried out within the law's time.

What other rooms of the house call stands here; each step has a module of its own.
"""

from consent.requests.deciding import approve, close, extend, lift, refuse, retry
from consent.requests.intake import receive

__all__ = ["approve", "close", "extend", "lift", "receive", "refuse", "retry"]
