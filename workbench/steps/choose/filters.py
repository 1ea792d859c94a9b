"""The controls of the step Choose as values: what a person set, as profile and query, and back."""

from typing import Any, NamedTuple

import gradio as gr

from catalog.records import FitEngine, ModelQuery, Profile
from catalog.weights import known_quantizations
from workbench.steps.choose import view

ANY = "any"
"""Choice of a filter that does not filter."""
THIS_MACHINE = "this machine"
"""Choice of the machine that the app runs on."""
SHOWN = 50
"""Rows of the result table."""
USUAL: dict[FitEngine, str] = {"llama-cpp": "Q4_K_M", "vllm": "AWQ"}
"""Quantization that is assumed where an engine does not know the chosen one."""


class ProfileValues(NamedTuple):
    """Values of the profile's controls, in their order."""

    commercial: bool
    eu_based: bool
    trains_on_outputs: bool
    hosts_or_redistributes: bool
    monthly_users: float | None
    annual_revenue_usd: float | None

    def profile(self) -> Profile:
        """As the service keeps it; an empty number is 0."""
        return Profile(
            commercial=self.commercial,
            eu_based=self.eu_based,
            trains_on_outputs=self.trains_on_outputs,
            hosts_or_redistributes=self.hosts_or_redistributes,
            monthly_users=int(self.monthly_users or 0),
            annual_revenue_usd=int(self.annual_revenue_usd or 0),
        )


class FilterValues(NamedTuple):
    """Values of the filters' controls, in their order."""

    text: str | None
    verdicts: list[str]
    task: str
    format: str
    sort: str
    min_billions: float | None
    max_billions: float | None
    min_context: float | None
    fits: bool
    machine: str
    quantization: str
    context: float | None
    concurrency: float | None
    author: str | None
    language: str | None
    gated: str
    where: str
    extended_context: bool
    engine: str
    cache_type: str

    def query(self) -> ModelQuery:
        """As the service searches; a quantization that the engine does not know becomes the engine's usual one."""
        engine: FitEngine = "vllm" if self.engine == "vllm" else "llama-cpp"
        known = known_quantizations(engine)
        return ModelQuery.model_validate(
            {
                "text": (self.text or "").strip() or None,
                "verdicts": tuple(self.verdicts) if 0 < len(self.verdicts) < len(view.ALL_VERDICTS) else None,
                "task": _chosen(self.task),
                "format": _chosen(self.format),
                "sort": self.sort,
                "min_parameters": int(self.min_billions * 1e9) if self.min_billions else None,
                "max_parameters": int(self.max_billions * 1e9) if self.max_billions else None,
                "min_context_tokens": int(self.min_context) if self.min_context else None,
                "extended_context": self.extended_context,
                "fits": self.fits,
                "machine": None if self.machine in {"", THIS_MACHINE} else self.machine,
                "quantization": self.quantization if self.quantization in known else USUAL[engine],
                "context_tokens": max(1, int(self.context or 4096)),
                "concurrency": max(1, int(self.concurrency or 1)),
                "author": (self.author or "").strip() or None,
                "language": (self.language or "").strip() or None,
                "gated": {"open": False, "gated": True}.get(self.gated),
                "kind": {"Hub": "hub", "this machine": "local"}.get(self.where),
                "engine": engine,
                "cache_type": self.cache_type,
                "limit": SHOWN,
            }
        )

    @classmethod
    def of(cls, query: ModelQuery) -> "FilterValues":
        """What the controls show for a query."""
        return cls(
            text=query.text or "",
            verdicts=[str(value) for value in query.verdicts or view.ALL_VERDICTS],
            task=query.task or ANY,
            format=query.format or ANY,
            sort=query.sort,
            min_billions=_billions(query.min_parameters),
            max_billions=_billions(query.max_parameters),
            min_context=query.min_context_tokens,
            fits=query.fits,
            machine=query.machine or THIS_MACHINE,
            quantization=query.quantization,
            context=query.context_tokens,
            concurrency=query.concurrency,
            author=query.author or "",
            language=query.language or "",
            gated={False: "open", True: "gated", None: ANY}[query.gated],
            where={"hub": "Hub", "local": "this machine", None: ANY}[query.kind],
            extended_context=query.extended_context,
            engine=query.engine,
            cache_type=query.cache_type,
        )


def profile_summary(profile: Profile) -> str:
    """The profile in one line."""
    parts = [
        "commercial" if profile.commercial else "not commercial",
        "EU-based" if profile.eu_based else "not EU-based",
        f"{profile.monthly_users:,} users a month",
        f"${profile.annual_revenue_usd:,} a year",
    ]
    parts += ["trains on outputs"] if profile.trains_on_outputs else []
    parts += ["hosts or redistributes"] if profile.hosts_or_redistributes else []
    return "Profile: " + " · ".join(parts)


def more_summary(query: ModelQuery) -> str:
    """Says how many of the folded filters are set."""
    plain = ModelQuery()
    names = ("author", "language", "gated", "kind", "extended_context", "engine", "cache_type")
    count = sum(getattr(query, name) != getattr(plain, name) for name in names)
    return f"More filters ({count} set)" if count else "More filters"


def quantization_choice(query: ModelQuery) -> Any:
    """The choices of the engine, finest first."""
    return gr.Dropdown(choices=list(reversed(known_quantizations(query.engine))), value=query.quantization)


def _chosen(value: str) -> str | None:
    return None if value == ANY else value


def _billions(value: int | None) -> float | None:
    return None if value is None else value / 1e9
