"""Step Choose: from the Hub, this machine and endpoints to a shortlist."""
