"""Learning a model from verdicts. Pure: no Django."""
