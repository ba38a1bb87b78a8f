"""Statements of conditional independence, and the statements that follow from a list of them.

X _|_ Y | Z says that, once Z is known, Y gives no more information about X. In every distribution these statements obey
the semi-graphoid axioms (Dawid 1979; Pearl 1988, section 3.1.2): symmetry, decomposition, weak union, contraction.

A list that is closed under the axioms is determined by its elementary statements, those between two single variables
(Matus 1992): X _|_ Y | Z holds if and only if i _|_ j | K holds for all i in X, j in Y and Z <= K <= X + Y + Z without
i and j. For elementary statements the axioms become one:

    i _|_ j | K + k  and  i _|_ k | K    if and only if    i _|_ k | K + j  and  i _|_ j | K
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import chain, combinations

from common.errors import UserError

SIGN = "_|_"


@dataclass(frozen=True, eq=False)
class Independence:
    """x _|_ y | given; equal to the same statement with x and y exchanged.

    Attributes:
        x, y, given: disjoint sets of variables, x and y not empty.
    """

    x: frozenset[str]
    y: frozenset[str]
    given: frozenset[str]

    def __init__(self, x: str | Iterable[str], y: str | Iterable[str], given: str | Iterable[str] = ()):
        object.__setattr__(self, "x", names(x))
        object.__setattr__(self, "y", names(y))
        object.__setattr__(self, "given", names(given))
        if not self.x or not self.y:
            raise UserError(f"{self}: a variable is missing on one side of {SIGN}")
        for shared in (self.x & self.y, self.x & self.given, self.y & self.given):
            if shared:
                raise UserError(f"{self}: {', '.join(sorted(shared))} stands in two places; name each variable once")

    @classmethod
    def parse(cls, text: str) -> "Independence":
        """The statement in a text such as "S _|_ M | O" or "A, B _|_ C | D, E".

        Raises:
            UserError: the text is not a statement of independence.
        """
        sides, _, given = text.replace("⊥", SIGN).replace(SIGN, "\0").partition("|")
        if sides.count("\0") != 1 or not set("\0|").isdisjoint(given):
            raise UserError(f"{text!r} is not a statement of independence; write it as S {SIGN} M | O")
        x, y = sides.split("\0")
        return cls(_split(x), _split(y), _split(given))

    @property
    def variables(self) -> frozenset[str]:
        """All variables of the statement."""
        return self.x | self.y | self.given

    def elementary(self) -> set["Independence"]:
        """The statements between two single variables that together are equivalent to this statement."""
        return {
            Independence([i], [j], self.given | set(more))
            for i in self.x
            for j in self.y
            for more in subsets((self.x | self.y) - {i, j})
        }

    def symbols(self) -> str:
        """The statement in mathematical notation, such as S ⊥ M | O."""
        return str(self).replace(SIGN, "⊥")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Independence) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[frozenset[frozenset[str]], frozenset[str]]:
        return frozenset((self.x, self.y)), self.given

    def __str__(self) -> str:
        text = f"{', '.join(sorted(self.x))} {SIGN} {', '.join(sorted(self.y))}"
        return f"{text} | {', '.join(sorted(self.given))}" if self.given else text


def names(variables: str | Iterable[str]) -> frozenset[str]:
    """One variable or several, as a set."""
    return frozenset([variables]) if isinstance(variables, str) else frozenset(variables)


def subsets(variables: Collection[str]) -> Iterable[tuple[str, ...]]:
    """All subsets, smaller subsets first."""
    ordered = sorted(variables)
    return chain.from_iterable(combinations(ordered, size) for size in range(len(ordered) + 1))


def elementary(statements: Iterable[Independence]) -> set[Independence]:
    """The elementary statements that together are equivalent to these statements."""
    return set().union(*(statement.elementary() for statement in statements))


def closure(statements: Iterable[Independence]) -> set[Independence]:
    """All elementary statements that follow from these statements by the semi-graphoid axioms."""
    listed = elementary(statements)
    variables = sorted(frozenset().union(*(statement.variables for statement in listed)))
    bits = {variable: 1 << place for place, variable in enumerate(variables)}

    def code(members: Iterable[str]) -> int:
        return sum(bits[variable] for variable in members)

    def decoded(pair: int, given: int) -> Independence:
        x, y = (variable for variable in variables if bits[variable] & pair)
        return Independence(x, y, (variable for variable in variables if bits[variable] & given))

    # Lists can have many thousands of statements, so i _|_ j | K is held as two integers: the bits of {i, j} and of K.
    known: set[tuple[int, int]] = set()
    ahead = [(code(statement.x | statement.y), code(statement.given)) for statement in listed]
    while ahead:
        pair, given = ahead.pop()
        if (pair, given) in known:
            continue
        known.add((pair, given))
        first = pair & -pair
        for i, j in ((first, pair ^ first), (pair ^ first, first)):
            for k in bits.values():
                # i _|_ j | K together with i _|_ k | K + j
                if not k & (pair | given) and (i | k, given | j) in known:
                    ahead += [(i | k, given), (pair, given | k)]
                # i _|_ j | K + k together with i _|_ k | K
                if k & given and (i | k, given ^ k) in known:
                    ahead += [(pair, given ^ k), (i | k, given ^ k | j)]
    return {decoded(pair, given) for pair, given in known}


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
