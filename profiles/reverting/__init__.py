"""Taking back what an import, or a replay of held messages, brought into the profiles.

What only the operation said goes; what others said as well stays as they said it; what somebody changed since stays as
it is. `taking` names what is taken back and lends the upper apps a hand in it, `events` and `records` do a chunk at a
time, `job` carries a revert through and foresees it.
"""
