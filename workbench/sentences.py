"""The sentences that a person reads in the app, and how an expected error is shown.

Words of controls stand where the control is built; what is longer, or said in several places, stands here.
"""

import html
from collections.abc import Sequence

import gradio as gr

from catalog.errors import WorkbenchError
from workbench.job_words import job_amount
from workbench.records import JobStatus
from workbench.report.text import visible

STEPS = (
    ("choose", "Choose"),
    ("test-set", "Test set"),
    ("run", "Run"),
    ("compare", "Compare"),
    ("head-to-head", "Head-to-head"),
    ("recommend", "Recommend"),
)
"""Address and title of every step, in the order an engineer decides."""

NOT_LEGAL_ADVICE = "Our reading of the license, in plain words. Not legal advice."

DEMO_BUTTON = "Run the demo"
WELCOME_TITLE = "From two million open models to the one you can use"
WELCOME_TEXT = (
    "Shortlist by license and by what fits this machine, measure on your own labelled examples, and export a "
    "recommendation with its evidence."
)

NO_BENCHMARK_TITLE = "Nothing measured yet"
NO_BENCHMARK_TEXT = (
    "Start a benchmark in the step Run, or run the demo. Each candidate appears here as soon as it is measured."
)
NO_COMPARISON_TITLE = "No finished run yet"
NO_TEST_SET_TITLE = "No test set yet"
NO_TEST_SET_TEXT = (
    "Upload CSV, Excel, JSON or Parquet, one labelled example per row, or take the demo's 150 customer messages."
)
NOTHING_RUNS_TITLE = "Nothing runs"
NOTHING_RUNS_TEXT = (
    "Choose candidates and press Start. Runs go on when this page is closed; every run is a process of its own."
)
PICK_A_MODEL_TITLE = "No model selected"
PICK_A_MODEL_TEXT = "Select a model in the table to see its license, its memory and where each fact comes from."
NO_ANSWERS_TITLE = "No answers yet"
NO_ANSWERS_TEXT = (
    "Write a prompt, choose two to four candidates and press Ask. One candidate alone answers twice: a check of your "
    "own judgement."
)
SAME_TWICE = (
    "Both answers are the same, letter for letter. There is nothing to prefer: a tie, or both bad, is all that can be "
    "said."
)
NO_VOTES_ON_EXAMPLES = (
    "Nothing to compare yet: none of these votes is between two candidates on an example of a test set. Ask examples, "
    "one at a time or as a list, and judge the answers."
)
NO_LISTS_TITLE = "No list of prompts yet"
NO_LISTS_TEXT = (
    "Paste prompts, upload a file or draw examples of the test set. All candidates answer them in one job; then you "
    "judge pair by pair, blind."
)
ALL_JUDGED = "Every pair of this list is judged. Show the names to see who won; after that no vote can be changed."

NO_WEIGHTS = (
    "No weights of this model on this machine, and no files of it in the catalog. Ask the Hub which files there are, "
    "or search for a repository with GGUF in its name that was made from it."
)
NOT_ASKED_YET = "not known: ask the Hub for this model"
DOWNLOAD_STARTED = (
    "The download has started; its progress is in the sidebar. The weights appear above when they are here."
)
ASKED_HUB = "The Hub is being asked; progress is in the sidebar. The table shows what it lists when the job has ended."
UPDATE_STARTED = (
    "The update has started; its progress is in the sidebar. If it is interrupted, the next one goes on from there."
)
NO_LOCAL_MODELS_TITLE = "No models found on this machine"

REQUIRED_EXAMPLES_NOTE = (
    "Examples needed to show a difference of 5 points between two candidates (McNemar, 80 % power), by how often "
    "exactly one of the two is right:"
)

JOB_WORDS = {
    "queued": "waits",
    "running": "runs",
    "finished": "finished",
    "failed": "failed",
    "cancelled": "cancelled",
}


def shown_error(error: WorkbenchError) -> gr.Error:
    """The error as gradio shows it. Its text may quote files and models, so it is escaped."""
    lines = html.escape(visible(str(error)), quote=True).replace("\n", "<br>")
    return gr.Error(lines, title="This did not work", duration=15, print_exception=False)


def refusal(sentence: str) -> gr.Error:
    """Something the person asked for that the app cannot do as asked."""
    return gr.Error(html.escape(sentence), title="Not yet", duration=10, print_exception=False)


def no_benchmark_of_votes(names: Sequence[str], test_set: str) -> str:
    """Which benchmark would say whether votes on its examples follow its scorer."""
    who = " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
    return (
        f"Nothing to compare yet: no benchmark measured {who} on the examples of the test set {test_set} that these "
        "votes were cast on. Run one with the same files, engines and options and the same version of the test set; "
        "system prompts and temperatures set apart for each candidate belong to no benchmark."
    )


def job_line(job: JobStatus, left: str) -> str:
    """State of a job in a few words."""
    if job.state == "running" and job.message and not job.done:
        return job.message
    if job.state == "running":
        amount = job_amount(job)
        return amount + (f", {left} left" if left else "") if amount else "preparing"
    return JOB_WORDS[job.state]
