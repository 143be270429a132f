"""The same circuit in Brian2's C++ standalone mode: equations and connections of `kenyon.mushroom_body.brian_circuit`.

Standalone mode writes a C++ program for one simulation of fixed length, so its input is drawn beforehand, and nothing
can be exchanged while it runs: no probe, no change of odor, no snapshot. It is the fastest that Brian2 does on a core.
Each measurement runs in a process of its own (Brian2's device is global) and times the program's simulation loop alone,
neither its generation and compilation nor its start.

python benchmarks/brian_standalone.py LARVAE SECONDS   # prints larva-seconds per second
"""

import subprocess
import sys
import tempfile

import numpy as np

from kenyon.mushroom_body import BALANCED, Population, drive
from kenyon.mushroom_body.brian_circuit import build_circuit, constants, input_wires
from kenyon.mushroom_body.brian_setup import GCC_VECTORS, codegen_target
from kenyon.mushroom_body.circuit import N_CHANNELS, N_NEURONS
from kenyon.mushroom_body.inputs import draw_events
from kenyon.seeds import larva_seeds

ODOR = "pentyl acetate"


def larva_seconds_per_second(larvae: int, seconds: float) -> float | str:
    """Return the speed during conditioning, or the reason why there is none: no C++ compiler, or a failed build."""
    if codegen_target() != "cython":
        return "no C++ compiler"
    command = [sys.executable, __file__, str(larvae), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"the standalone program failed: {done.stderr.strip().splitlines()[-1]}"
    return float(done.stdout.split()[-1])


def run_standalone(larvae: int, seconds: float) -> float:
    """Build and run the program, hold its spike counts against the kernel's, and return its speed."""
    import brian2

    population = Population(BALANCED, larva_seeds(0, larvae))
    half_ms = round(seconds * 500)
    phases = [drive(BALANCED, ODOR, reward=1.0), drive(BALANCED)]
    half_steps = BALANCED.steps("half", half_ms)
    events = []
    for larva in range(larvae):
        rng, ticks_left = (values[larva].copy() for values in (population.state.rng, population.state.ticks_left))
        for phase, rates in enumerate(phases):
            part = draw_events(BALANCED, rng, ticks_left, rates, half_steps)
            events.append(part + np.array([phase * half_steps, larva * N_CHANNELS], dtype=np.int32))
    step, channel = np.concatenate(events).T

    with tempfile.TemporaryDirectory() as folder:
        brian2.set_device("cpp_standalone", directory=folder, build_on_run=False)
        brian2.prefs["codegen.cpp.extra_compile_args_gcc"] += [GCC_VECTORS]
        clock = brian2.Clock(BALANCED.dt_ms * brian2.ms)
        circuits = build_circuit(BALANCED, population.state.pn_to_kc, clock)
        source = brian2.SpikeGeneratorGroup(larvae * N_CHANNELS, channel, step * clock.dt, clock=clock)
        target, input_nS = input_wires(BALANCED)
        inputs = brian2.Synapses(
            source, circuits[0], "input_nS : 1 (constant)", on_pre="g_e_nS_post += input_nS", clock=clock
        )
        offsets = np.arange(larvae)[:, None]
        inputs.connect(
            i=(np.arange(N_CHANNELS) + offsets * N_CHANNELS).ravel(), j=(target + offsets * N_NEURONS).ravel()
        )
        inputs.input_nS = np.tile(input_nS, larvae)
        network = brian2.Network(circuits, source, inputs)
        network.schedule = ["start", "groups", "thresholds", "synapses", "resets", "end"]
        network.run(2 * half_steps * clock.dt, namespace=constants(BALANCED))
        brian2.device.build(directory=folder, compile=True, run=True, with_output=False)
        counts = np.array(circuits[0].n_spikes).reshape(larvae, N_NEURONS)
        elapsed = brian2.device._last_run_time  # noqa: SLF001  # the simulation loop alone, as Brian2 reports it

    expected = sum(population.advance(half_ms, rates).counts for rates in phases)
    if (counts != expected).any():
        raise RuntimeError("the standalone program's spikes differ from the kernel's")
    return larvae * 2 * half_ms / 1000 / float(elapsed)


if __name__ == "__main__":
    print(run_standalone(int(sys.argv[1]), float(sys.argv[2])))
