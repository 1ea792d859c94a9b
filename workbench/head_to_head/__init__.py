"""Head-to-head: prompts put to several candidates, live or as a list, and judged by people.

What is kept of it is results/head_to_head_records.py's; here is the work: who is loaded, who is asked what, and which
answers are shown to be judged.
"""
