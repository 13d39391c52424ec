"""The builder: a form whose controls are named by their places in the definition's JSON."""
