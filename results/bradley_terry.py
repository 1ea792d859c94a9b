"""Bradley-Terry strengths by maximum likelihood, of one table of wins or of thousands at once.

The chance that i is preferred to j is 1 ÷ (1 + e^(θⱼ - θᵢ)) (Bradley & Terry 1952, Biometrika 39:324). A tie counts as
half a win for each side: then a strength stands for the expected share of points, ties half, and no further parameter
needs to be known. Davidson (1970, JASA 65:317) models ties themselves; with few votes its extra parameter costs more
than it gives, and intervals here rest on resampling, not on the likelihood, so that they hold for half wins too.

The likelihood has its maximum at finite strengths only where no group of candidates won everything against the rest
(Ford 1957, Amer. Math. Monthly 64:28; Hunter 2004, Ann. Statist. 32:384). Where one did, every pair that met gets
the same small number of ties on top, k-1 ties for k candidates in all: of two candidates that is half a win each, which
is Jeffreys' prior and Firth's correction (Firth 1993, Biometrika 80:27; Kosmidis & Firth 2021, Biometrika 108:71).
Knows no votes, no candidates and no store.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

_ITERATIONS = 200
_LONGEST_STEP = 2.0
_EXACT = 1e-10


class Fitted(NamedTuple):
    """Strengths of m tables."""

    strengths: Floats
    """θ, natural log-odds with mean 0, shape (m, k)."""
    separated: Booleans
    """Tables that needed the prior, shape (m,)."""


def fit(wins: Floats, met: Booleans | None = None) -> Fitted:
    """Strengths of tables of wins of shape (m, k, k): wins[·, i, j] is what i won against j, ties half.

    `met` says which pairs the prior is put on; by default those that met in any of the tables. They must connect all
    candidates, else there is no common scale (`components`).
    """
    k = wins.shape[1]
    games = met if met is not None else (wins + wins.transpose(0, 2, 1)).sum(axis=0) > 0
    separated = ~strongly_connected(wins > 0)
    pairs = max(1, int(np.triu(games, 1).sum()))
    prior = games * ((k - 1) / pairs / 2)
    full = wins + np.where(separated[:, None, None], prior[None, :, :], 0.0)
    return Fitted(_maximum(full), separated)


def points(strengths: Floats) -> Floats:
    """Expected share of points of each against each, shape (m, k, k) from (m, k)."""
    return np.asarray(1 / (1 + np.exp(strengths[:, None, :] - strengths[:, :, None])), dtype=np.float64)


def against_average(strengths: Floats) -> Floats:
    """Expected share of points against the others, each met equally often, shape (m, k)."""
    k = strengths.shape[1]
    return np.asarray((points(strengths).sum(axis=2) - 0.5) / (k - 1), dtype=np.float64)


def components(met: Booleans) -> list[list[int]]:
    """Candidates that are connected by pairs that met, shape (k, k): only within each there is a common scale."""
    reached = reachable(met[None, :, :] | met.T[None, :, :])[0]
    found: list[list[int]] = []
    for place, row in enumerate(reached):
        if not any(place in part for part in found):
            found.append(np.flatnonzero(row).tolist())
    return found


def strongly_connected(beat: Booleans) -> Booleans:
    """Tables in which everybody is reached from everybody along wins (Ford's condition), shape (m,) from (m, k, k)."""
    return np.asarray(reachable(beat).all(axis=(1, 2)))


def reachable(edges: Booleans) -> Booleans:
    """Who is reached from whom along edges, oneself too, shape (m, k, k)."""
    k = edges.shape[1]
    reached = edges | np.eye(k, dtype=np.bool_)
    for _ in range(max(1, int(np.ceil(np.log2(k))))):
        reached = (reached.astype(np.float32) @ reached.astype(np.float32)) > 0
    return reached


def _maximum(wins: Floats) -> Floats:
    """Newton's method on the concave log-likelihood, all tables at once; each stops when its step is nothing."""
    m, k, _ = wins.shape
    games = wins + wins.transpose(0, 2, 1)
    won = wins.sum(axis=2)
    strengths = np.zeros((m, k))
    active = np.arange(m)
    for _ in range(_ITERATIONS):
        shares = points(strengths[active])
        gradient = won[active] - (games[active] * shares).sum(axis=2)
        weights = games[active] * shares * (1 - shares)
        hessian = -weights
        diagonal = np.arange(k)
        hessian[:, diagonal, diagonal] = weights.sum(axis=2) - weights[:, diagonal, diagonal]
        # Strengths are known up to a constant: the mean is held at 0 by a row of ones.
        hessian += 1 / k
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        longest = np.abs(step).max(axis=1)
        step *= np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, _LONGEST_STEP))[:, None]
        strengths[active] += step
        active = active[longest > _EXACT]
        if not len(active):
            break
    return np.asarray(strengths - strengths.mean(axis=1, keepdims=True), dtype=np.float64)
