"""Drawing the report from the records."""
