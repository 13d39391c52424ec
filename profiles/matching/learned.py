"""A model of matching as it was learned. Pure: no Django."""
