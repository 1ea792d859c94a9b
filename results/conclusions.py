"""What a comparison of two candidates comes to, in sentences made from its numbers and from nothing else."""

from results import numbers
from results.records import Comparison, NotWorse
from runners.records import EarlyStop


def concluded(pair: Comparison, shows_difference: bool) -> Comparison:
    """The pair with its sentence, and a second one where a margin was set."""
    sentence = _better(pair) if shows_difference else _no_difference(pair)
    if pair.not_worse is not None:
        sentence = f"{sentence} {_margin(pair, pair.not_worse)}"
    return pair.model_copy(update={"conclusion": sentence})


def decision(pair: Comparison, shows_difference: bool) -> str:
    """The same in short, for a table: who is better by how much, or that the two cannot be told apart.

    Equivalent is said where a margin was set before the run, not being worse by it is shown after correction, and the
    whole interval lies within it (two one-sided tests: Schuirmann 1987, J. Pharmacokin. Biopharm. 15:657).
    """
    margin = pair.not_worse.margin if pair.not_worse is not None and pair.not_worse.shown else None
    if shows_difference:
        first_wins = (pair.difference.value > 0) == pair.higher_is_better
        winner, other = (pair.first, pair.second) if first_wins else (pair.second, pair.first)
        size = _size(pair, flipped=pair.difference.value < 0)
        within = f"; {other} is within the {_difference(pair, margin)} agreed" if margin is not None else ""
        return f"{winner} is better than {other} by {size}{within}"
    if pair.test == "none":
        return f"{pair.first} and {pair.second} cannot be compared: {_too_few(pair)}"
    low, high = pair.difference.low, pair.difference.high
    if margin is not None and low is not None and high is not None and -margin < low and high < margin:
        return f"{pair.first} and {pair.second} are equivalent within {_difference(pair, margin)}"
    return f"{pair.first} and {pair.second} cannot be told apart"


def _size(pair: Comparison, *, flipped: bool) -> str:
    """The difference with its interval, without signs where all of it is on one side."""
    found, sign = pair.difference, -1 if flipped else 1
    text = _difference(pair, sign * found.value)
    if found.low is None or found.high is None:
        return text
    ends = sorted((sign * found.low, sign * found.high))
    low, high = (_difference(pair, end).removesuffix(" points") for end in ends)
    return f"{text} ({low} to {high})"


def stopped_early(name: str, stop: EarlyStop) -> str:
    """Why a candidate was stopped, and what that saved."""
    margin = f" by more than {numbers.points(stop.margin)}" if stop.margin else ""
    return (
        f"{name} was stopped early, it can no longer win: worse than {stop.against}{margin} on "
        f"{numbers.things(stop.examples, 'example')} in random order ({numbers.percent(stop.value)} against "
        f"{numbers.percent(stop.against_value)}; e-value {stop.e_value:.3g}, needed {stop.threshold:.3g}). "
        f"{numbers.things(stop.not_asked, 'example was', 'examples were')} not asked, which saved about "
        f"{numbers.seconds(stop.seconds_saved)}."
    )


def called(pair: Comparison) -> str:
    """The metric inside a sentence: `macro F1`, `BLEU`."""
    title = pair.title
    return title if len(title) < 2 or title[1].isupper() else title[0].lower() + title[1:]


def _better(pair: Comparison) -> str:
    names, values = (pair.first, pair.second), _values(pair)
    if (pair.difference.value < 0) == pair.higher_is_better:
        names, values = names[::-1], values[::-1]
    n, p = numbers.count(pair.n), f"adjusted {numbers.p_value(pair.p_adjusted)}"
    if _is_right(pair):
        return f"{names[0]} is better than {names[1]}: {values[0]} against {values[1]} right at n = {n} ({p})."
    return f"{names[0]} is better than {names[1]} in {called(pair)}: {values[0]} against {values[1]} at n = {n} ({p})."


def _no_difference(pair: Comparison) -> str:
    first, second = _values(pair)
    n = numbers.count(pair.n)
    if pair.test == "none":
        return (
            f"No difference can be shown between {pair.first} and {pair.second} at n = {n} "
            f"({first} against {second}): {_too_few(pair)}."
        )
    right = " right" if _is_right(pair) else ""
    what = "" if right else f" in {called(pair)}"
    start = (
        f"No difference shown between {pair.first} and {pair.second}{what} at n = {n} "
        f"({first} against {second}{right}, adjusted {numbers.p_value(pair.p_adjusted)})"
    )
    if pair.smallest_detectable_difference is not None:
        return f"{start}; this n could have shown about {_difference(pair, pair.smallest_detectable_difference)}."
    if pair.only_first_right is None or pair.only_second_right is None:
        return f"{start}; no example sets them apart."
    apart = numbers.things(pair.only_first_right + pair.only_second_right, "example")
    return f"{start}; only {apart} set them apart, too few to show any."


def _margin(pair: Comparison, found: NotWorse) -> str:
    margin = _difference(pair, found.margin)
    p = f"adjusted {numbers.p_value(found.p_adjusted)}, one-sided"
    if found.shown:
        return f"{found.candidate} is not worse than {found.than} by more than the {margin} set before the run ({p})."
    worst = "" if found.bound is None else f"; it may be {_difference(pair, -found.bound)} worse"
    return f"Not shown: that {found.candidate} is at most {margin} worse than {found.than} ({p}{worst})."


def _too_few(pair: Comparison) -> str:
    return f"its examples come in too few groups ({pair.difference.method})" if pair.grouped else pair.difference.method


def _is_right(pair: Comparison) -> bool:
    """Whether the values are shares of examples answered right."""
    return pair.metric == "accuracy"


def _values(pair: Comparison) -> tuple[str, str]:
    first, second = pair.first_value, pair.second_value
    show = numbers.percent if pair.unit == "share" else numbers.score
    return show(first), show(second)


def _difference(pair: Comparison, value: float) -> str:
    return numbers.points(value) if pair.unit == "share" else numbers.score(value)
