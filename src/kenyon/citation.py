"""What to cite: the works that Kenyon stands on, and those of them that a result has used, as BibTeX.

CITATION.cff is written from the same words, by docs/generate.py.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from kenyon.errors import InputError
from kenyon.provenance import versions
from kenyon.words import shown

if TYPE_CHECKING:  # xarray is slow to import
    import xarray

__all__ = ["KENYON", "WORKS", "Work", "bibtex"]

Versions = Mapping[str, str]


@dataclass(frozen=True)
class Work:
    """A work to cite.

    Attributes:
        authors: Each as "family name, given names"; a group has one name without a comma.
        title: What it is called.
        year: When it was published.
        journal: Where; "" for a program.
        volume: Of the journal.
        pages: Pages, or the number of the article.
        doi: "" where there is none.
        used_for: What it is to Kenyon.
    """

    authors: tuple[str, ...]
    title: str
    year: int
    journal: str
    volume: str
    pages: str
    doi: str
    used_for: str


KENYON: Final = Work(
    ("The Kenyon developers",),
    "Kenyon: learning and memory for virtual Drosophila larvae",
    2026, "", "", "", "", "this program",
)  # fmt: skip
"""Kenyon itself; its version comes from what is installed, or from a result."""

WORKS: Final[Mapping[str, Work]] = MappingProxyType(
    {
        "Jurgensen2024": Work(
            ("Jürgensen, Anna-Maria", "Sakagiannis, Panagiotis", "Schleyer, Michael", "Gerber, Bertram",
             "Nawrot, Martin Paul"),
            "Prediction error drives associative learning and conditioned behavior in a spiking model of Drosophila "
            "larva",
            2024, "iScience", "27", "108640", "10.1016/j.isci.2023.108640", "the circuit",
        ),
        "Si2019": Work(
            ("Si, G.", "Kanwal, J. K.", "Hu, Y.", "Tabone, C.", "Baron, J.", "Berck, M.", "Vignoud, G.",
             "Samuel, A. D. T."),
            "Structured odorant response patterns across a complete olfactory receptor neuron population",
            2019, "Neuron", "101", "950-962", "10.1016/j.neuron.2018.12.030", "the odors",
        ),
        "Winding2023": Work(
            ("Winding, Michael", "Pedigo, Benjamin D.", "Barnes, Christopher L.", "Patsolic, Heather G.",
             "Park, Youngser", "Kazimiers, Tom", "Fushiki, Akira", "Andrade, Ingrid V.", "Khandelwal, Avinash",
             "Valdes-Aleman, Javier", "Li, Feng", "Randel, Nadine", "Barsotti, Elizabeth", "Correia, Ana",
             "Fetter, Richard D.", "Hartenstein, Volker", "Priebe, Carey E.", "Vogelstein, Joshua T.",
             "Cardona, Albert", "Zlatic, Marta"),
            "The connectome of an insect brain",
            2023, "Science", "379", "eadd9330", "10.1126/science.add9330", "the measured wiring",
        ),
        "Eichler2017": Work(
            ("Eichler, K.", "Li, F.", "Litwin-Kumar, A.", "Park, Y.", "Andrade, I.", "Schneider-Mizell, C. M.",
             "Saumweber, T.", "Huser, A.", "Eschbach, C.", "Gerber, B.", "Fetter, R. D.", "Truman, J. W.",
             "Priebe, C. E.", "Abbott, L. F.", "Thum, A. S.", "Zlatic, M.", "Cardona, A."),
            "The complete connectome of a learning and memory centre in an insect brain",
            2017, "Nature", "548", "175-182", "10.1038/nature23455", "the measured wiring, first described",
        ),
        "Stimberg2019": Work(
            ("Stimberg, Marcel", "Brette, Romain", "Goodman, Dan F. M."),
            "Brian 2, an intuitive and efficient neural simulator",
            2019, "eLife", "8", "e47314", "10.7554/eLife.47314", "the engine Brian2",
        ),
        "Sakagiannis2025": Work(
            ("Sakagiannis, Panagiotis", "Jürgensen, Anna-Maria", "Nawrot, Martin Paul"),
            "A behavioral architecture for realistic simulations of Drosophila larva locomotion and foraging",
            2025, "eLife", "14", "RP104262", "10.7554/eLife.104262", "Larvaworld",
        ),
    }
)  # fmt: skip
"""All that Kenyon stands on, by the keys that they have in BibTeX."""

_PROGRAMS: Final = {"Stimberg2019": "brian2", "Sakagiannis2025": "larvaworld"}
"""Works whose program has a version of its own."""

_CIRCUITS: Final = ("MushroomBodyMemory", "RemoteBrianModelMemory")
"""Memories of larvae in Larvaworld behind which there is a mushroom body."""

_ACCENTS: Final = {"\N{COMBINING DIAERESIS}": '\\"'}


def bibtex(*results: Any) -> str:
    """Return what to cite as BibTeX: Kenyon in its version, and what results have used, or all that Kenyon stands on.

    The circuit and its odors are those of Jürgensen et al. 2024 and Si et al. 2019, also with odors of one's own, whose
    receptors they are. Winding et al. 2023 and Eichler et al. 2017 come where the wiring was measured, Brian2 where it
    was the engine, Larvaworld where larvae lived there; a circuit only where they had one. What a result does not say
    cannot be seen: what a server computed with.

    Args:
        *results: Datasets of larvae, of groups in Larvaworld or of sweeps, selected or joined; or what `run` returned.

    Raises:
        InputError: one of them is none, or does not say what made it.

    Example:
        >>> print(bibtex())
        @misc{Kenyon,
          author = {{The Kenyon developers}},
          title = {{Kenyon: learning and memory for virtual Drosophila larvae}},
          year = {2026},
          note = {Version ...}
        }
        ...
    """
    made = [_Made(one) for result in results for one in _datasets(result)]
    used = [key for key in WORKS if not results or any(key in own.used() for own in made)]
    said: list[Versions] = [own.versions for own in made] if results else [versions()]
    entries = [_entry("Kenyon", KENYON, said)]
    return "\n\n".join([*entries, *(_entry(key, WORKS[key], said if results else []) for key in used)])


def _datasets(result: Any) -> "Iterator[xarray.Dataset]":
    """Give each dataset of what may be several by name."""
    import xarray

    several = isinstance(result, Mapping) and not isinstance(result, xarray.Dataset) and len(result) > 0
    for one in result.values() if several else [result]:
        if not isinstance(one, xarray.Dataset):
            raise InputError(f"result must be a Dataset or several by name, got {shown(one)}; pass what run returned")
        if "run_id" not in one.coords:
            raise InputError(
                "result must say what made it, got a Dataset without run_id; pass it as run or load gave it"
            )
        yield one


class _Made:
    """What a result says of how it was made."""

    def __init__(self, result: "xarray.Dataset") -> None:
        self._result = result

    def used(self) -> set[str]:
        """Return the keys of what it has used."""
        hosted = "larvaworld" in self._result.coords
        circuit = not hosted or bool(self._words("memory") & set(_CIRCUITS))
        wirings = {wiring.removesuffix("-shuffled") for wiring in self._words("wiring", "memory.wiring")}
        reasons = {
            "Jurgensen2024": circuit,
            "Si2019": circuit,
            "Winding2023": circuit and bool(wirings & {"left", "right"}),
            "Eichler2017": circuit and bool(wirings & {"left", "right"}),
            "Stimberg2019": circuit and "brian2" in self._words("engine", "memory.engine"),
            "Sakagiannis2025": hosted,
        }
        return {key for key, is_so in reasons.items() if is_so}

    @property
    def versions(self) -> Versions:
        """The version of each program, where it says so; of joined runs all of them."""
        found: dict[str, set[str]] = {}
        for said in self._words("versions"):
            try:
                known = dict(json.loads(said))
            except (TypeError, ValueError):
                wanted = "versions of a result must be a JSON object"
                raise InputError(f"{wanted}, got {shown(said)}; take it as it was made") from None
            for program, version in known.items():
                found.setdefault(program, set()).add(str(version))
        return {program: ", ".join(sorted(own)) for program, own in found.items()}

    def _words(self, *names: str) -> set[str]:
        """Return every text that coordinates hold; what is absent is none."""
        there = [self._result[name].values.ravel().tolist() for name in names if name in self._result.coords]
        return {value for values in there for value in values if isinstance(value, str) and value}


def _entry(key: str, work: Work, said: list[Versions]) -> str:
    """Return a work in BibTeX, with the versions of its program that were used."""
    program = "kenyon" if work is KENYON else _PROGRAMS.get(key, "")
    numbers = ", ".join(dict.fromkeys(own[program] for own in said if program in own))
    fields = {
        "author": " and ".join(f"{{{name}}}" if "," not in name else name for name in work.authors),
        "title": f"{{{work.title}}}",
        "journal": work.journal,
        "year": str(work.year),
        "volume": work.volume,
        "pages": work.pages.replace("-", "--"),
        "doi": work.doi,
        "note": numbers and f"Version {numbers}",
    }
    lines = ",\n".join(f"  {name} = {{{_in_tex(value)}}}" for name, value in fields.items() if value)
    return f"@{'article' if work.journal else 'misc'}{{{key},\n{lines}\n}}"


def _in_tex(text: str) -> str:
    r"""Return text as TeX of any age reads it.

    Example:
        >>> print(_in_tex("Jürgensen"))
        J{\"u}rgensen
    """
    letters = (unicodedata.normalize("NFD", letter) for letter in text)
    return "".join(f"{{{_ACCENTS[own[1]]}{own[0]}}}" if len(own) == 2 else own for own in letters)
