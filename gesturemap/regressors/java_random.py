"""The random numbers of ``java.util.Random``, bit by bit.

Source: Java SE documentation of ``java.util.Random``, which fixes the generator and its constants.
"""

from __future__ import annotations

MASK = (1 << 48) - 1
MULTIPLIER, INCREMENT = 0x5DEECE66D, 0xB


class JavaRandom:
    """A 48-bit linear congruential generator.

    Parameters
    ----------
    seed : as given to Java's constructor.
    """

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ MULTIPLIER) & MASK

    def next_int(self, bound: int) -> int:
        """A whole number of 0..bound - 1, ``nextInt(bound)``; `bound` is at most 2^31 - 1."""
        if bound & -bound == bound:
            return (bound * self._next(31)) >> 31
        while True:
            bits = self._next(31)
            value = bits % bound
            if bits - value + bound - 1 < 1 << 31:  # else the last, incomplete run of `bound` numbers
                return value

    def next_double(self) -> float:
        """A number in 0..1 of 53 bits, ``nextDouble()``."""
        high = self._next(26)
        return ((high << 27) + self._next(27)) * 2.0**-53

    def shuffled(self, n: int) -> list[int]:
        """0..n - 1 swapped into another order from the last down, as ``Instances.randomize`` of Weka does."""
        order = list(range(n))
        for last in range(n - 1, 0, -1):
            other = self.next_int(last + 1)
            order[last], order[other] = order[other], order[last]
        return order

    def _next(self, n_bits: int) -> int:
        self._state = (self._state * MULTIPLIER + INCREMENT) & MASK
        return self._state >> (48 - n_bits)
