"""Changing what is known of a customer, by whoever talks to them.

What a member of staff types is a statement of the customer's agent record: it goes through intake, resolution and
survivorship as what a source states, so merge, unmerge, erasure and rebuild treat it alike. An address or a name is
changed as a whole, since its parts survive together. E-mails and phones become identifiers that propose and join
nobody. `fields`: what may be changed and what stands there; `reading`: what was typed; `changing`, `undoing`: the
change and its undo; `consequences`: what to know before.
"""
