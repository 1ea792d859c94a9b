"""The index: search over millions of models, with every model left out counted by the rule that left it out.

models.py is the index itself · columns.py reads columns of what is stored · rows.py says what is stored of a model,
figures.py its numbers · filters.py leaves out · fit.py judges memory of many at once
"""

from catalog.index.models import Index

__all__ = ["Index"]
