import csv
import math
from importlib import resources

import numpy as np
import pytest

from kenyon.errors import InputError
from kenyon.mushroom_body import odors

ROWS = list(
    csv.DictReader(
        (resources.files("kenyon.mushroom_body") / "data" / "orn_responses.csv").read_text("utf-8").splitlines()
    )
)


def test_all_34_odors_are_there() -> None:
    """By number and by name, whatever the case."""
    assert len(odors.odors()) == 34
    assert len(odors.receptors()) == 21
    for odor in odors.odors():
        assert odors.find(odor.number) is odors.find(odor.name.upper()) is odors.find(str(odor.number)) is odor


def test_every_measurement_is_returned_as_it_stands() -> None:
    """At a measured dilution the response is the measured one, with negative ones set to 0."""
    for row in ROWS:
        expected = [float(cell) if cell else math.nan for cell in list(row.values())[3:]]
        given = odors.response(row["odor"], float(row["dilution"]) / 1e-4)
        for one, other in zip(given, expected, strict=True):
            assert math.isnan(other) or one == pytest.approx(max(other, 0.0), abs=1e-12)


def test_between_dilutions_it_is_linear_in_the_logarithm() -> None:
    """Half way between two dilutions in log10 lies the mean of their responses."""
    low, high = odors.response("3-octanol", 0.01), odors.response("3-octanol", 0.1)
    assert odors.response("3-octanol", 10**-1.5) == pytest.approx((low + high) / 2)


def test_outside_the_measured_dilutions() -> None:
    """Above the highest it holds; below the lowest it falls linearly to nothing."""
    assert (odors.response("3-octanol", 1e6) == odors.response("3-octanol", 1.0)).all()
    lowest = odors.find("3-octanol").concentrations[0]
    assert odors.response("3-octanol", lowest / 4) == pytest.approx(odors.response("3-octanol", lowest) / 4)
    for none in (0.0, -0.0, -1.0, -1e300):
        assert not odors.response("3-octanol", none).any()


@pytest.mark.parametrize(("odor", "receptor"), [("2-heptanone", "Or85c"), ("methyl salicylate", "Or22c")])
def test_a_receptor_measured_at_other_dilutions_has_its_own_curve(odor: str, receptor: str) -> None:
    """Where others were measured and it was not, its own neighbors count; nothing is nan."""
    channel = odors.receptors().index(receptor)
    curve = [
        (float(row["dilution"]) / 1e-4, float(row[receptor])) for row in ROWS if row["odor"] == odor and row[receptor]
    ]
    missing = [row for row in ROWS if row["odor"] == odor and not row[receptor]]
    assert missing
    highest = max(curve)
    assert odors.response(odor, highest[0] * 1.5)[channel] == pytest.approx(max(highest[1], 0.0))
    for concentration in np.geomspace(1e-8, 10, 50):
        assert np.isfinite(odors.response(odor, concentration)).all()


def test_odors_together_add() -> None:
    """A mixture's response is the sum; a concentration of 0 adds nothing."""
    both = odors.mixture_response({"pentyl acetate": 1.0, 7: 0.5, "anisole": 0.0})
    assert both == pytest.approx(odors.response("pentyl acetate") + odors.response(7, 0.5))
    assert not odors.mixture_response(None).any()
    assert not odors.mixture_response({}).any()


@pytest.mark.parametrize(
    ("mixture", "sentence"),
    [
        ("pentil acetate", "unknown odor 'pentil acetate'; did you mean 'pentyl acetate'"),
        ({"3-octanole": 1.0}, "unknown odor '3-octanole'; did you mean '3-octanol'"),
        (34, "odor number must be an integer of at least 0 and at most 33, got 34"),
        (-1, "odor number must be an integer of at least 0 and at most 33, got -1"),
        (1.0, "odor number must be an integer"),
        ({"3-octanol": math.nan}, "concentration of 3-octanol must be a finite number, got nan"),
        ({"3-octanol": math.inf}, "concentration of 3-octanol must be a finite number, got inf"),
        ({"3-octanol": "much"}, "concentration of 3-octanol must be a finite number, got 'much'"),
        ({"3-octanol": 1.0, "3-Octanol": 1.0}, "odors must name each odor once, got '3-octanol' twice"),
    ],
)
def test_nonsense_is_refused(mixture: odors.Odors, sentence: str) -> None:
    """In one sentence, with the nearest names."""
    with pytest.raises(InputError) as refusal:
        odors.mixture_response(mixture)
    assert str(refusal.value).startswith(sentence)


@pytest.mark.parametrize(
    ("first", "second", "cosine"),
    [
        ("pentyl acetate", "3-octanol", 0.84),
        ("pentyl acetate", "4,5-dimethylthiazole", 0.05),
        ("pentyl acetate", "4-methyl-5-vinylthiazole", 0.13),
        ("4-methyl-5-vinylthiazole", "6-methyl-5-hepten-2-ol", 0.00),
    ],
)
def test_similarity_of_the_pairs_used_for_discrimination(first: str, second: str, cosine: float) -> None:
    """The cosines known for these data, Si et al. 2019."""
    assert odors.similarity(first, second) == pytest.approx(cosine, abs=0.005)
