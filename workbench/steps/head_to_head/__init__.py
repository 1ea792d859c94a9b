"""Step Head-to-head: one prompt, two to four candidates, answers side by side, a vote."""
