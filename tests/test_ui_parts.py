"""The app's parts that need no browser: escaping, tables, values of controls, CSV, the port."""

import socket
from typing import Any

import gradio as gr
import pytest

from catalog.errors import ModelNotFound
from catalog.records import ModelQuery, VerdictValue
from results.requirement_records import Limits, Prices, Requirements, TokenPrices, Weights
from workbench.app_start import free_port
from workbench.csv_export import neutralise_cell, write_csv
from workbench.errors import Busy
from workbench.sentences import shown_error
from workbench.steps import render
from workbench.steps.choose.filters import FilterValues
from workbench.steps.recommend.requirements import RequirementValues
from workbench.steps.wiring import bind

HOSTILE = "<script>alert('x')</script>\" onload=\"y"


def test_text_never_becomes_markup() -> None:
    shown = render.tag("p", HOSTILE, render.tag("b", HOSTILE), title=HOSTILE)
    assert "<script" not in shown
    assert 'onload="' not in shown
    assert shown.count("&lt;script&gt;") == 3


def test_control_characters_of_untrusted_text_are_visible() -> None:
    assert "⟨U+202E⟩" in render.untrusted("a\u202eb")
    assert "3 more characters" in render.untrusted("abcdef", limit=3)


def test_a_table_sorts_by_values_and_not_by_what_is_shown() -> None:
    table = render.table("T", [render.Column("Size", numeric=True)], [render.Row([render.Cell("1.0 GiB", 2**30)])])
    assert f'data-order="{2**30}"' in table
    assert 'aria-label="T"' in table


def test_only_web_addresses_become_links() -> None:
    assert "<a " in render.outside_link("https://example.org", "there")
    assert render.outside_link("javascript:alert(1)", "there") == "there"


def test_filters_and_queries_turn_into_each_other() -> None:
    query = ModelQuery(
        text="llama",
        verdicts=(VerdictValue.ALLOWED,),
        max_parameters=3_000_000_000,
        fits=True,
        quantization="Q8_0",
        limit=50,
    )
    assert FilterValues(*FilterValues.of(query)).query() == query


def test_requirements_survive_the_controls() -> None:
    requirements = Requirements(
        limits=Limits(min_quality=0.7, max_e2e_p95_seconds=2.5, max_peak_memory_bytes=2 * 2**30),
        weights=Weights(quality=1, latency=0.5, memory=0),
    )
    assert RequirementValues(*RequirementValues.of(requirements)).requirements() == requirements


def test_requirements_without_a_control_are_kept() -> None:
    endpoints = {"hosted": TokenPrices(input_per_million=1, output_per_million=2)}
    kept = Requirements(limits=Limits(metrics={"macro_f1": 0.6}), prices=Prices(endpoints=endpoints, currency="USD"))
    shown = RequirementValues(*RequirementValues.of(kept))._replace(max_load=3.0, machine_per_hour=2.0)
    asked = shown.requirements(kept)
    assert (asked.limits.metrics, asked.limits.max_load_seconds) == ({"macro_f1": 0.6}, 3.0)
    assert (asked.prices.endpoints, asked.prices.currency, asked.prices.machine_per_hour) == (endpoints, "USD", 2.0)


def test_expected_errors_become_escaped_sentences() -> None:
    def fail(name: str) -> str:
        raise ModelNotFound(f"No model {name}.\nSearch by a part of its name.")

    with pytest.raises(gr.Error) as caught:
        bind(fail, "<b>x</b>")()
    assert caught.value.message == "No model &lt;b&gt;x&lt;/b&gt;.<br>Search by a part of its name."
    assert shown_error(ModelNotFound("x")).print_exception is False


def test_bound_handlers_keep_the_annotations_that_gradio_looks_for() -> None:
    def handle(first: str, value: str, event: gr.EventData) -> tuple[Any, ...]:
        return first, value, event

    bound = bind(handle, "given")
    assert bound.__annotations__ == {"value": str, "event": gr.EventData}
    assert bound("a", "b") == ("given", "a", "b")


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("plain", "plain"),
        ("", ""),
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-please", "'-please"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("  =1", "'  =1"),
        ("a=1", "a=1"),
    ],
)
def test_cells_that_a_spreadsheet_would_run_get_an_apostrophe(cell: str, safe: str) -> None:
    assert neutralise_cell(cell) == safe


def test_numbers_in_csv_stay_numbers() -> None:
    assert write_csv(["a", "=b"], [[-1.5, "-x"], [None, "y"]]) == "a,'=b\r\n-1.5,'-x\r\n,y\r\n"


def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Busy, match=rf"Port {port} .* --port"):
            free_port(port)
    assert free_port(None) > 0
