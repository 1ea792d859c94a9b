"""The commands on models: search, judge, fit, plan, update, download. Each asks the service and prints."""

from pathlib import Path
from typing import Annotated

import typer

from catalog.records import CacheType, FitEngine, FitSettings, ModelQuery, SortKey, TrendKey
from workbench import cli_values
from workbench.cli_parts import Home, Json, console, follow_job, leave, open_workbench, print_json

catalog_app = typer.Typer(help="The models that exist: search, judge, update.", no_args_is_help=True)

Context = Annotated[int, typer.Option(parser=cli_values.tokens, help="Tokens of context per sequence.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Sequences held at once.")]
Engine = Annotated[FitEngine, typer.Option(help="Engine assumed for the fit.")]
CacheFormat = Annotated[CacheType, typer.Option("--cache-type", help="Number format of the KV cache.")]
MachineName = Annotated[
    str | None, typer.Option(help="Another machine: a name of `workbench machines`, or a YAML or JSON file.")
]
Quantization = Annotated[str | None, typer.Option(help="Default: Q4_K_M, or the file's own.")]
MODEL_HELP = "Hub id, or path of a GGUF file, a Hugging Face folder or a config.json."
ModelName = Annotated[str, typer.Argument(help=MODEL_HELP)]


@catalog_app.command("search")
def catalog_search(  # noqa: PLR0913, PLR0917  one option per filter
    home: Home = None,
    text: Annotated[str | None, typer.Option(help="Words that the id must contain.")] = None,
    author: Annotated[str | None, typer.Option(help="Owner of the repository.")] = None,
    verdict: Annotated[
        str | None, typer.Option(help="allowed, conditional, unknown, forbidden; several with commas.")
    ] = None,
    license: Annotated[  # noqa: A002  the word the Hub uses
        list[str] | None, typer.Option(help="Declared license id; repeat for several.")
    ] = None,
    max_params: Annotated[int | None, typer.Option(parser=cli_values.parameters, help="Largest, such as 8B.")] = None,
    min_params: Annotated[int | None, typer.Option(parser=cli_values.parameters, help="Smallest.")] = None,
    min_context: Annotated[int | None, typer.Option(parser=cli_values.tokens, help="Smallest native context.")] = None,
    extended_context: Annotated[
        bool, typer.Option("--extended-context", help="A context that needs an extension counts, too.")
    ] = False,
    fits: Annotated[bool, typer.Option("--fits", help="Only models that run on the machine.")] = False,
    machine: MachineName = None,
    quantization: Annotated[str, typer.Option(help="Quantization assumed for the fit.")] = "Q4_K_M",
    context: Context = 4096,
    concurrency: Concurrency = 1,
    engine: Engine = "llama-cpp",
    cache_type: CacheFormat = "f16",
    format: Annotated[str | None, typer.Option(help="Weights format: gguf, safetensors.")] = None,  # noqa: A002
    library: Annotated[str | None, typer.Option(help="Library that the repository is made for.")] = None,
    task: Annotated[str | None, typer.Option(help="Task as the Hub spells it, such as text-generation.")] = None,
    language: Annotated[str | None, typer.Option(help="Language code.")] = None,
    gated: Annotated[
        bool | None, typer.Option("--gated/--open", help="Only models whose terms must be accepted, or only others.")
    ] = None,
    updated_since: Annotated[
        str | None, typer.Option(help="Changed on or after this date, such as 2026-01-31.")
    ] = None,
    sort: Annotated[SortKey, typer.Option(help="Order.")] = "downloads",
    limit: Annotated[int, typer.Option(min=1, help="Most rows shown.")] = 20,
    live: Annotated[bool, typer.Option("--live", help="Ask the Hub first; what it lists joins the catalog.")] = False,
    save: Annotated[str | None, typer.Option(help="Keep the models shown as a shortlist of this name.")] = None,
    as_json: Json = False,
) -> None:
    """Search the catalog; what is left out is counted by rule."""
    from workbench.cli_catalog_tables import print_search

    query = ModelQuery(
        text=text,
        author=author,
        verdicts=cli_values.verdicts(verdict) if verdict is not None else None,
        licenses=tuple(license) if license else None,
        max_parameters=max_params,
        min_parameters=min_params,
        min_context_tokens=min_context,
        extended_context=extended_context,
        fits=fits,
        machine=machine,
        quantization=quantization,
        context_tokens=context,
        concurrency=concurrency,
        engine=engine,
        cache_type=cache_type,
        format=format,
        library=library,
        task=task,
        language=language,
        gated=gated,
        updated_since=cli_values.date(updated_since) if updated_since is not None else None,
        sort=sort,
        limit=limit,
    )
    workbench = open_workbench(home)
    if live:
        follow_job(workbench, workbench.models.ask_hub(query), quiet=as_json, resume="the same command")
    result = workbench.models.search(query)
    kept = None
    if save is not None:
        kept = workbench.shortlists.keep_models(save, tuple(hit.model.id for hit in result.hits), query)
    if as_json:
        print_json("catalog search", result)
        return
    print_search(console(), result)
    if kept is not None:
        console().print(
            f"Kept as {kept.name} v{kept.version}. Ask: workbench catalog why MODEL --shortlist {kept.name}"
        )


