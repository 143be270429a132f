"""The generator of vector code: what it emits is right for any width, and wide where the processor is."""

import ctypes
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest
from llvmlite import ir
from numpy.typing import NDArray

from kenyon.mushroom_body import layers
from kenyon.mushroom_body.inputs import STRETCH
from kenyon.mushroom_body.vectors import LANES, Vectors, lanes_of

PERIOD = 20
OWN = layers.SPIKES
LAYERS: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    "ORNs": (layers.write_orns, (layers.INPUT, OWN, PERIOD, 0, STRETCH)),
    "PNs": (layers.write_pns, (layers.INPUT, OWN, PERIOD, 0, STRETCH)),
    "Kenyon cells": (
        partial(layers.write_kcs, size=24),
        (24, 0, layers.AFTER, OWN, PERIOD, 3, STRETCH),
    ),
    "output neurons": (layers.write_outputs, (layers.INPUT, OWN, PERIOD, 3, STRETCH)),
}


def module(write: Callable[..., Any], whole: int, lanes: int) -> ir.Module:
    """Return a module with one function, of two pointers and whole numbers, that a writer has written."""
    number, mask, step = ir.DoubleType(), ir.IntType(32), ir.IntType(64)
    made = ir.Module()
    kind = ir.FunctionType(step, [number.as_pointer(), mask.as_pointer(), *[step] * whole])
    function = ir.Function(made, kind, name="loop")
    builder = ir.IRBuilder(function.append_basic_block())
    numbers, masks, *others = function.args
    builder.ret(write(Vectors(builder, numbers, masks, lanes), *others))
    return made


def compiled(write: Callable[..., Any], whole: int, lanes: int) -> tuple[Any, Any]:
    """Return such a function, compiled for this processor by LLVM alone, and what has to live as long."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(opt=2)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(str(module(write, whole, lanes))), machine)
    engine.finalize_object()
    prototype = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * whole)
    return prototype(engine.get_function_address("loop")), engine


def larva() -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
    """Return numbers and masks under which cells of every layer fire, are held and are released."""
    rng = np.random.default_rng(1)
    numbers = rng.uniform(0.0, 3.0, layers.NUMBERS)
    rows = numbers[: layers.AFTER].reshape(-1, layers.ROW)
    rows[[layers.V, layers.RESET]] = rng.uniform(-70, -50, (2, layers.ROW))
    rows[layers.PULL] = -60.0 * rows[layers.LEAK]
    rows[layers.THRESHOLD], rows[layers.SCALE] = -45.0, 0.003
    numbers[layers.REVERSAL_E : layers.REVERSAL_A + 1] = 0.0, -75.0, -90.0
    numbers[layers.DECAY_E : layers.DECAY_A + 1] = 0.98, 0.99, 0.9999
    masks = np.zeros(layers.SPIKES + 7 * (PERIOD + STRETCH), dtype=np.uint32)
    masks[layers.INPUT : layers.INPUT + STRETCH] = rng.integers(0, 2**23, STRETCH) & rng.integers(0, 2**23, STRETCH)
    masks[layers.EXCITED_FROM + 7] = layers.FROM_PN + 3 * 72
    masks[OWN + 2] = 5
    return numbers, masks


@pytest.mark.parametrize("layer", LAYERS)
def test_any_width_gives_the_same_bits(layer: str) -> None:
    """Two, four and eight lanes, whatever registers this processor has: numbers, masks and the step of the stop."""
    write, whole = LAYERS[layer]
    found = []
    for lanes in (2, 4, 8):
        run, _engine = compiled(write, len(whole), lanes)
        numbers, masks = larva()
        stopped = run(numbers.ctypes.data, masks.ctypes.data, *whole)
        found.append((stopped, numbers.tobytes(), masks.tobytes()))
    assert found[0] == found[1] == found[2]
    assert masks[OWN + PERIOD :].any()


@pytest.mark.parametrize(
    ("processor", "lanes", "register"), [("haswell", 4, "ymm"), ("skylake-avx512", 8, "zmm"), ("znver4", 8, "zmm")]
)
@pytest.mark.parametrize("layer", LAYERS)
def test_the_code_is_as_wide_as_the_processor(layer: str, processor: str, lanes: int, register: str) -> None:
    """Also for processors that this one is not: the arithmetic is on whole registers, none of it on single numbers."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    write, whole = LAYERS[layer]
    parsed = llvm.parse_assembly(str(module(write, len(whole), lanes)))
    parsed.verify()
    target = llvm.Target.from_triple("x86_64-unknown-linux-gnu")
    code = target.create_target_machine(cpu=processor, opt=2).emit_assembly(parsed)
    arithmetic = re.findall(r"\t(v(?:add|sub|mul|fn?m\w+)[sp]d)\t(.*)", code)
    assert arithmetic
    assert all(name.endswith("pd") and f"%{register}" in operands for name, operands in arithmetic), arithmetic


@pytest.mark.parametrize(
    ("features", "lanes"),
    [("+avx,+avx2", 4), ("+avx2,+avx512f,+avx", 8), ("-avx512f,+avx", 4), ("+sse2,-avx", 2), ("+neon", 2)],
)
def test_the_width_follows_the_features(features: str, lanes: int) -> None:
    """As numba keys its kept code by them, code of one width is never run under another."""
    assert lanes_of(features) == lanes
    assert LANES in {2, 4, 8}


def test_the_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """And prints what stands beside it."""
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "vectors.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(code, {})
    assert capsys.readouterr().out.strip() == code.rsplit("# ", 1)[1].strip()
