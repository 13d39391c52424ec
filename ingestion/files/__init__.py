"""Files: kept encrypted, looked at, mapped to messages, landed row by row."""
