from html.parser import HTMLParser

import numpy as np
import pytest

from kenyon.errors import InputError
from kenyon.mushroom_body import BALANCED, PUBLISHED, Population, Record
from kenyon.mushroom_body.circuit import GROUPS
from kenyon.notebook import words_and_table


@pytest.fixture(scope="module")
def larvae() -> Population:
    """Return three larvae that smell something."""
    population = Population(BALANCED, [1, 2, 3], threads=1)
    population.stimulate("pentyl acetate", reward=1.0)
    return population


def test_spikes_as_a_table(larvae: Population) -> None:
    """A row a spike: counted by larva and group they are the counts, and their times are those of the steps."""
    activity = larvae.advance([0, 100, 250], record=Record(spikes=True))
    table = activity.to_dataframe()
    for group, where in GROUPS.items():
        own = table[table["group"] == group]
        np.testing.assert_array_equal(np.bincount(own["larva"], minlength=3), activity.spikes_of(group))
        assert (own["neuron"] == where.start + own["cell"]).all()
    assert activity.spikes is not None
    np.testing.assert_allclose(table["time_ms"], np.concatenate(activity.spikes)[:, 0] * 0.1)
    assert table["larva"].is_monotonic_increasing
    with pytest.raises(InputError, match=r"spikes must be recorded for a table of them, .* record=Record.spikes=True."):
        larvae.probe().to_dataframe()


def test_everything_as_a_dataset(larvae: Population) -> None:
    """Selected by names it is what the arrays hold by number; larvae that ended earlier have no later samples."""
    variables = ("v_mV", "w_kc_mbonp_nS", "eligibility")
    activity = larvae.advance([100, 50, 0], record=Record(spikes=True, variables=variables, every_ms=25))
    dataset = activity.to_dataset()
    apl = dataset.isel(neuron=dataset.group == "APL")
    np.testing.assert_array_equal(apl.counts.squeeze("neuron"), activity.spikes_of("APL"))
    assert float(dataset.v_mV.sel(larva=0, time_ms=75.0, neuron=70)) == activity.samples["v_mV"][0, 2, 70]
    np.testing.assert_array_equal(dataset.eligibility.isnull().all("kc").sum("time_ms"), [0, 2, 4])
    assert dataset.sizes["spike"] == int(activity.counts.sum())
    assert set(larvae.probe().to_dataset().data_vars) == {"counts", "duration_ms", "diverged"}


def test_short_words(larvae: Population) -> None:
    """What a prompt shows is one line, whatever it holds."""
    assert repr(larvae.probe("anisole", 100)) == "<activity of 3 larvae over 100 ms>"
    assert repr(larvae.probe("anisole", [0, 1, 2])) == "<activity of 3 larvae over 0 to 2 ms>"
    assert repr(larvae.snapshot()) == "<snapshot of 3 larvae, balanced>"
    assert repr(PUBLISHED.replace(homeostasis=0)) == "<parameters: published with homeostasis=0.0>"


class _Cells(HTMLParser):
    """The texts of the cells of a table."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        """Keep what stands between tags."""
        self.texts += [data.strip()] if data.strip() else []


def cells(shown_in_notebook: str) -> list[str]:
    """Return all texts of a piece of HTML."""
    parser = _Cells()
    parser.feed(shown_in_notebook)
    return parser.texts


def test_tables_in_notebooks(larvae: Population) -> None:
    """They hold what is asked about most, and text of others is never taken for markup."""
    assert {"MBONp", "mean (Hz)"} <= set(cells(larvae.probe("anisole", 100)._repr_html_()))
    for shown in (larvae, larvae.snapshot()):
        assert {repr(shown), "seed", "1", "3"} <= set(cells(shown._repr_html_()))
    changed = cells(BALANCED.replace({"kc.threshold_mV": -34})._repr_html_())
    place = changed.index("kc.threshold_mV")
    assert changed[place + 1 : place + 4] == ["-34.0", "-35.0", "mV"]
    assert len(cells(Population(BALANCED, range(500))._repr_html_())) < 150
    assert "<script>" not in words_and_table("<script>", [{"<script>": "<script>"}])
