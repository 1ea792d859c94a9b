"""What a model's config.json says: facts.py is the entry; the others read one part each."""
