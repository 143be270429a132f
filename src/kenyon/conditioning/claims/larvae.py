"""What larvae do, as claims: what each asks of a circuit, and which bounds a circuit must meet.

Of the sources abstracts and data files were read; the claims are of sign and rank order, so every bound is ours. A is
the odor that is trained, B one unlike it.
"""

from functools import partial
from itertools import pairwise
from typing import Final

from kenyon.conditioning.claims import measures
from kenyon.conditioning.claims.answers import FloatArray
from kenyon.conditioning.claims.claim import Claim, Criterion
from kenyon.conditioning.claims.measures import after, difference, last, left, less, mixed

_ACQUISITION: Final = "?A 4s, 8x(A+ 60s, 60s, ?A 4s), A 60s, ?A 4s"
_THREE: Final = "3x(A+ 60s, 60s), ?A 4s"
_ONE: Final = "A+ 60s, 60s, ?A 4s"
_STRENGTHS: Final = ("0.5", "0.75", "1", "1.5")
_GAPS: Final = (("5 s", "5s, "), ("30 s", "30s, "))
_BELOW: Final = -0.02
"""A memory of the other sign counts from here."""


def _last(group: str, test: str = "A") -> partial[FloatArray]:
    """Return the measure that is the index at the last test of a group."""
    return partial(last, group=group, test=test)


def _more(first: str, second: str, test: str = "A") -> partial[FloatArray]:
    """Return the measure that is the index of one group less that of another."""
    return partial(less, first=first, second=second, test=test)


