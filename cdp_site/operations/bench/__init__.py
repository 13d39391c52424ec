"""Benchmarks: every speed is a ratio against a limit that is measured in the same run.

Absolute figures of a small shared machine swing by a factor of 2 to 5; a ratio of interleaved rounds does not.
Run by `manage.py bench NAME`; the goals and the last figures are in the README.
"""
