"""How small a difference a test set can show, and how many examples a wanted difference needs.

Two-sided at 5 %, with 80 % power unless said otherwise. Right and wrong answers have a formula of their own, because
their spread follows from how often two candidates disagree; everything else needs the spread itself.
"""

import math

from scipy import special


def smallest_detectable_difference(
    n: int, discordant_share: float, power: float = 0.8, alpha: float = 0.05
) -> float | None:
    """Difference of two paired proportions that n pairs show with the given power (Connor 1987, Biometrics 43:207).

    Solves √n·δ = z₁₋α⸝₂·√ψ + z_power·√(ψ - δ²) for δ, with ψ the share of discordant pairs. None where even one-sided
    discordance (δ = ψ) would not be shown. The exact test is a little weaker than this, so speak of "about".
    """
    _check_share(discordant_share)
    if n < 1 or discordant_share == 0:
        return None
    z_alpha, z_power = float(special.ndtri(1 - alpha / 2)), float(special.ndtri(power))
    a = z_alpha * math.sqrt(discordant_share)
    square = n + z_power**2
    inside = n * a**2 - square * (a**2 - z_power**2 * discordant_share)
    if inside < 0:
        return None
    difference = (a * math.sqrt(n) + math.sqrt(inside)) / square
    return difference if difference <= discordant_share else None


def required_examples(difference: float, discordant_share: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Examples needed to show a difference of two paired proportions (Connor 1987, the same formula).

    difference and discordant_share are shares; the difference cannot exceed the discordance, else ValueError.
    """
    _check_share(discordant_share)
    if not 0 < difference <= discordant_share:
        msg = (
            f"A difference of {difference:g} needs a discordant share at least as large, not {discordant_share:g}: "
            "answers that agree make no difference."
        )
        raise ValueError(msg)
    z_alpha, z_power = float(special.ndtri(1 - alpha / 2)), float(special.ndtri(power))
    root = z_alpha * math.sqrt(discordant_share) + z_power * math.sqrt(discordant_share - difference**2)
    return math.ceil((root / difference) ** 2)


def smallest_detectable_mean(standard_error: float, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """Difference that shows with the given power where it is known to `standard_error` (Cohen 1988, §2.3).

    (z₁₋α⸝₂ + z_power) · standard error. For a mean of n paired differences the standard error is s ÷ √n; for other
    statistics, and with groups or weights, it is the standard deviation of the bootstrap replicates. None where it is
    0: nothing varied, so nothing is known of how much could.
    """
    if standard_error < 0:
        raise ValueError(f"A standard error cannot be negative: {standard_error:g}.")
    return _quantiles(power, alpha) * standard_error if standard_error > 0 else None


def required_examples_mean(
    difference: float, standard_deviation: float, power: float = 0.8, alpha: float = 0.05
) -> int:
    """Examples needed to show a mean paired difference of this size (Cohen 1988, §2.4, normal approximation).

    n = ((z₁₋α⸝₂ + z_power) · s ÷ δ)², with s the standard deviation of the paired differences of single examples.
    """
    if difference <= 0 or standard_deviation <= 0:
        raise ValueError(
            f"Difference and standard deviation must be above 0, not {difference:g} and {standard_deviation:g}."
        )
    return math.ceil((_quantiles(power, alpha) * standard_deviation / difference) ** 2)


def _quantiles(power: float, alpha: float) -> float:
    return float(special.ndtri(1 - alpha / 2)) + float(special.ndtri(power))


def _check_share(discordant_share: float) -> None:
    if not 0 <= discordant_share <= 1:
        raise ValueError(f"A share lies between 0 and 1, not at {discordant_share}.")
