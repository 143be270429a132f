import numpy as np
import pytest

from kenyon.errors import InputError
from kenyon.mushroom_body import circuit


def test_the_cells_stand_in_the_published_order() -> None:
    """142 neurons, every index in one group."""
    sizes = {name: where.stop - where.start for name, where in circuit.GROUPS.items()}
    assert sizes == {"ORN": 21, "PN": 21, "LN": 21, "KC": 72} | dict.fromkeys(
        ("MBONp", "MBONn", "DANp", "DANn", "LNp", "LNn", "APL"), 1
    )
    assert [circuit.KC, circuit.GROUPS["MBONp"].start, circuit.GROUPS["APL"].start, circuit.N_NEURONS] == [
        63,
        135,
        141,
        142,
    ]


@pytest.mark.parametrize("n_kcs", [1, 73, 128])
def test_output_neurons_stand_behind_the_last_kenyon_cell(n_kcs: int) -> None:
    """Whatever number of those there is; every index is in one group."""
    cells = circuit.layout(n_kcs)
    places = np.concatenate([np.arange(cells.n_neurons)[where] for where in cells.groups.values()])
    assert (places == np.arange(70 + n_kcs)).all()
    assert list(cells.groups) == list(circuit.GROUPS)
    assert circuit.layout_of(70 + n_kcs) is cells


@pytest.mark.parametrize("n_kcs", [0, 129, -1, 72.5, "72", None, True])
def test_no_other_number_of_kenyon_cells_is_a_circuit(n_kcs: object) -> None:
    """In one sentence."""
    with pytest.raises(InputError, match="the number of Kenyon cells must be an integer of at least 1 and at most 128"):
        circuit.Layout(n_kcs)  # type: ignore[arg-type]
