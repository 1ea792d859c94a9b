"""Step Test set: from a file to labelled examples that can be trusted, and the prompt that carries them."""
