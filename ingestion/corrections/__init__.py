"""Corrections: rules by which messages that could not be used become usable, on arrival and for what is held back."""
