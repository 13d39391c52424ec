"""The event API: who may call, how often, and what a call may be."""
