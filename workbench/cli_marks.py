"""How verdicts, fits and tables look in the terminal: one look for all commands."""

from rich.table import Table

from catalog.records import FitValue, VerdictValue

VERDICT_MARKS = {
    VerdictValue.ALLOWED: "[green]✓ allowed[/]",
    VerdictValue.CONDITIONAL: "[yellow]! conditional[/]",
    VerdictValue.UNKNOWN: "[dim]? unknown[/]",
    VerdictValue.FORBIDDEN: "[red]✕ forbidden[/]",
}
FIT_MARKS = {
    FitValue.FITS: "[green]✓ fits[/]",
    FitValue.TIGHT: "[yellow]! tight[/]",
    FitValue.OFFLOAD: "[yellow]◑ offload[/]",
    FitValue.NO: "[red]✕ no[/]",
    FitValue.UNKNOWN: "[dim]? unknown[/]",
}


def new_table(*columns: str) -> Table:
    """A table; a column that begins with > is right-aligned."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        right = column.startswith(">")
        table.add_column(column.removeprefix(">"), justify="right" if right else "left", overflow="fold")
    return table
