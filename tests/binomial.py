"""How many hits this many trials may have: exact bounds of a binomial distribution."""

from math import exp, lgamma, log, log1p


def bounds(trials: int, chance: float, tail: float = 1e-6) -> range:
    """The counts that are left when at each end less than `tail` of the distribution is cut off."""
    return range(_least(trials, chance, tail), trials + 1 - _least(trials, 1 - chance, tail))


def _least(trials: int, chance: float, tail: float) -> int:
    """The least count with at least `tail` of the distribution up to it."""
    if chance in (0, 1):
        return int(trials * chance)
    whole, count = 0.0, -1
    while whole < tail:
        count += 1
        whole += exp(
            lgamma(trials + 1)
            - lgamma(count + 1)
            - lgamma(trials - count + 1)
            + count * log(chance)
            + (trials - count) * log1p(-chance)
        )
    return count
