"""Experiments of the field by their ids.

An id is a name, or a name and the values that are varied, as in `trace/5s,30s`. A is the odor that is asked about, B
and C are odors unlike it, `+` is the reinforcer; all of them can be others.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from kenyon import checks
from kenyon.conditioning.designs import Design
from kenyon.conditioning.entry import Entry
from kenyon.conditioning.paradigms import of_id
from kenyon.errors import InputError

_ID = re.compile(r"[A-Za-z][a-z-]+(/.*)?")
_OLD_ID = re.compile(r"[a-z-]+/[^/]+@[^/]+/(reward|punishment)@")

_RESCORLA = "Rescorla 1967, Psychol. Rev. 74:71"
_NEUSER = "Neuser et al. 2005, Anim. Behav. 69:891"
_UNPAIRED = {"unpaired": "odor and reinforcer as often, never together"}


def _usual() -> Iterator[Entry]:
    """Give the paradigms of one group each, which can be run beside one another; see `paradigms.paradigm`."""
    yield Entry(
        "paired",
        "Do larvae learn that an odor comes with a reinforcer?",
        _NEUSER,
        "paired: #training ?A, ?B, 3x(A+ 60s, 60s, ?A, ?B)",
    )
    yield Entry(
        "unpaired",
        "What do odor and reinforcer do to an odor's value if they never come together, the odor first?",
        _RESCORLA,
        "unpaired: #training ?A, ?B, 3x(A 60s, + 60s, ?A, ?B)",
    )
    yield Entry(
        "unpaired-reversed",
        "What do they do if the reinforcer comes first?",
        _RESCORLA,
        "unpaired-reversed: #training ?A, ?B, 3x(+ 60s, A 60s, ?A, ?B)",
    )
    yield Entry(
        "reinforcement-alone",
        "What does the reinforcer alone do to an odor's value?",
        _RESCORLA,
        "reinforcement-alone: #training ?A, ?B, 3x(+ 60s, 60s, ?A, ?B)",
    )
    yield Entry(
        "odor-alone",
        "What does smelling an odor do to its value?",
        _RESCORLA,
        "odor-alone: #training ?A, ?B, 3x(A 60s, 60s, ?A, ?B)",
    )
    yield Entry(
        "naive",
        "What is an odor worth to larvae that have met nothing, after as long?",
        _RESCORLA,
        "naive: #training ?A, ?B, 3x(60s, 60s, ?A, ?B)",
    )
    yield Entry(
        "extinction",
        "Does smelling the odor alone take away what was learned, and does training bring it back?",
        "Pavlov 1927, Conditioned Reflexes",
        "extinction: #training ?A, ?B, 3x(A+ 60s, 60s, ?A, ?B) | #extinction A 180s, ?A, ?B | "
        "#retraining 3x(A+ 60s, 60s, ?A, ?B)",
    )


def _learning() -> Iterator[Entry]:
    """Give the experiments about what is learned of one odor."""
    yield Entry(
        "absolute",
        "Is it learning, and not what odor, reinforcer or time do on their own?",
        "Saumweber et al. 2011, Chem. Senses 36:223",
        "paired: ?A, 3x(A+ 60s, 60s) | ?A, ?B; "
        "unpaired: ?A, 3x(A 60s, + 60s) | ?A, ?B; "
        "odor: ?A, 3x(A 60s, 60s) | ?A, ?B; "
        "reinforcer: ?A, 3x(+ 60s, 60s) | ?A, ?B; "
        "naive: ?A, 6min | ?A, ?B",
        {
            **_UNPAIRED,
            "odor": "what smelling it does",
            "reinforcer": "what the reinforcer does",
            "naive": "what time does",
        },
    )
    yield Entry(
        "differential",
        "Do larvae tell an odor that was reinforced from one that was not?",
        "Scherer et al. 2003, Learn. Mem. 10:217",
        "trained: ?A, ?B, 3x(A+ 60s, B 60s) | ?A, ?B; exposed: ?A, ?B, 3x(A 60s, B 60s) | ?A, ?B",
        {"exposed": "both odors as often, without the reinforcer"},
    )
    yield Entry(
        "reciprocal",
        "What is learned about an odor, whichever of two it is?",
        "Gerber & Stocker 2007, Chem. Senses 32:65",
        "first: ?A, ?B, 3x(A+ 60s, 60s, B 60s, 60s) | ?A, ?B; second: mirror(A,B) of first",
        {"second": "the same with the odors exchanged; half the difference is the learning index"},
    )
    yield Entry(
        "choice",
        "Which of two odors do trained larvae follow, as long as they smell both?",
        _NEUSER,
        "first: 3x(A+ 60s, 60s, B 60s, 60s) | live A/B 180s; second: mirror(A,B) of first",
        {"second": "the same with the odors exchanged"},
    )
    yield Entry(
        "one-trial",
        "Is one trial enough?",
        "Weiglein et al. 2019, Learn. Mem. 26:109",
        "paired: ?A, A+ 60s, 60s, ?A; unpaired: ?A, A 60s, + 60s, ?A",
        _UNPAIRED,
    )
    yield Entry(
        "acquisition",
        "How does learning grow from trial to trial?",
        _NEUSER,
        "paired: ?A, 8x(A+ 60s, 60s, ?A); unpaired: ?A, 8x(A 60s, + 60s, ?A)",
        _UNPAIRED,
    )
    yield Entry(
        "truly-random",
        "Does the order of odor and reinforcer matter where none announces the other?",
        _RESCORLA,
        "random: ?A, shuffle(3x(A 60s), 3x(+ 60s)) | ?A; "
        "paired: ?A, 3x(A+ 60s, 60s) | ?A; "
        "unpaired: ?A, 3x(A 60s, + 60s) | ?A",
        {**_UNPAIRED, "paired": "the reinforcer always with the odor"},
    )
    yield Entry(
        "partial-reinforcement",
        "Is what was reinforced every other time lost more slowly?",
        "Humphreys 1939, J. Exp. Psychol. 25:141",
        "partial: 3x(A+ 60s, 60s, A 60s, 60s), ?A | #extinction 6x(A 60s, 60s, ?A); "
        "continuous: 3x(A+ 60s, 60s, 2min), ?A | #extinction 6x(A 60s, 60s, ?A)",
        {"continuous": "as many reinforcements, each time the odor comes"},
    )
    yield Entry(
        "trace",
        "Is an odor remembered until the reinforcer comes?",
        "Galili et al. 2011, J. Neurosci. 31:7240",
        '"no gap": ?A, 3x(A 30s, + 30s, 60s) | ?A; together: ?A, 3x(A+ 30s, 90s) | ?A; odor: ?A, 3x(A 30s, 90s) | ?A',
        {
            "no gap": "the reinforcer right after the odor",
            "together": "odor and reinforcer at once",
            "odor": "what smelling it does",
        },
        varied="time from the end of the odor to the reinforcer",
        values="5s,15s,60s",
        each='"gap {value}": ?A, 3x(A 30s, {value}, + 30s, 60s) | ?A',
    )
    yield Entry(
        "backward",
        "What is learned about an odor that comes after the reinforcer?",
        "Tanimoto et al. 2004, Nature 430:983",
        '"no gap": ?A, 3x(+ 30s, A 30s, 60s) | ?A; together: ?A, 3x(A+ 30s, 90s) | ?A; odor: ?A, 3x(A 30s, 90s) | ?A',
        {
            "no gap": "the odor right after the reinforcer",
            "together": "odor and reinforcer at once",
            "odor": "what smelling it does",
        },
        varied="time from the end of the reinforcer to the odor",
        values="5s,15s,60s",
        each='"gap {value}": ?A, 3x(+ 30s, {value}, A 30s, 60s) | ?A',
    )
    yield Entry(
        "dose",
        "How does learning depend on how much odor there is?",
        "Mishra et al. 2013, J. Exp. Biol. 216:1552",
        "unpaired: ?A, 3x(A 60s, + 60s) | ?A",
        _UNPAIRED,
        varied="dose of the odor, in training and at one of the tests",
        values="0.01,0.1,0.3,1",
        each='"dose {value}": ?A@{value}, 3x(A@{value}+ 60s, 60s) | ?A@{value}, ?A',
    )
    yield Entry(
        "intensity",
        "At which doses is an odor remembered that was learned at one?",
        "Mishra et al. 2013, J. Exp. Biol. 216:1552",
        "paired: 3x(A@0.1+ 60s, 60s) | ?A@0.01, ?A@0.03, ?A@0.1, ?A@0.3, ?A; "
        "unpaired: 3x(A@0.1 60s, + 60s) | ?A@0.01, ?A@0.03, ?A@0.1, ?A@0.3, ?A",
        _UNPAIRED,
    )
    yield Entry(
        "strength",
        "How does learning depend on the strength of the reinforcer?",
        _NEUSER,
        "unpaired: ?A, 3x(A 60s, [{us} 1] 60s) | ?A",
        _UNPAIRED,
        varied="strength of the reinforcer",
        values="0.25,0.5,1,1.5",
        each='"strength {value}": ?A, 3x(A[{us} {value}] 60s, 60s) | ?A',
    )
    yield Entry(
        "spacing",
        "Does time between trials help?",
        "Tully et al. 1994, Cell 79:35",
        "unpaired: ?A, 3x(A 60s, + 60s) | ?A",
        _UNPAIRED,
        varied="pause between trials",
        values="5s,60s,10min",
        each='"pause {value}": ?A, 3x(A+ 60s, {value}) | ?A',
    )
    yield Entry(
        "generalisation",
        "To which odors does what was learned extend?",
        "Chen et al. 2011, Chem. Senses 36:237",
        "paired: 3x(A+ 60s, 60s) | ?all; unpaired: 3x(A 60s, + 60s) | ?all",
        _UNPAIRED,
    )
    yield Entry(
        "test-with-reinforcer",
        "Does the reinforcer at the test change what a memory does?",
        "Gerber & Hendel 2006, Proc. R. Soc. B 273:2965",
        "paired: 3x(A+ 60s, 60s) | ?A, ?A+, ?+; unpaired: 3x(A 60s, + 60s) | ?A, ?A+, ?+",
        _UNPAIRED,
    )


def _compounds() -> Iterator[Entry]:
    """Give the experiments about several odors, and about what was met before."""
    yield Entry(
        "overshadowing",
        "Does an odor learn less beside another one?",
        "Pavlov 1927, Conditioned Reflexes",
        "compound: 3x(AB+ 60s, 60s) | ?A, ?B; alone: 3x(A+ 60s, 60s) | ?A, ?B; other: 3x(B+ 60s, 60s) | ?A, ?B",
        {"alone": "the odor reinforced alone", "other": "the other one reinforced alone"},
    )
    yield Entry(
        "blocking",
        "Is nothing learned about an odor that foretells nothing new?",
        "Kamin 1969, in Punishment and Aversive Behavior; Brembs & Heisenberg 2001, J. Exp. Biol. 204:2849",
        "blocked: 3x(A+ 60s, 60s) | #compound 3x(AB+ 60s, 60s) | ?A, ?B; "
        "other: 3x(C+ 60s, 60s) | #compound 3x(AB+ 60s, 60s) | ?A, ?B; "
        "fresh: 6min | #compound 3x(AB+ 60s, 60s) | ?A, ?B",
        {"other": "another odor trained before", "fresh": "nothing trained before"},
    )
    yield Entry(
        "second-order",
        "Does an odor gain value from another that has it?",
        "Tabone & de Belle 2011, Learn. Mem. 18:250",
        "second-order: 3x(A+ 60s, 60s), ?A, ?B | 3x(B 30s, A 30s, 60s) | ?A, ?B; "
        "apart: 3x(A+ 60s, 60s), ?A, ?B | 3x(B 30s, 60s, A 30s) | ?A, ?B; "
        "untrained: 3x(A 60s, + 60s), ?A, ?B | 3x(B 30s, A 30s, 60s) | ?A, ?B",
        {"apart": "the odors not one right after the other", "untrained": "the other odor has no value to give"},
    )
    yield Entry(
        "sensory-preconditioning",
        "Are two odors linked before any of them has a value?",
        "Brogden 1939, J. Exp. Psychol. 25:323",
        "linked: 3x(AB 60s, 60s) | 3x(A+ 60s, 60s) | ?A, ?B; apart: 3x(A 60s, B 60s) | 3x(A+ 60s, 60s) | ?A, ?B",
        {"apart": "both odors as often, never together"},
    )
    yield Entry(
        "conditioned-inhibition",
        "Does an odor that announces no reinforcer come to mean the opposite?",
        "Rescorla 1969, Psychol. Bull. 72:77",
        "inhibited: 3x(A+ 60s, 60s, AB 60s, 60s) | ?A, ?B, ?AB; beside: 3x(A+ 60s, 60s, B 60s, 60s) | ?A, ?B, ?AB",
        {"beside": "the odor unreinforced, but not where the reinforcer was due"},
    )
    yield Entry(
        "negative-patterning",
        "Can larvae learn that two odors are good, but not both together?",
        "Young et al. 2011, Neurobiol. Learn. Mem. 96:339",
        "patterned: 3x(A+ 60s, B+ 60s, AB 60s, 60s) | ?A, ?B, ?AB; "
        "elemental: 3x(A+ 60s, B+ 60s, AB+ 60s, 60s) | ?A, ?B, ?AB",
        {"elemental": "both together reinforced, too"},
    )
    yield Entry(
        "positive-patterning",
        "Can larvae learn that two odors are good only together?",
        "Young et al. 2011, Neurobiol. Learn. Mem. 96:339",
        "patterned: 3x(A 60s, B 60s, AB+ 60s, 60s) | ?A, ?B, ?AB; "
        "elemental: 3x(A+ 60s, B+ 60s, AB+ 60s, 60s) | ?A, ?B, ?AB",
        {"elemental": "each alone reinforced, too"},
    )
    yield Entry(
        "latent-inhibition",
        "Is a familiar odor learned more slowly?",
        "Lubow & Moore 1959, J. Comp. Physiol. Psychol. 52:415",
        "exposed: 6x(A 60s, 60s), ?A | 3x(A+ 60s, 60s) | ?A; "
        "other: 6x(B 60s, 60s), ?A | 3x(A+ 60s, 60s) | ?A; "
        "fresh: 12min, ?A | 3x(A+ 60s, 60s) | ?A",
        {"other": "another odor as familiar", "fresh": "nothing before"},
    )
    yield Entry(
        "reinforcer-preexposure",
        "Does a familiar reinforcer teach less?",
        "Randich & LoLordo 1979, Psychol. Bull. 86:523",
        "exposed: 6x(+ 60s, 60s), ?A | 3x(A+ 60s, 60s) | ?A; fresh: 12min, ?A | 3x(A+ 60s, 60s) | ?A",
        {"fresh": "nothing before"},
    )


def _later() -> Iterator[Entry]:
    """Give the experiments about what becomes of a memory, and about the neurons that make it."""
    yield Entry(
        "extinction-other-odor",
        "Does smelling another odor take away what was learned, too?",
        "Bouton 2004, Learn. Mem. 11:485",
        "same: 3x(A+ 60s, 60s), ?A, ?B | #extinction 3x(A 60s, 60s) | ?A, ?B; "
        "other: 3x(A+ 60s, 60s), ?A, ?B | #extinction 3x(B 60s, 60s) | ?A, ?B; "
        "rest: 3x(A+ 60s, 60s), ?A, ?B | 6min | ?A, ?B",
        {"other": "another odor as long", "rest": "what time does"},
    )
    yield Entry(
        "spontaneous-recovery",
        "Does what was extinguished come back by itself?",
        "Rescorla 2004, Learn. Mem. 11:501",
        "kept: 3x(A+ 60s, 60s), ?A | 12min, ?A | 10min | ?A",
        {"kept": "trained and not extinguished"},
        varied="rest after extinction",
        values="10min,30min",
        each='"rest {value}": 3x(A+ 60s, 60s), ?A | #extinction 6x(A 60s, 60s), ?A | {value} | ?A',
    )
    yield Entry(
        "reacquisition",
        "Is what was extinguished learned again faster than the first time?",
        "Napier et al. 1992, J. Exp. Psychol. Anim. Behav. Process. 18:182",
        "again: 3x(A+ 60s, 60s), ?A | #extinction 6x(A 60s, 60s), ?A | #reacquisition 3x(A+ 60s, 60s, ?A); "
        "first: 6min, ?A | #extinction 6x(A 60s, 60s), ?A | #acquisition 3x(A+ 60s, 60s, ?A)",
        {"first": "not trained before, the odor as familiar"},
    )
    yield Entry(
        "reversal-of-valence",
        "Does a punished odor lose the value that reward gave it?",
        "Dickinson & Pearce 1977, Psychol. Bull. 84:690",
        "reversed: 3x(A[reward 1] 60s, 60s), ?A | #reversal 3x(A[punishment 1] 60s, 60s, ?A); "
        "extinguished: 3x(A[reward 1] 60s, 60s), ?A | #extinction 3x(A 60s, 60s, ?A); "
        "punished: 3x(A 60s, 60s), ?A | #punishment 3x(A[punishment 1] 60s, 60s, ?A)",
        {
            "extinguished": "what the odor alone takes away",
            "punished": "what punishment does without a memory before it",
        },
    )
    yield Entry(
        "reversal-of-odors",
        "Do larvae learn anew when the odors change parts?",
        "Mancini et al. 2019, Learn. Mem. 26:424",
        "reversed: 3x(A+ 60s, B 60s), ?A, ?B | #reversal 3x(A 60s, B+ 60s, ?A, ?B); "
        "kept: 3x(A+ 60s, B 60s), ?A, ?B | #training 3x(A+ 60s, B 60s, ?A, ?B); "
        "first: 3x(A 60s, B 60s), ?A, ?B | #training 3x(A 60s, B+ 60s, ?A, ?B)",
        {"kept": "trained on as before", "first": "not trained before"},
    )
    yield Entry(
        "retention",
        "How long does a memory last?",
        _NEUSER,
        '"at once": 3x(A+ 60s, 60s) | ?A',
        {"at once": "the memory when it is fresh"},
        varied="time from training to test",
        values="5min,15min,30min",
        each='"after {value}": 3x(A+ 60s, 60s) | {value} | ?A; '
        '"unpaired, after {value}": 3x(A 60s, + 60s) | {value} | ?A',
    )
    yield Entry(
        "dopamine-silenced",
        "Is the dopamine neuron of reward needed to learn, or to show what was learned?",
        "Rohwedder et al. 2016, Curr. Biol. 26:661",
        "training: {silence DANp: 3x(A[reward 1] 60s, 60s)} | ?A; "
        "test: 3x(A[reward 1] 60s, 60s) | {silence DANp: ?A}; "
        "never: 3x(A[reward 1] 60s, 60s) | ?A",
        {"never": "nothing is silenced"},
    )
    yield Entry(
        "dopamine-driven",
        "Can a dopamine neuron stand in for the reward?",
        "Saumweber et al. 2018, Nat. Commun. 9:1104",
        "driven: 3x({drive DANp 250pA: A 60s}, 60s) | ?A; "
        "apart: 3x(A 60s, {drive DANp 250pA: 60s}) | ?A; "
        "rewarded: 3x(A[reward 1] 60s, 60s) | ?A",
        {"apart": "driven as long, never while the odor is there", "rewarded": "the reward itself"},
    )


@cache
def entries() -> Mapping[str, Entry]:
    """Return every experiment of the library, by its id.

    Example:
        >>> entries()["trace"].varied
        'time from the end of the odor to the reinforcer'
    """
    every = (*_usual(), *_learning(), *_compounds(), *_later())
    return MappingProxyType({entry.id: entry for entry in every})


def find_entry(text: str) -> tuple[Entry, str | None]:
    """Return the entry that an id names, and the values in it.

    Args:
        text: A name, or a name and values, as in "trace/5s,30s".

    Raises:
        InputError: there is no such entry.

    Example:
        >>> find_entry("trace/5s,30s")[1]
        '5s,30s'
    """
    name, slash, values = checks.instance("id", text, str, "pass text").partition("/")
    known = entries()
    return known[checks.one_of("experiment", name, list(known))], values if slash else None


def as_design(given: Design | str, **options: Any) -> Design:
    """Return a design: one that is there, one of the library by its id, or one that is written.

    Args:
        given: A design, an id such as "trace/5s,30s", text in the notation, or an id that results of earlier versions
            have (see `paradigms.of_id`), which says everything itself.
        **options: As for `Design.read`, where it is not a design already.

    Raises:
        NotationError: the text cannot be read.
        InputError: `given` is something else, there is no such id, or an option is unusable.

    Example:
        >>> [group.name for group in as_design("one-trial").groups]
        ['paired', 'unpaired']
        >>> as_design("A+ 60s, ?A").duration_s
        60.0
    """
    if isinstance(given, Design):
        if checks.several("odors", options.get("odors", ())):
            raise InputError("odors must be none beside a Design, which holds its own; pass them to Design.read")
        return given
    text = checks.instance("design", given, str, "pass a Design, an id of the library, or text in the notation")
    if _OLD_ID.match(text):
        return of_id(text)
    if _ID.fullmatch(text):
        entry, values = find_entry(text)
        return entry.design(values, **options)
    return Design.read(text, **options)
