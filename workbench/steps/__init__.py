"""One module per step of the app."""
