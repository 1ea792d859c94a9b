"""What can go wrong in the catalog.

WorkbenchError          every expected error of the project; its text is a sentence for the person
└── CatalogError
    ├── ModelNotFound       no such model in the catalog, on disk or on the Hub
    ├── BadWeightsFile      a file that is missing, truncated, corrupt or not what it says
    ├── HubUnavailable      the Hub cannot be reached or refuses
    ├── DownloadRefused     pickles, flagged files or a full disk: needs a decision before anything is fetched
    ├── Cancelled           stopped because the user asked
    ├── BadMachine          no such machine profile, or a file of one that does not parse
    └── BadCatalogData      the shipped data or a snapshot does not parse
"""


class WorkbenchError(Exception):
    """An expected error. Its text says what happened, the value seen, and what to do next."""


class CatalogError(WorkbenchError):
    """Base of the catalog's errors."""


class ModelNotFound(CatalogError):
    """No such model in the catalog, on disk or on the Hub."""


class BadWeightsFile(CatalogError):
    """A weights file that is missing, truncated, corrupt or not what it says."""


class HubUnavailable(CatalogError):
    """The Hub cannot be reached, or refuses the request."""


class DownloadRefused(CatalogError):
    """A download that needs a decision first: pickles, files that scanners flagged, code, or too little disk."""


class Cancelled(CatalogError):
    """Stopped because the user asked for it."""


class BadCatalogData(CatalogError):
    """Shipped data or a snapshot that does not parse."""


class BadMachine(CatalogError):
    """No machine profile of that name, or a file of one that does not parse."""
