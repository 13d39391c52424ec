"""Pure rules that turn what sources send into comparable values.

Nothing here imports Django, reads the database or the clock: the same input and parameters give the same output for
ever, so that a rebuild reproduces what the first digest did.
"""