@catalog_app.command("show")
def catalog_show(  # noqa: PLR0913, PLR0917  one option per choice
    model: ModelName,
    home: Home = None,
    machine: MachineName = None,
    context: Context = 4096,
    concurrency: Concurrency = 1,
    engine: Engine = "llama-cpp",
    live: Annotated[bool, typer.Option("--live", help="Ask the Hub for everything about it first.")] = False,
    as_json: Json = False,
) -> None:
    """Show one model: facts with sources, verdict with lineage, memory by quantization, speed."""
    from workbench.cli_catalog_tables import print_model

    models = open_workbench(home).models
    if live:
        models.refresh(model)
    if machine is None:
        models.measure_bandwidth()
    query = ModelQuery(machine=machine, context_tokens=context, concurrency=concurrency, engine=engine)
    page = models.page(model, query)
    if as_json:
        print_json("catalog show", page)
    else:
        print_model(console(), page)


@catalog_app.command("update")
def catalog_update(
    home: Home = None,
    task: Annotated[str, typer.Option(help="Task as the Hub spells it.")] = "text-generation",
    trending: Annotated[int | None, typer.Option(min=1, help="Only that many of the most trending.")] = None,
    as_json: Json = False,
) -> None:
    """Pull models from the Hub into the catalog and keep a dated snapshot; goes on where it was interrupted."""
    from workbench.hub_jobs import UpdateScope

    workbench = open_workbench(home)
    job = workbench.models.update(UpdateScope(task, trending))
    status = follow_job(workbench, job, quiet=as_json, resume="the same command")
    state = workbench.models.state()
    if as_json:
        print_json("catalog update", state)
    else:
        console().print(f"{status.message}. {state.snapshots} snapshots are kept.")


@catalog_app.command("trending")
def catalog_trending(
    home: Home = None,
    by: Annotated[TrendKey, typer.Option(help="What is ranked.")] = "model",
    task: Annotated[str | None, typer.Option(help="Only models of this task.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Compare with the snapshot of this date, or the last before.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most rows shown.")] = 20,
    as_json: Json = False,
) -> None:
    """Say what is rising between two snapshots of the Hub."""
    from workbench.cli_catalog_tables import print_trends

    since = cli_values.date(since) if since is not None else None
    found = open_workbench(home).models.trends(by=by, task=task, since=since, limit=limit)
    if as_json:
        print_json("catalog trending", found)
    else:
        print_trends(console(), found)


