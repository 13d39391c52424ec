"""The mapping screen: from a file's columns to a mapping that somebody has looked at."""
