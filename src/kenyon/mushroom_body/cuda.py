"""The engine on a GPU: larvae are sent there, advanced by a warp each, and fetched again.

A GPU is quick with thousands of larvae at once; one by itself is faster on a processor.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kenyon.errors import InputError, MissingDependencyError
from kenyon.mushroom_body import inputs, kernel_constants
from kenyon.mushroom_body.activity import SAMPLED
from kenyon.mushroom_body.arguments import FloatArray, IntArray
from kenyon.mushroom_body.circuit import N_KCS, N_NEURONS
from kenyon.mushroom_body.engine import Engine, Events
from kenyon.mushroom_body.kernel import Recording
from kenyon.mushroom_body.parameters import Parameters
from kenyon.mushroom_body.state import State
from kenyon.threads import OwnLock
from kenyon.words import shown

_LARVAE_AT_ONCE = 2**17
"""On the device: 1.3 GiB of memory."""

_FEWEST_BLOCKS = 128
"""Of fewer numba warns; those without a larva end at once."""

_INSTALL = "in the clone: .venv/bin/pip install -e '.[cuda]'"
"""Without the lock file, for numba-cuda cannot do with the newest numpy."""

_one_device = OwnLock()
"""Held while larvae are on the device: its memory is one, and numba's contexts belong to threads."""


@lru_cache(maxsize=1)
def import_cuda() -> ModuleType:
    """Import numba's CUDA, for a device that is there.

    Raises:
        MissingDependencyError: numba-cuda is not installed, or finds no device.
    """
    try:
        from numba import cuda

        reason = None if cuda.is_available() else cuda.cuda_error() or "no device"
    except ImportError as failure:
        reason = failure
    if reason is not None:
        what, _, _ = " ".join(str(reason).split()).partition(". ")
        message = f"a GPU of NVIDIA, its driver and numba-cuda must be there, got {shown(what)}; {_INSTALL}"
        raise MissingDependencyError(message) from None
    return cuda


@dataclass(frozen=True)
class Cuda(Engine):
    """A GPU: the very numbers of the kernel, for thousands of larvae at once.

    Raises:
        MissingDependencyError: numba-cuda is not installed, or finds no device.
    """

    name: ClassVar[str] = "cuda"
    slice_steps: ClassVar[int] = 1_000_000
    slice_larva_steps: ClassVar[int] = 5_000_000_000

    def __post_init__(self) -> None:
        """Find out now whether it can be used."""
        import_cuda()

    def compute(
        self,
        parameters: Parameters,
        state: State,
        n_steps: IntArray,
        rates_hz: FloatArray | None,
        events: Events | None,
        first_step: int,
        recording: Recording,
        *,
        plastic: bool,
        threads: int | None,  # noqa: ARG002  # of the processor
    ) -> None:
        """As for `Engine`.

        Raises:
            InputError: the larvae have another number of Kenyon cells than the published circuit, or connections from
                PNs of several strengths, which it has no place for.
        """
        if state.layout.n_kcs != N_KCS:
            raise InputError(
                f"larvae on a GPU must have {N_KCS} Kenyon cells, got {state.layout.n_kcs}; pass engine='kernel'"
            )
        if not np.isin(state.pn_to_kc, (0.0, 1.0)).all():
            raise InputError(
                "larvae on a GPU must have PNs connected to Kenyon cells with one strength, got counts of synapses or "
                "other strengths; pass engine='kernel'"
            )
        k = _constants(parameters, state.layout, plastic=plastic)
        with _one_device.lock:
            for part in _parts(len(n_steps)):
                per_step, together, offsets = _input(parameters, rates_hz, events, part)
                _advance(
                    k, state.records[part], per_step, together, offsets, first_step, n_steps[part], recording, part
                )


_constants = lru_cache(maxsize=64)(kernel_constants.constants)


def _parts(larvae: int) -> Iterator[slice]:
    for first in range(0, larvae, _LARVAE_AT_ONCE):
        yield slice(first, min(first + _LARVAE_AT_ONCE, larvae))


def _input(
    parameters: Parameters, rates_hz: FloatArray | None, events: Events | None, part: slice
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Return the input of some larvae: ticks per step, or else events with where each larva's begin."""
    larvae = part.stop - part.start
    offsets: NDArray[np.int64] = np.zeros(larvae + 1, dtype=np.int64)
    if events is None:
        per_step = inputs.ticks_per_step(parameters, np.asarray(rates_hz)[part])
        return np.ascontiguousarray(per_step), np.empty((0, 2), dtype=np.int32), offsets
    offsets[1:] = np.cumsum([len(own) for own in events[part]])
    return np.empty((larvae, 0), dtype=np.int64), np.concatenate(events[part]), offsets


def _advance(
    k: kernel_constants.Constants,
    records: NDArray[np.void],
    per_step: NDArray[np.int64],
    events: NDArray[np.int32],
    offsets: NDArray[np.int64],
    first_step: int,
    n_steps: IntArray,
    recording: Recording,
    part: slice,
) -> None:
    """Have the device advance some larvae; nothing is written to before it has ended."""
    cuda, larvae = import_cuda(), len(n_steps)
    from kenyon.mushroom_body import cuda_kernel, cuda_layout

    there = cuda.to_device(np.ascontiguousarray(records))
    counts = cuda.device_array((larvae, N_NEURONS), dtype=np.int64)
    n_spikes = cuda.device_array(larvae, dtype=np.int64)
    spikes = cuda.device_array((recording.spikes.shape[1], larvae, 2), dtype=np.int32)
    window = _sampled(recording, first_step, int(n_steps.max()))
    samples = {name: cuda.to_device(_cut(getattr(recording, name), part, window)) for name in SAMPLED}
    cuda_kernel.advance_larvae[max(larvae, _FEWEST_BLOCKS), cuda_layout.LANES](
        there,
        k._replace(**{name: cuda.to_device(own) for name, own in k._asdict().items() if isinstance(own, np.ndarray)}),
        cuda.to_device(cuda_layout.NEURONS),
        cuda.to_device(cuda_layout.inputs_nS(k)),
        cuda.to_device(per_step),
        cuda.to_device(events),
        cuda.to_device(offsets),
        first_step,
        cuda.to_device(n_steps),
        counts,
        spikes,
        n_spikes,
        recording.sample_steps,
        *samples.values(),
    )
    filled = n_spikes.copy_to_host()
    if records.flags.c_contiguous:
        there.copy_to_host(records)
    else:
        records[:] = there.copy_to_host()
    recording.counts[part] += counts.copy_to_host()
    if recording.spikes.shape[1] > 0:
        most = int(filled.max())
        recording.n_spikes[part] = filled
        recording.spikes[part, :most] = spikes[:most].copy_to_host().transpose(1, 0, 2)
    for name, kept in samples.items():
        if kept.size > 0:
            getattr(recording, name)[part, window] = kept.copy_to_host()


def _sampled(recording: Recording, first_step: int, n_steps: int) -> slice:
    """Return which samples fall within a slice of time."""
    every = recording.sample_steps
    return slice(first_step // every, (first_step + n_steps) // every) if every else slice(0, 0)


def _cut(samples: FloatArray, part: slice, window: slice) -> Any:
    return np.ascontiguousarray(samples[part, window])
