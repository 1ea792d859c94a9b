"""Step Compare: what was measured, how sure it is, and the examples behind it."""
