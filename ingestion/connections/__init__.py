"""Databases that are asked and folders that are watched."""
