"""Segments for programs, under `/api/v1/segments`: which there are, who is in one, and, as a part of the customer's
answer, which of them a customer is in. Who is contacted is decided by the gate, not here: members are ids."""
