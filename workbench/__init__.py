"""The service and its two faces, command line and web app. Holds no formula, no SQL and no subprocess."""

__version__ = "0.5.0"