LARVAE: Final = (
    Claim(
        id="L1",
        species="larva",
        statement="Larvae reach their asymptote after about three trials.",
        source="Neuser et al. 2005, Anim. Behav. 69:891",
        groups={"paired": _ACQUISITION},
        criteria=(
            Criterion(
                "the third gain, as a share of the largest", measures.third_gain, at_most=0.5, null=1.0, unit="share"
            ),
            Criterion(
                "what trials 4 to 8 add, as a share of what three gave",
                lambda told: after(told, 8) / after(told, 3) - 1.0,
                at_most=0.25,
                null=5 / 3,
                unit="share",
            ),
        ),
        contradicted_by="Learning would grow as steadily after the third trial as before.",
        fitted_in=("balanced", "larval"),
    ),
    Claim(
        id="L2",
        species="larva",
        statement="One trial is enough.",
        source="Weiglein et al. 2019, Learn. Mem. 26:109",
        groups={"paired": _ACQUISITION},
        criteria=(
            Criterion(
                "one trial, as a share of three",
                lambda told: after(told, 1) / after(told, 3),
                at_least=0.25,
                unit="share",
            ),
        ),
        contradicted_by="One trial would teach less than a quarter of what three teach.",
    ),
    Claim(
        id="L3",
        species="larva",
        statement="Reward and punishment mirror each other.",
        source="Mancini et al. 2019, Learn. Mem. 26:424; Schleyer et al. 2018, Front. Psychol. 9:1494",
        groups={
            "rewarded": "?A 4s, 3x(A[reward 1] 60s, 60s, ?A 4s)",
            "punished": "?A 4s, 3x(A[punishment 1] 60s, 60s, ?A 4s)",
        },
        criteria=(
            Criterion(
                "reward and punishment added up, as a share of reward",
                measures.imbalance,
                at_least=-0.05,
                at_most=0.05,
                null=1.0,
                unit="share",
            ),
        ),
        contradicted_by="One of them would teach more than the other, at equal strength.",
        fitted_in=("balanced", "larval"),
    ),
    Claim(
        id="L4",
        species="larva",
        statement="The stronger the reinforcer, the stronger the memory.",
        source="Thane et al. 2019; Neuser et al. 2005, Anim. Behav. 69:891",
        groups={f"strength {strength}": f"A[{{us}} {strength}] 60s, 60s, ?A 4s" for strength in (*_STRENGTHS, "2")},
        criteria=(
            *(
                Criterion(f"{high} less {low}", _more(f"strength {high}", f"strength {low}"), at_least=0.0)
                for low, high in pairwise(_STRENGTHS)
            ),
            Criterion("2 less 1.5", _more("strength 2", "strength 1.5")),
        ),
        contradicted_by="A stronger reinforcer would teach no more.",
        fitted_in=("larval",),
    ),
    Claim(
        id="L5",
        species="larva",
        statement="The more there is of an odor, the more is learned about it.",
        source="Thane et al. 2019",
        groups={
            "dose 0.01": "A@0.01+ 60s, 60s, ?A 4s, ?A@0.01 4s",
            "dose 0.1": "A@0.1+ 60s, 60s, ?A 4s, ?A@0.1 4s",
            "dose 1": _ONE,
        },
        criteria=(
            Criterion("trained at .1 less at .01, tested at 1", _more("dose 0.1", "dose 0.01"), at_least=0.0),
            Criterion("trained at 1 less at .1, tested at 1", _more("dose 1", "dose 0.1"), at_least=0.0),
            Criterion("trained and tested at .01", _last("dose 0.01", "A@0.01")),
            Criterion("trained and tested at .1", _last("dose 0.1", "A@0.1")),
            Criterion("trained and tested at 1", _last("dose 1")),
        ),
        contradicted_by="A weaker odor would be learned as well.",
        fitted_in=("larval",),
    ),
    Claim(
        id="L6",
        species="larva",
        statement="Unpaired training with reward makes larvae shun an odor, and with punishment seek it.",
        source="Schleyer et al. 2018, Front. Psychol. 9:1494",
        groups={
            "odor first": "3x(A 60s, + 60s), ?A 4s, ?B 4s",
            "reinforcer first": "3x(+ 60s, A 60s), ?A 4s, ?B 4s",
            "odor first, pauses": "3x(A 60s, 60s, + 60s, 60s), ?A 4s",
            "reinforcer first, pauses": "3x(+ 60s, 60s, A 60s, 60s), ?A 4s",
            "odor": "3x(A 60s, 60s), ?A 4s",
            "reinforcer": "3x(+ 60s, 60s), ?A 4s, ?B 4s",
        },
        controls={"odor": "what smelling it does", "reinforcer": "what the reinforcer does"},
        criteria=(
            Criterion("odor first", _last("odor first"), at_most=_BELOW),
            Criterion("reinforcer first", _last("reinforcer first"), at_most=_BELOW),
            Criterion("odor first, with pauses of 60 s", _last("odor first, pauses")),
            Criterion("reinforcer first, with pauses of 60 s", _last("reinforcer first, pauses")),
            Criterion("odor alone", _last("odor")),
            Criterion("reinforcer alone", _last("reinforcer")),
        ),
        contradicted_by="Unpaired larvae would end where naive ones are, or on the side of paired ones.",
        fitted_in=("larval",),
    ),
    Claim(
        id="L7",
        species="larva",
        statement="An odor before dopamine and an odor at its end come to mean the opposite of each other.",
        source="Thoener et al. 2022, J. Exp. Biol. 225:jeb244565",
        groups={
            "forward": "3x(A 30s, + 30s, 60s), ?A 4s",
            "together": "3x(A+ 30s, 90s), ?A 4s",
            "backward": "3x(+ 30s, A 30s, 60s), ?A 4s",
            **{f"forward, {gap}": f"3x(A 30s, {pause}+ 30s, 60s), ?A 4s" for gap, pause in _GAPS},
            **{f"backward, {gap}": f"3x(+ 30s, {pause}A 30s, 60s), ?A 4s" for gap, pause in _GAPS},
        },
        controls={"together": "odor and reinforcer at once"},
        criteria=(
            Criterion("odor right before", _last("forward"), at_least=0.0),
            Criterion("odor right after", _last("backward"), at_most=_BELOW),
            Criterion("odor 5 s after", _last("backward, 5 s"), at_most=_BELOW),
            Criterion("at once", _last("together")),
            *(Criterion(f"odor {gap} before", _last(f"forward, {gap}")) for gap, _ in _GAPS),
            *(Criterion(f"odor {gap} after", _last(f"backward, {gap}")) for gap, _ in _GAPS[1:]),
        ),
        contradicted_by="Both orders would give memories of one sign.",
        fitted_in=("larval",),
    ),
    Claim(
        id="L8",
        species="larva",
        statement="Exposure without the reinforcer extinguishes what was learned.",
        source="Lesar et al. 2021, eLife 10:e70317",
        groups={"exposed": f"{_THREE} | A 180s, ?A 4s", "rest": f"{_THREE} | 180s, ?A 4s"},
        controls={"rest": "what time does"},
        criteria=(
            Criterion("share that 180 s take", lambda told: 1.0 - left(told, "exposed"), at_least=1 / 3, unit="share"),
            Criterion("share that as long a rest takes", lambda told: 1.0 - left(told, "rest"), unit="share"),
        ),
        contradicted_by="Exposure would leave as much as time alone does.",
        fitted_in=("balanced", "larval"),
    ),
    Claim(
        id="L9",
        species="larva",
        statement="The longer the training, the smaller the share that exposure takes.",
        source="Lesar et al. 2021, eLife 10:e70317",
        groups={"once": f"{_ONE}, A 60s, ?A 4s", "thrice": f"{_THREE}, A 60s, ?A 4s", "paired": _ACQUISITION},
        criteria=(
            Criterion(
                "share left after eight trials less that after one",
                lambda told: left(told, "paired") - left(told, "once"),
                at_least=0.1,
                unit="share",
            ),
            Criterion("share left after one trial", partial(left, group="once"), unit="share"),
            Criterion("share left after three", partial(left, group="thrice"), unit="share"),
            Criterion("share left after eight", partial(left, group="paired"), unit="share"),
        ),
        contradicted_by="Exposure would take the same share, however long the training.",
        fitted_in=("larval",),
    ),
    Claim(
        id="L10",
        species="larva",
        statement="Larvae learn to tell two odors apart, whichever of them is reinforced.",
        source="Scherer et al. 2003, Learn. Mem. 10:217; Mancini et al. 2019, Learn. Mem. 26:424",
        groups={
            "A reinforced": "3x(A+ 60s, 60s, B 60s, 60s), ?A 4s, ?B 4s",
            "B reinforced": "3x(B+ 60s, 60s, A 60s, 60s), ?A 4s, ?B 4s",
            "A alone": _THREE,
            "B alone": "3x(B+ 60s, 60s), ?B 4s",
            "P reinforced": "P = pentyl acetate, O = 3-octanol: 3x(P+ 60s, 60s, O 60s, 60s), ?P 4s, ?O 4s",
            "O reinforced": "P = pentyl acetate, O = 3-octanol: 3x(O+ 60s, 60s, P 60s, 60s), ?P 4s, ?O 4s",
        },
        controls={"A alone": "absolute training", "B alone": "absolute training with the other odor"},
        criteria=(
            Criterion(
                "A from B, as a share of absolute training",
                lambda told: difference(told, "A reinforced") / told.last("A alone"),
                at_least=0.7,
                unit="share",
            ),
            Criterion(
                "B from A, as a share of absolute training",
                lambda told: difference(told, "B reinforced", "B", "A") / told.last("B alone", "B"),
                at_least=0.7,
                unit="share",
            ),
            Criterion(
                "reciprocal index of pentyl acetate and 3-octanol",
                lambda told: measures.reciprocal(told, "P reinforced", "O reinforced", "P", "O"),
                at_least=0.2,
                mean_at_least=0.25,
            ),
        ),
        contradicted_by="The odors would be told apart in one of the two groups only.",
        fitted_in=("larval",),
    ),
    Claim(
        id="L11",
        species="larva",
        statement="One trial reverses what one trial taught, and what each did is still there.",
        source="Mancini et al. 2019, Learn. Mem. 26:424",
        groups={
            "reversed": "A+ 60s, 60s, B 60s, 60s | A 60s, 60s, B+ 60s, 60s | ?A 4s, ?B 4s",
            "second phase alone": "A 60s, 60s, B+ 60s, 60s | ?A 4s, ?B 4s",
            "first phase alone": "A+ 60s, 60s, B 60s, 60s | 4min | ?A 4s, ?B 4s",
            "paired, then unpaired": "3x(A+ 60s, 60s) | 3x(A 60s, + 60s) | ?A 4s",
        },
        controls={
            "second phase alone": "nothing trained before",
            "first phase alone": "nothing trained after",
        },
        criteria=(
            Criterion("A less B after both", partial(difference, group="reversed"), at_most=0.0),
            Criterion(
                "after both, less after the second alone",
                lambda told: difference(told, "reversed") - difference(told, "second phase alone"),
                at_least=0.1,
            ),
            Criterion("A less B after the first alone", partial(difference, group="first phase alone")),
            Criterion("A less B after the second alone", partial(difference, group="second phase alone")),
            Criterion("paired, then unpaired", _last("paired, then unpaired")),
        ),
        contradicted_by="The preference would stay with the first trial, or be that of the second alone.",
        fitted_in=("larval",),
    ),
    Claim(
        id="L12",
        species="larva",
        statement="Memory is stable for half an hour.",
        source="Neuser et al. 2005, Anim. Behav. 69:891",
        groups={
            "rest": f"{_THREE} | 30min | ?A 4s",
            "met another": f"{_THREE} | 25min, B 60s, 4min | ?A 4s",
            "naive": "?A 8s, ?B 8s",
        },
        controls={"naive": "how alike the two odors are coded"},
        criteria=(
            Criterion("share left after 30 min", partial(left, group="rest"), at_least=0.95, unit="share"),
            Criterion(
                "share left with 60 s of an unlike odor in them",
                measures.kept_beside_unlike,
                at_least=0.9,
                unit="share",
            ),
            Criterion("overlap of the codes of both odors", lambda told: told.overlap("naive"), unit=""),
        ),
        contradicted_by="The memory would fade, or any odor would take it away.",
        fitted_in=("larval",),
        codes=True,
    ),
    Claim(
        id="L13",
        species="larva",
        statement="What was learned shows only where it promises a gain.",
        source="Gerber & Hendel 2006, Proc. R. Soc. B 273:2965; Schleyer et al. 2015",
        groups={"paired": f"{_THREE}, ?A+ 4s", "unpaired": "3x(A 60s, + 60s), ?A 4s, ?A+ 4s"},
        controls={"unpaired": "odor and reinforcer as often, never together"},
        criteria=(
            Criterion(
                "with the reinforcer there, as a share of without",
                lambda told: told.last("paired", "A+") / told.last("paired"),
                at_most=0.5,
                null=1.0,
                unit="share",
            ),
        ),
        contradicted_by="The reinforcer at the test would leave the preference as it is.",
    ),
    Claim(
        id="L14",
        species="larva",
        statement="An odor is remembered best at the intensity at which it was trained.",
        source="Mishra et al. 2013, J. Exp. Biol. 216:1552 (title); in adults Yarali et al. 2009",
        groups={"trained": "3x(A@0.1+ 60s, 60s), ?A@0.01 4s, ?A@0.1 4s, ?A 4s"},
        criteria=(
            Criterion(
                "at its own dose, less 1.1 times that at a tenth",
                lambda told: told.last("trained", "A@0.1") - 1.1 * told.last("trained", "A@0.01"),
                at_least=0.0,
                null=-0.1,
            ),
            Criterion(
                "at its own dose, less 1.1 times that at ten times as much",
                lambda told: told.last("trained", "A@0.1") - 1.1 * told.last("trained"),
                at_least=0.0,
                null=-0.1,
            ),
        ),
        contradicted_by="The preference would grow with the dose of the test, whatever was trained.",
        fitted_in=("larval",),
    ),
    Claim(
        id="L15",
        species="larva",
        statement="Of ten pairs of odors, 3-octanol and benzaldehyde are taken for each other most.",
        source="PMC3038273",
        groups={},
        criteria=(),
        contradicted_by="Another pair would be taken for each other more.",
        not_testable="Measured receptors decide how alike odors are coded; no rule of learning can change it.",
    ),
    Claim(
        id="L16",
        species="larva",
        statement="Of a mixture of two odors the larger part dominates, but by less than its share.",
        source="Chen et al. 2017, PMC5672140",
        groups={
            "differential": "3x(A+ 60s, 60s, B 60s, 60s), "
            + ", ".join(f"?{measures.mixture(*doses)} 4s" for doses in measures.MIXTURES)
        },
        criteria=(
            *(
                Criterion(
                    f"fall from {high[0]:g}:{high[1]:g} to {low[0]:g}:{low[1]:g}",
                    partial(measures.fall, place=place),
                    at_least=0.0,
                    unit="",
                )
                for place, (high, low) in enumerate(pairwise(measures.MIXTURES))
            ),
            Criterion("way from B to A at 0.7:0.3", lambda told: mixed(told)[:, 2], at_least=0.5, null=0.5, unit=""),
            Criterion("way from B to A at 0.3:0.7", lambda told: mixed(told)[:, 4], at_most=0.5, null=0.5, unit=""),
            Criterion("the same at 0.9:0.1", lambda told: mixed(told)[:, 1], at_most=0.9, null=1.0, unit=""),
            Criterion("the same at 0.1:0.9", lambda told: mixed(told)[:, 5], at_least=0.1, unit=""),
        ),
        contradicted_by="The minor part would count for less than its share, or the preference would turn back.",
    ),
    Claim(
        id="L17",
        species="larva",
        statement="Larvae show blocking, overshadowing, second order, latent inhibition and spontaneous recovery.",
        source="",
        groups={
            "blocked": "3x(A+ 60s, 60s) | 3x(AB+ 60s, 60s) | ?B 4s",
            "fresh": "3x(AB+ 60s, 60s) | ?A 4s, ?B 4s",
            "alone": _THREE,
            "second order": "3x(A+ 60s, 60s) | 2x(B 30s, A 30s, 60s) | ?B 4s",
            "apart": "3x(A+ 60s, 60s) | 2x(B 30s, 60s, A 30s) | ?B 4s",
            "familiar": "3x(A 60s, 60s) | 3x(A+ 60s, 60s) | ?A 4s",
            "extinguished": f"{_THREE} | A 180s, ?A 4s | 5min | ?A 4s",
        },
        controls={
            "fresh": "nothing trained before the compound",
            "alone": "one odor reinforced by itself, nothing before",
            "apart": "the odors not one right after the other",
        },
        criteria=(
            Criterion("blocking: B after the compound, fresh less blocked", _more("fresh", "blocked", "B")),
            Criterion("overshadowing: A trained alone less beside B", _more("alone", "fresh")),
            Criterion("second order: B in order less apart", _more("second order", "apart", "B")),
            Criterion("latent inhibition: A unknown less familiar", _more("alone", "familiar")),
            Criterion(
                "spontaneous recovery in 5 min",
                lambda told: told.index("extinguished")[:, 2] - told.index("extinguished")[:, 1],
            ),
        ),
        contradicted_by="Nothing, for no source on larvae says what they do.",
        unknown="No source on larvae was found.",
    ),
)
"""The claims, by the rows of the literature that they stand for."""
