"""Collections of claims, by the name that `kenyon reproduce` takes."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from kenyon import checks
from kenyon.conditioning.claims.adults import ADULTS
from kenyon.conditioning.claims.claim import Claim, checked_claims
from kenyon.conditioning.claims.jurgensen2024 import JURGENSEN_2024
from kenyon.conditioning.claims.larvae import LARVAE


class Collection(NamedTuple):
    """Claims that belong together.

    Attributes:
        title: What they are about, as a headline.
        claims: Each with an id of its own.
    """

    title: str
    claims: tuple[Claim, ...]


COLLECTIONS: Final[Mapping[str, Collection]] = MappingProxyType(
    {
        "larvae": Collection("What larvae do, and what the circuit does", LARVAE),
        "adults": Collection("What adult flies do, and what the circuit of a larva does", ADULTS),
        "jurgensen2024": Collection("What Jürgensen et al. 2024 claim, and what their circuit does", JURGENSEN_2024),
    }
)

OWN: Final = "own"
"""What claims that are given are called."""


def collection(claims: str | Sequence[Claim], ids: Sequence[str] = ()) -> tuple[str, Collection]:
    """Return claims with their title, and the name of their collection.

    Args:
        claims: The name of a collection, or claims.
        ids: Which of them; all if none is named.

    Raises:
        InputError: there is no such collection, it is none of claims, or a claim is not in it.

    Example:
        >>> name, known = collection("larvae", ["L6"])
        >>> [claim.id for claim in known.claims]
        ['L6']
    """
    if isinstance(claims, str):
        name, known = claims, COLLECTIONS[checks.one_of("collection", claims, list(COLLECTIONS))]
    else:
        name, known = OWN, Collection("Claims, and what the circuit does", checked_claims(claims))
    wanted = [
        checks.one_of("claim", own, [claim.id for claim in known.claims]) for own in checks.several("claims", ids)
    ]
    return name, known._replace(claims=tuple(own for own in known.claims if own.id in wanted or not wanted))
