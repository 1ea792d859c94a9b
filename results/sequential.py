"""A test that may be looked at after every example: whether a candidate can still be as good as another.

For stopping a candidate early. Ordinary tests may not be looked at again and again; a bet may. Nobody can expect to win
money in a fair game, so that a fortune is evidence against the game being fair (Ramdas, Grünwald, Vovk & Shafer 2023,
Statistical Science 38:576). Knows no candidate and stops nobody.
"""

import numpy as np

NODES = 64
"""Stakes that are mixed. With these, the mixture over all stakes is exact up to 127 examples."""
LARGEST = 1e300


class LosingBet:
    """A bet, example by example, that one candidate is worse than another by more than a margin.

    The game: the candidate is at most `margin` worse, that is, the mean of d = other - candidate is at most the margin.
    Each example with difference d in [-1, 1] and weight w (÷ the largest) multiplies the fortune by
    1 + λ·w·(d - margin) ÷ (1 + margin); in a fair game its expectation never grows, whatever the stake λ in [0, 1)
    (Waudby-Smith & Ramdas 2024, JRSS B 86:1, §4). The fortune is the mean over all stakes, by Gauss-Legendre
    quadrature. For right and wrong answers and no margin this is the likelihood ratio of Robbins (1970, Ann. Math.
    Statist. 41:1397): a uniform mixture over the share q < 1/2 of discordant examples that the candidate wins, against
    1/2.

    The chance that the fortune ever reaches 1/α is at most α in a fair game (Ville 1939), whenever one looks.
    """

    def __init__(self, margin: float = 0.0) -> None:
        if margin < 0:
            raise ValueError(f"A margin cannot be negative: {margin:g}.")
        places, weights = np.polynomial.legendre.leggauss(NODES)
        self._margin = margin
        self._stakes = (places + 1) / 2
        self._log_fortunes = np.log(weights / 2)

    def add(self, difference: float, weight: float = 1.0) -> None:
        """One more example, or group of examples: what the other got more than the candidate, from -1 to 1.

        weight is how much it counts, as against the one that counts most.
        """
        if not -1 <= difference <= 1 or not 0 <= weight <= 1:
            raise ValueError(f"A difference lies between -1 and 1, a weight up to 1: not {difference:g}, {weight:g}.")
        gain = weight * (difference - self._margin) / (1 + self._margin)
        self._log_fortunes += np.log1p(self._stakes * gain)

    @property
    def e_value(self) -> float:
        """The fortune, having begun with 1; a larger one is more evidence. At most 1e300."""
        return float(min(np.exp(min(float(np.logaddexp.reduce(self._log_fortunes)), 690.0)), LARGEST))
