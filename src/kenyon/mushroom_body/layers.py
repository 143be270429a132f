"""The layers of the circuit as vector loops: each goes through a stretch of steps before the next one begins.

A layer takes what excites it as one mask a step and leaves its own spikes as one mask a step. Two kinds of loop: cells
that fire often go on by themselves, spikes, holding and release included; cells that fire seldom stop after a spike and
before a release, so that ordinary compiled code does what follows from it.

A cell that is held after its spike has v = NaN: it stays so in each step and is above no threshold. Whatever is left
out here is a term that is always 0.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from kenyon.mushroom_body import circuit
from kenyon.mushroom_body.inputs import DRAWN, STRETCH
from kenyon.mushroom_body.vectors import LANES, Vectors, vector_loop


class Group(NamedTuple):
    """Neurons that are worked on together, padded to whole vectors with cells that never fire.

    Attributes:
        place: Where a row has its first cell.
        padded: How many cells, a multiple of 8.
    """

    place: int
    padded: int


# Rows: state, then constants, each of one number a cell. PULL is the leak times where it pulls the cell.
V, G_E, G_I, G_A, SCALE, LEAK, PULL, THRESHOLD, RESET, ADAPTATION, WEIGHT = range(11)
_ROWS: Final = 11

VECTORS: Final = 3
"""Vectors of cells in one loop: enough to keep the processor busy, and few enough for its registers."""

KC_BLOCK: Final = VECTORS * LANES
"""Kenyon cells in one loop."""

_PADDED = [24, 24, 24, -(-circuit.MOST_KCS // 24) * 24, 8]

ORNS, PNS, LNS, KCS, OUTPUTS = (Group(sum(_PADDED[:i]), padded) for i, padded in enumerate(_PADDED))
"""Of Kenyon cells there is room for the most, in loops of any width; OUTPUTS are MBONs, DANs, feedback LNs and APL."""

ROW: Final = sum(_PADDED)
"""From a row to the next."""

AFTER: Final = _ROWS * ROW
"""How far from their own place the state of Kenyon cells is after a window: beyond all rows."""

# Then the numbers that are the same for all cells, those of each step, and what a PN's spike adds to each Kenyon cell.
REVERSAL_E = AFTER + (G_A + 1) * ROW
REVERSAL_I, REVERSAL_A, DECAY_E, DECAY_I, DECAY_A = range(REVERSAL_E + 1, REVERSAL_E + 6)
# Inhibition reaches all cells of a layer alike: its conductance in each step, with the leak, and times its reversal.
PN_INHIBITION = REVERSAL_E + 8
KC_INHIBITION = PN_INHIBITION + 3 * (STRETCH + 8)
WITH_LEAK, TIMES_REVERSAL = STRETCH + 8, 2 * (STRETCH + 8)
FROM_PN = KC_INHIBITION + 3 * (STRETCH + 8)
NUMBERS: Final = FROM_PN + circuit.N_PNS * KCS.padded
"""How many numbers one larva is worked on in."""

# Masks of each step: of the input; the place of what excites Kenyon cells, or 0; which Kenyon cells have fired, of any
# block. Then the spikes of seven groups, of `period` steps before the stretch and of the stretch.
INPUT, EXCITED_FROM, KC_SPIKES, SPIKES = 0, DRAWN, DRAWN + STRETCH, DRAWN + 2 * STRETCH

# Bits of reward and punishment in the input, and how far they are from those of the DANs.
_REINFORCERS = 0b11 << circuit.REWARD
_REINFORCEMENT = circuit.REWARD - circuit.DAN_P


class _Cells:
    """Cells of a group within a loop: which rows of them change, and where each vector of them lies.

    Args:
        v: What writes.
        group: Their group.
        first: The first cell, a whole number or a value of the loop.
        size: How many, whole vectors of them.
        state: The rows that change: V first, then the conductances.
    """

    def __init__(self, v: Vectors, group: Group, first: Any, size: int, state: tuple[int, ...]) -> None:
        self.v, self.group, self.state = v, group, state
        self.places = [v.sum(group.place, first, cell) for cell in range(0, size, v.lanes)]
        self.reversals = {G_I: REVERSAL_I, G_A: REVERSAL_A}
        self.decays = {G_E: DECAY_E, G_I: DECAY_I, G_A: DECAY_A}
        self.reversals = {row: v.everywhere(place) for row, place in self.reversals.items()}
        self.decays = {row: v.everywhere(place) for row, place in self.decays.items()}

    def same(self, row: int) -> Any:
        """Return a constant that is one number for the group."""
        return self.v.everywhere(self.group.place + row * ROW)

    def load(self, row: int, vector: int) -> Any:
        """Return a constant, or state, of one vector of cells."""
        return self.v.load(self.v.sum(self.places[vector], row * ROW))

    def loaded(self) -> list[Any]:
        """Return the state of all, to be carried from step to step."""
        return [self.load(row, vector) for vector in range(len(self.places)) for row in self.state]

    def store(self, values: list[Any], elsewhere: Any = 0) -> None:
        """Write the state of all; `elsewhere` is how far from their own place."""
        rows = [(vector, row) for vector in range(len(self.places)) for row in self.state]
        for (vector, row), value in zip(rows, values, strict=True):
            self.v.store(value, self.v.sum(self.places[vector], row * ROW, elsewhere))

    def of(self, values: list[Any], vector: int) -> dict[int, Any]:
        """Return the state of one vector of cells, by row."""
        size = len(self.state)
        return dict(zip(self.state, values[vector * size : (vector + 1) * size], strict=True))

    def each(self, values: list[Any], change: Callable[[dict[int, Any], int], None]) -> list[Any]:
        """Return the state after a change to each vector of cells, given its own state by row, and its number."""
        after: list[Any] = []
        for vector in range(len(self.places)):
            x = self.of(values, vector)
            change(x, vector)
            after += x.values()
        return after

    def integrate(self, x: dict[int, Any], vector: int, leak: Any, scale: Any, inhibition: Any) -> None:
        """Write one step of one vector of cells into its state, as `kernel` does, term by term.

        Args:
            x: The state, by row; replaced by that of the next step.
            vector: Which vector of cells.
            leak: Their leak, with the conductance of the inhibition.
            scale: The time step over their capacitance.
            inhibition: Conductance times reversal of the inhibition, or None.
        """
        b, total, current = self.v.builder, leak, self.load(PULL, vector)
        if inhibition is not None:
            current = b.fadd(current, inhibition)
        for row in (G_E, G_A):
            if row in x:
                total = b.fadd(total, x[row])
        if G_A in x:
            current = self.v.fused(x[G_A], self.reversals[G_A], current)
        rising = self.v.fused(b.fneg(total), x[V], current)
        x[V] = self.v.fused(scale, rising, x[V])
        for row in self.state[1:]:
            x[row] = b.fmul(x[row], self.decays[row])

    def any_above(self, values: list[Any]) -> Any:
        """Return whether any cell is above its threshold; a NaN is not."""
        silent = [
            self.v.builder.fcmp_unordered("<=", self.of(values, vector)[V], self.load(THRESHOLD, vector))
            for vector in range(len(self.places))
        ]
        return self.v.some_not(silent)

    def above(self, x: dict[int, Any], vector: int) -> Any:
        """Return which cells of one vector are above threshold."""
        return self.v.builder.fcmp_ordered(">", x[V], self.load(THRESHOLD, vector))

    def add(self, x: dict[int, Any], row: int, vector: int, lanes: Any, what: int) -> None:
        """Write that some lanes of a conductance rise by a constant of theirs."""
        more = self.v.builder.fadd(x[row], self.load(what, vector))
        x[row] = self.v.builder.select(lanes, more, x[row])


def _inhibited(v: Vectors, place: int, step: Any) -> tuple[Any, Any]:
    """Return the leak of a layer with its inhibition in a step, and the current of the inhibition."""
    return v.everywhere(v.sum(place + WITH_LEAK, step)), v.everywhere(v.sum(place + TIMES_REVERSAL, step))


def _flowing(
    group: Group, state: tuple[int, ...], at_once: int, inhibition: int | None = None, *, often: bool = False
) -> Callable[..., Any]:
    """Return the writer of a layer that goes through all steps by itself.

    Its arguments: the places of the masks that excite it and of its own, the refractory period, the first step and the
    one after the last.

    What follows from spikes is in branches, for in most steps there is none: cells are held and released after a step,
    and excited before the next one, where fewer numbers have to be kept in registers.
    """

    def write(v: Vectors, source: Any, own: Any, period: Any, first: Any, last: Any) -> Any:
        size = at_once * v.lanes
        for begin in range(0, group.padded, size):
            write_part(v, begin, min(size, group.padded - begin), source, own, period, first, last)
        return last

    def write_part(
        v: Vectors, begin: int, size: int, source: Any, own: Any, period: Any, first: Any, last: Any
    ) -> None:
        cells = _Cells(v, group, begin, size, state)
        leak, scale = cells.same(LEAK), cells.same(SCALE)

        def excite(values: list[Any], mask: Any) -> list[Any]:
            excited = v.choice(mask)
            return cells.each(
                values, lambda x, vector: cells.add(x, G_E, vector, excited(begin + vector * v.lanes), WEIGHT)
            )

        def release(values: list[Any], mask: Any) -> list[Any]:
            released = v.choice(mask)

            def reset(x: dict[int, Any], vector: int) -> None:
                lanes = released(begin + vector * v.lanes)
                x[V] = v.builder.select(lanes, cells.load(RESET, vector), x[V])

            return cells.each(values, reset)

        def hold(values: list[Any], place: Any) -> list[Any]:
            fired: list[Any] = []

            def held(x: dict[int, Any], vector: int) -> None:
                fired.append(cells.above(x, vector))
                x[V] = v.builder.select(fired[-1], v.held, x[V])
                if G_A in x:
                    cells.add(x, G_A, vector, fired[-1], ADAPTATION)

            values = cells.each(values, held)
            mask = v.builder.shl(v.gathered(fired), v.bits(begin))
            v.store_mask(v.builder.or_(mask, v.mask(place)), place)
            return values

        def body(step: Any, carried: list[Any]) -> tuple[list[Any], None]:
            *values, excitation = carried
            if begin == 0:
                v.store_mask(v.no_bits, v.sum(own, period, step))
            if not often:
                values = v.seldom(v.is_set(excitation), values, partial(excite, values, excitation))
            total, current = (leak, None) if inhibition is None else _inhibited(v, inhibition, step)
            values = cells.each(values, lambda x, vector: cells.integrate(x, vector, total, scale, current))
            excitation = v.mask(v.sum(source, step))
            if often:  # A branch that is taken now and then costs more than what it saves.
                values = excite(values, excitation)
            due = v.sum(own, step, 1)

            def hold_and_release() -> list[Any]:
                return release(hold(values, v.sum(own, period, step)), v.mask(due))

            released = v.builder.and_(v.mask(due), v.bits(((1 << size) - 1) << begin))
            events = v.builder.or_(cells.any_above(values), v.is_set(released))
            return [*v.seldom(events, values, hold_and_release), excitation], None

        values = release(cells.loaded(), v.mask(v.sum(own, first)))
        _, (*values, excitation) = v.loop(first, last, [*values, v.no_bits], body)
        cells.store(values if often else excite(values, excitation))

    return write


write_orns = _flowing(ORNS, (V, G_E, G_A), 3, often=True)
write_lns = _flowing(LNS, (V, G_E), 6)
write_pns = _flowing(PNS, (V, G_E), 6, PN_INHIBITION)


def write_kcs(
    v: Vectors,
    block: Any,
    source: Any,
    target: Any,
    own: Any,
    period: Any,
    first: Any,
    last: Any,
    *,
    size: int = KC_BLOCK,
) -> Any:
    """Write a loop over one block of Kenyon cells, that stops after a spike and before a release.

    Its arguments: the first cell of the block, how far from its place the block is read and written; then its own masks
    and so on, as for the layers that flow.
    """
    state = (V, G_E, G_A)
    constants = _Cells(v, KCS, block, size, state)
    vectors, scale = range(len(constants.places)), constants.same(SCALE)

    def excited(values: list[Any], row: Any) -> list[Any]:
        def excite() -> list[Any]:
            place, after = v.sum(v.builder.zext(row, first.type), block), list(values)
            for vector in vectors:
                value = vector * len(state) + state.index(G_E)
                after[value] = v.builder.fadd(values[value], v.load(v.sum(place, vector * v.lanes)))
            return after

        return v.seldom(v.is_set(row), values, excite)

    def body(step: Any, carried: list[Any]) -> tuple[list[Any], Any]:
        *values, row = carried
        v.store_mask(v.no_bits, v.sum(own, period, step))
        values = excited(values, row)
        leak, inhibition = _inhibited(v, KC_INHIBITION, step)
        values = constants.each(values, lambda x, vector: constants.integrate(x, vector, leak, scale, inhibition))
        stops = v.builder.or_(constants.any_above(values), v.is_set(v.mask(v.sum(own, step, 1))))
        return [*values, v.mask(v.sum(EXCITED_FROM, step))], stops

    reading = _Cells(v, KCS, v.sum(block, source), size, state)
    step, (*values, row) = v.loop(first, last, [*reading.loaded(), v.no_bits], body)
    values = excited(values, row)
    constants.store(values, target)
    fired = [constants.above(constants.of(values, vector), vector) for vector in vectors]
    v.store_mask(v.gathered(fired), v.sum(own, period, step, -1))
    return step


def write_outputs(v: Vectors, source: Any, own: Any, period: Any, first: Any, last: Any) -> Any:
    """Write the loop over output neurons, that stops also in each step in which a Kenyon cell fires.

    Its arguments: those of the layers that flow.
    """
    cells = _Cells(v, OUTPUTS, 0, OUTPUTS.padded, (V, G_E, G_I, G_A))

    def reinforce(values: list[Any], given: Any) -> list[Any]:
        reinforced = v.choice(v.builder.lshr(given, v.bits(_REINFORCEMENT)))
        return cells.each(values, lambda x, vector: cells.add(x, G_E, vector, reinforced(vector * v.lanes), WEIGHT))

    def integrate(x: dict[int, Any], vector: int) -> None:
        leak = v.builder.fadd(cells.load(LEAK, vector), x[G_I])
        inhibition = v.builder.fmul(x[G_I], cells.reversals[G_I])
        cells.integrate(x, vector, leak, cells.load(SCALE, vector), inhibition)

    def body(step: Any, values: list[Any]) -> tuple[list[Any], Any]:
        v.store_mask(v.no_bits, v.sum(own, period, step))
        values = cells.each(values, integrate)
        given = v.builder.and_(v.mask(v.sum(source, step)), v.bits(_REINFORCERS))
        values = v.seldom(v.is_set(given), values, partial(reinforce, values, given))
        stops = v.builder.or_(v.mask(v.sum(own, step, 1)), v.mask(v.sum(KC_SPIKES, step)))
        return values, v.builder.or_(cells.any_above(values), v.is_set(stops))

    step, values = v.loop(first, last, cells.loaded(), body)
    cells.store(values)
    fired = [cells.above(cells.of(values, vector), vector) for vector in range(len(cells.places))]
    v.store_mask(v.gathered(fired), v.sum(own, period, step, -1))
    return step


advance_orns: Any = vector_loop(write_orns)
advance_lns: Any = vector_loop(write_lns)
advance_pns: Any = vector_loop(write_pns)
advance_kcs: Any = vector_loop(write_kcs)
advance_outputs: Any = vector_loop(write_outputs)
