"""Customers and their merges for programs, under `/api/v1/profiles/`: what a steward does in the browser, by the same
functions. `requests` says what is taken, `answers` what is given, `views` who may."""
