"""Calls that agents take: the number that calls, who it may be, two facts that show it, and the customer who is new.

A telephone system exchanges the number for a token (`lines.announce`), so that nothing personal stands in an address;
or the agent types it (`lines.begin`). `callers` says whose number it is, as a card that identifies nobody. `verifying`
checks what the caller answers, here and never on the screen: two facts open the customer for this call
(`profiles.openings`). `newcomers` makes a customer of somebody whom nobody knows.
"""

from profiles.calling.lines import current

__all__ = ["current"]
