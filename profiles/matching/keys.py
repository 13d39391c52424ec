"""Blocking keys that need no learning. Pure: no Django."""
