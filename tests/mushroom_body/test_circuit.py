from kenyon.mushroom_body import circuit


def test_the_cells_stand_in_the_published_order() -> None:
    """142 neurons, every index in one group."""
    sizes = {name: where.stop - where.start for name, where in circuit.GROUPS.items()}
    assert sizes == {"ORN": 21, "PN": 21, "LN": 21, "KC": 72} | dict.fromkeys(
        ("MBONp", "MBONn", "DANp", "DANn", "LNp", "LNn", "APL"), 1
    )
    assert [circuit.KC, circuit.MBON_P, circuit.APL, circuit.N_NEURONS] == [63, 135, 141, 142]
