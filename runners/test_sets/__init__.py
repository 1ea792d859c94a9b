"""Test sets: reads labelled examples from files and finds what is wrong with them."""
