"""The commands that score stored answers with another model: a judge, embeddings."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from workbench import cli_values
from workbench.cli_parts import Home, Json, console, follow_job, leave, open_workbench, print_json

WAITING = "Waiting for a benchmark that is running on this machine: this would spoil its times …"


def judge(
    benchmark: Annotated[str, typer.Argument(help="Benchmark whose stored answers are judged.")],
    judge_file: Annotated[Path, typer.Option("--with", help="Judge file: who judges, by which rubric.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Have a model grade or compare the stored answers of a benchmark; code 3 where its grades cannot be relied on."""
    from workbench.cli_judge_tables import print_judging

    workbench = open_workbench(home)
    plan = workbench.judges.plan_file(benchmark, judge_file)
    for note in plan.notes:
        Console(stderr=True, soft_wrap=True, highlight=False).print(note, markup=False)
    job_id = workbench.judges.start(plan)
    follow_job(workbench, job_id, quiet=as_json, resume="the same command: what is finished is kept")
    report = workbench.judges.report(job_id)
    if as_json:
        print_json("judge", report)
    else:
        print_judging(console(), report)
    leave(report.warning is None)


def score(  # noqa: PLR0913, PLR0917  one option per choice
    benchmark: Annotated[str, typer.Argument(help="Benchmark whose stored answers are scored.")],
    embeddings: Annotated[
        str | None, typer.Option(help="Embedding GGUF: path, folder or Hub id. Cosine to the right answer (SemScore).")
    ] = None,
    sentence_transformers: Annotated[
        str | None, typer.Option(help="The same by a sentence-transformers model: name or folder.")
    ] = None,
    bert_score: Annotated[str | None, typer.Option(help="BERTScore by this model: name or folder.")] = None,
    layers: Annotated[
        int | None, typer.Option(min=1, help="BERTScore: layer to compare, where bert-score does not know the model.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="Embeddings: text before every text, such as 'query: '.")] = "",
    context: Annotated[int, typer.Option(parser=cli_values.tokens, help="Embeddings: most tokens of a text.")] = 2048,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Compare stored answers with the right ones by another model: embeddings or BERTScore; runs nothing again."""
    from runners.text_pass import TextPass, TextPassKind
    from workbench.cli_judge_tables import print_pass

    named: tuple[tuple[TextPassKind, str | None], ...] = (
        ("llama", embeddings),
        ("sentence_transformers", sentence_transformers),
        ("bert_score", bert_score),
    )
    given = [(kind, model) for kind, model in named if model is not None]
    if len(given) != 1:
        raise typer.BadParameter("Give one of --embeddings, --sentence-transformers and --bert-score.")
    ((kind, model),) = given
    wanted = TextPass(kind=kind, model=model, texts=(), pairs=(), prefix=prefix, layers=layers, context_tokens=context)
    progress = Console(stderr=True, quiet=as_json, highlight=False)
    report = open_workbench(home).text_passes.score(
        benchmark,
        wanted,
        on_progress=lambda done, total: progress.print(f"{done} of {total} texts"),
        on_wait=lambda: progress.print(WAITING),
    )
    if as_json:
        print_json("score", report)
    else:
        print_pass(console(), report)


def pass_commands(app: typer.Typer) -> None:
    """Add the commands at the top level."""
    app.command()(judge)
    app.command()(score)
