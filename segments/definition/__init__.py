"""The language of segments: JSON → nodes → SQL or Python, and a sentence. No module here but `parse` imports Django."""