@catalog_app.command("add")
def catalog_add(
    model: Annotated[str, typer.Argument(help="Path of a model or of a folder of models, Hub id, or its address.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Add a model to the catalog: from this machine, or with everything the Hub says of it."""
    added = open_workbench(home).models.add(model)
    if as_json:
        print_json("catalog add", added)
        return
    for entry in added:
        console().print(f"Added {entry.id}", markup=False, soft_wrap=True)


@catalog_app.command("local")
def catalog_local(
    folders: Annotated[list[Path] | None, typer.Argument(help="More folders to look through.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List models on this machine: Hugging Face cache, LM Studio, Ollama, folders."""
    from workbench.cli_catalog_tables import print_local

    found = open_workbench(home).models.local_models(tuple(folders or ()))
    if as_json:
        print_json("catalog local", found)
    else:
        print_local(console(), found)


@catalog_app.command("why")
def catalog_why(
    model: Annotated[str, typer.Argument(help="Hub id.")],
    shortlist: Annotated[str, typer.Option(help="Name of a kept shortlist.")],
    home: Home = None,
    version: Annotated[int | None, typer.Option(min=1, help="Its version; default: the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Say why a model is on a kept shortlist, or is not."""
    answer = open_workbench(home).shortlists.why(model, shortlist, version)
    if as_json:
        print_json("catalog why", answer)
    else:
        rule = f" (rule {answer.rule})" if answer.rule else ""
        console().print(f"{answer.reason}{rule}", markup=False, soft_wrap=True)


def fit(  # noqa: PLR0913, PLR0917  one option per choice
    model: ModelName,
    home: Home = None,
    quantization: Quantization = None,
    context: Context = 4096,
    concurrency: Concurrency = 1,
    engine: Engine = "llama-cpp",
    cache_type: CacheFormat = "f16",
    machine: MachineName = None,
    as_json: Json = False,
) -> None:
    """Predict a model's memory on this machine or another."""
    from workbench.cli_catalog_tables import print_fit

    models = open_workbench(home).models
    settings = FitSettings(context_tokens=context, concurrency=concurrency, engine=engine, cache_type=cache_type)
    if quantization is None:
        settings = models.own_settings(model, settings)
    else:
        settings = settings.model_copy(update={"quantization": quantization})
    found = models.fit(model, settings, machine=machine)
    if as_json:
        print_json("fit", found)
    else:
        print_fit(console(), found)


def plan(  # noqa: PLR0913, PLR0917  one option per choice
    model: ModelName,
    home: Home = None,
    context: Context = 4096,
    concurrency: Concurrency = 1,
    quantization: Annotated[str, typer.Option(help="Quantization assumed.")] = "Q4_K_M",
    engine: Engine = "llama-cpp",
    cache_type: CacheFormat = "f16",
    as_json: Json = False,
) -> None:
    """Name the smallest machines that would do."""
    from workbench.cli_catalog_tables import print_plan

    settings = FitSettings(
        quantization=quantization,
        context_tokens=context,
        concurrency=concurrency,
        engine=engine,
        cache_type=cache_type,
    )
    found = open_workbench(home).models.plan(model, settings)
    if as_json:
        print_json("plan", found)
    else:
        print_plan(console(), found)
    leave(bool(found))


def machines(home: Home = None, as_json: Json = False) -> None:
    """List the machines to plan for, with memory, bandwidth and sources."""
    from workbench.cli_catalog_tables import print_machines

    found = open_workbench(home).models.machines()
    if as_json:
        print_json("machines", found)
    else:
        print_machines(console(), found)


def download(  # noqa: PLR0913, PLR0917  one option per choice
    model: Annotated[str, typer.Argument(help="Hub id or address; a quantization may follow a colon.")],
    home: Home = None,
    quantization: Annotated[str | None, typer.Option(help="Which GGUF file, such as Q4_K_M.")] = None,
    file: Annotated[list[str] | None, typer.Option(help="Exactly this file; repeat for several.")] = None,
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Fetch pickles: loading them can run code.")
    ] = False,
    allow_unsafe: Annotated[
        bool, typer.Option("--allow-unsafe", help="Fetch files that the Hub's scanners flag.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fetch the weights of a model, pinned and checked, into the Hugging Face cache."""
    from workbench.cli_catalog_tables import print_download

    workbench = open_workbench(home)
    wanted = workbench.models.plan_download(
        model,
        quantization,
        files=tuple(file) if file else None,
        allow_pickle=allow_pickle,
        allow_unsafe=allow_unsafe,
    )
    if not as_json:
        print_download(console(), wanted)
    follow_job(workbench, workbench.models.download(wanted), quiet=as_json, resume="the same command")
    here = workbench.models.local_weights(wanted.model_id)
    if as_json:
        print_json("download", {"plan": wanted.model_dump(mode="json"), "files": [f.path for f in here]})
    else:
        for weights in here:
            console().print(f"Here: {weights.path}", markup=False, soft_wrap=True)


def license_(
    license_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="License id as the Hub spells it.")] = None,
    home: Home = None,
    name: Annotated[str | None, typer.Option(help="License name beside `other`.")] = None,
    base: Annotated[str | None, typer.Option(help="Base model, whose license is inherited.")] = None,
    profile: Annotated[Path | None, typer.Option(help="JSON file with the profile; default: the one kept.")] = None,
    as_json: Json = False,
) -> None:
    """Judge any license, without a model: verdict, reasons, conditions, sources."""
    from workbench.cli_catalog_tables import print_verdict

    verdict = open_workbench(home).models.judge_license(license_id, name=name, base=base, profile=profile)
    if as_json:
        print_json("license", verdict)
    else:
        print_verdict(console(), verdict)


def model_commands(app: typer.Typer) -> None:
    """Add the commands that stand at the top level, because they are typed most."""
    for command in (fit, plan, machines, download):
        app.command()(command)
    app.command("license")(license_)
