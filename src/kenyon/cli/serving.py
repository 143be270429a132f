"""Subcommands about the model server: run one, ask whether one is there."""

import asyncio
import gc
import os
import shlex
import signal
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kenyon.cli.inputs import CERTIFICATES, TABLE, WORD, read_word
from kenyon.cli.logs import set_up_logging
from kenyon.cli.output import as_json, print_json, say
from kenyon.cli.watching import page, watched
from kenyon.errors import InputError, NoAnswerError, RefusedError, StorageError
from kenyon.mushroom_body.engines import ENGINES
from kenyon.mushroom_body.odors import read_odors
from kenyon.mushroom_body.parameters import DEFAULT_NAME, NAMED, named
from kenyon.mushroom_body.wiring import RANDOM, WIRINGS
from kenyon.server.settings import DEFAULT_ODORS, MEMORY, Limits, Settings, limits
from kenyon.words import shown

if TYPE_CHECKING:  # slow to import
    from kenyon.server.events import Listener
    from kenyon.server.ready import Ready
    from kenyon.wire import Address

_COLLECT_AFTER = 20_000
"""Objects that come before the collector looks: four frames of 64 larvae at once have 2,400 of them."""

Command = Callable[..., Any]


def _limit_options(command: Command) -> Command:
    """Add an option for every limit of a server."""
    defaults = Limits()
    for name, limit in reversed(list(limits())):
        default = getattr(defaults, name)
        option = click.option(
            f"--{name.replace('_', '-')}", type=int if isinstance(default, int) else float, default=default,
            metavar="N", help=limit.reason,
        )  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.option("--host", default="localhost", help="Where to listen; beyond this machine only with a token or TLS.")
@click.option("--listen-unprotected", "unprotected", is_flag=True, help="Listen there without either: whoever reaches "
              "the port may step, read and delete every larva. For containers (docs/how_to/server.md).")  # fmt: skip
@click.option("--port", type=int, default=5795, help="TCP port; 0 takes a free one.")
@click.option("--unix", "unix_path", metavar="PATH", help="Listen on a Unix socket instead, open to you alone.")
@click.option(
    "--engine", type=click.Choice(ENGINES), default="kernel", help="Same numbers; brian2 is far slower, cuda is a GPU."
)
@click.option("--parameters", type=click.Choice(list(NAMED)), default=DEFAULT_NAME, help="Constants of the circuit.")
@click.option("--wiring", type=click.Choice(WIRINGS), default=RANDOM, help="How newborn larvae are wired, as for "
              "`kenyon train`.")  # fmt: skip
@click.option("--odors", default=";".join(DEFAULT_ODORS), metavar="A;B;C",
              help="What odor_id 0, 1, 2, ... stand for, in quotes; see `kenyon odors`.")  # fmt: skip
@click.option("--odors-file", type=TABLE, metavar="FILE", help="CSV of odors of your own, which requests and --odors "
              "may then name (docs/how_to/own_odors.md).")  # fmt: skip
@click.option("--concentration-scale", type=float, default=1.0, help="What concentrations are multiplied by; 1 is the "
              "dilution 1e-04. For an unmodified Larvaworld take 1000 (docs/how_to/server.md).")  # fmt: skip
@click.option("--receptor-range", metavar="LOW:HIGH", help="Rates, Hz, of receptor neurons at which the output of "
              "Larvaworld's OSNOlfactor shall be 0.9 and 0.1 (docs/how_to/server.md).  [default: none, at which it is "
              "0 or 1]")  # fmt: skip
@click.option("--receptor-smoothing-s", type=float, default=1.0, metavar="S",
              help="Time constant of the mean of that rate.")  # fmt: skip
@click.option("--seed", type=int, default=0, help="Same seed, same larvae, same numbers.")
@click.option("--state-dir", metavar="FOLDER", help="Where larvae are kept, or :memory: for nowhere.  "
              "[default: kenyon in your state folder]")  # fmt: skip
@click.option("--durable", is_flag=True, help="Keep each step safe from loss of power too; slower.")
@click.option("--adopt", is_flag=True, help="Go on with larvae of another version of Kenyon.")
@click.option("--token-file", type=WORD, metavar="FILE",
              help="Secret word that every request must bear.")  # fmt: skip
@click.option("--tls-cert", type=CERTIFICATES, metavar="FILE", help="Certificate (PEM) to show.")
@click.option("--tls-key", type=CERTIFICATES, metavar="FILE", help="Its private key (PEM).")
@click.option("--metrics-port", type=int, help="Show /metrics, /healthz and /readyz on this port of this machine.")
@click.option("--ready-file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="File that says in JSON where the server listens, there for as long as it does.")  # fmt: skip
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info",
              help="debug says a line for every request.")  # fmt: skip
@click.option("--log-format", type=click.Choice(["lines", "json"]), default="lines", help="For people or programs.")
@watched
@_limit_options
def serve(  # options are explained by their own help
    *,
    host: str,
    unprotected: bool,
    port: int,
    unix_path: str | None,
    engine: str,
    parameters: str,
    wiring: str,
    odors: str,
    odors_file: Path | None,
    concentration_scale: float,
    receptor_range: str | None,
    receptor_smoothing_s: float,
    seed: int,
    state_dir: str | None,
    durable: bool,
    adopt: bool,
    token_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    metrics_port: int | None,
    ready_file: Path | None,
    log_level: str,
    log_format: str,
    watch: bool,
    watch_port: int,
    browser: bool,
    **own_limits: Any,
) -> None:
    """Run the model server: a mushroom body for every larva of every Larvaworld that asks.

    Larvaworld's `RemoteBrianModelMemory` and `OSNOlfactor` find it at localhost:5795 without any setting. Each larva is
    kept after every step: stopped, or killed, and started again, the server goes on where it was. Kenyon's own client
    waits for it meanwhile; a run of Larvaworld's does not.

    \b
    Examples:
      kenyon serve
      kenyon serve --concentration-scale 1000 --state-dir run1
      kenyon serve --host 0.0.0.0 --token-file token --tls-cert cert.pem --tls-key key.pem
      kenyon serve --watch
    """  # noqa: D301  # \b is click's sign that the lines after it stay as they are
    from kenyon.server.journal_reader import default_state_dir

    settings = Settings(
        host=host,
        unprotected=unprotected,
        port=port,
        unix_path=unix_path,
        engine=engine,
        parameters=named(parameters),
        wiring=wiring,
        odors=tuple(odor.strip() for odor in odors.split(";")),
        own_odors=() if odors_file is None else read_odors(odors_file),
        concentration_scale=concentration_scale,
        receptor_range_hz=_range(receptor_range),
        receptor_smoothing_s=receptor_smoothing_s,
        seed=seed,
        state_dir=default_state_dir() if state_dir is None else state_dir,
        durable=durable,
        token=None if token_file is None else read_word(token_file),
        tls_cert=tls_cert,
        tls_key=tls_key,
        metrics_port=metrics_port,
        adopt=adopt,
        limits=Limits(**own_limits),
    )
    set_up_logging(log_level, log_format)
    from kenyon.server.ready import held

    with (
        nullcontext(lambda _: None) if ready_file is None else held(ready_file) as announce,
        page(settings, watch=watch, watch_port=watch_port, browser=browser, stays=False) as listeners,
    ):
        asyncio.run(_serve(settings, announce, token_file, listeners))


def _range(words: str | None) -> tuple[float, float] | None:
    if words is None:
        return None
    low, _, high = words.partition(":")
    try:
        return float(low), float(high)
    except ValueError:
        raise InputError(f"--receptor-range must be LOW:HIGH, in Hz, got {shown(words)}; give such as 1:63") from None


async def _serve(
    settings: Settings, announce: "Callable[[Ready], None]", token_file: Path | None, listeners: "Sequence[Listener]"
) -> None:
    from kenyon.server.ready import Ready
    from kenyon.server.service import Service

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told() -> None:
        if stop.is_set():
            _say("Stopped at once; every step that was answered is kept.")
            os._exit(130)
        stop.set()

    for word in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(word, told)
        except NotImplementedError:  # noqa: PERF203  # Two of them. Not on this system's event loop.
            signal.signal(word, lambda *_: loop.call_soon_threadsafe(told))
    service = Service(settings, listeners)
    await service.start()
    # What is here now stays, and what a step leaves behind goes without the collector: it need not look so often.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    kept = "nowhere (:memory:)" if settings.state_dir == MEMORY else str(settings.state_dir)
    _say(f"Kenyon listens on {service.where}: {settings.engine}, {settings.parameters.description}, "
         f"{service.dispatcher.kept} larvae kept in {kept}")  # fmt: skip
    if service.monitor is not None:
        _say(f"Metrics are on http://127.0.0.1:{service.monitor.port}/metrics")
    _say(f"Try it: kenyon ping {_ping_options(service.address, token_file)}    Stop it: Ctrl-C")
    metrics_port = None if service.monitor is None else service.monitor.port
    announce(Ready(os.getpid(), service.address, metrics_port))
    waiting = [asyncio.create_task(event.wait()) for event in (stop, service.failed)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if service.failed.is_set():
        raise StorageError(
            "the server must go on computing, but cannot; see its log, every step that was answered is kept"
        )
    _say("Stopping: what is under way is finished, and every larva is kept.")
    await service.stop()
    _say(f"Stopped after {service.metrics.steps} steps.")


def _ping_options(address: "Address", token_file: Path | None) -> str:
    """Return what `kenyon ping` must be told to be answered by the server at an address."""
    if address.unix_path is not None:
        options = ["--unix", address.unix_path]
    else:
        options = [] if address.host == "localhost" else ["--host", address.host]
        options += ["--port", str(address.port)]
    if token_file is not None:
        options += ["--token-file", str(token_file)]
    if address.tls_ca is not None:
        options += ["--tls-ca", address.tls_ca]
    return shlex.join(options)


def _say(words: str) -> None:
    """Print a line at once; a server whose output nobody reads any more goes on."""
    try:
        say(words)
        sys.stdout.flush()
    except OSError:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # until the process ends


@click.command()
@click.option("--host", default="localhost", help="Its machine.")
@click.option("--port", type=int, default=5795, help="Its TCP port.")
@click.option("--unix", "unix_path", metavar="PATH", help="Its Unix socket, instead of host and port.")
@click.option("--tls-ca", type=CERTIFICATES, metavar="FILE", help="Certificates (PEM) that vouch for it.")
@click.option("--token-file", type=WORD, metavar="FILE", help="The secret word that it asks for.")
@click.option("--timeout", "timeout_s", type=float, default=5.0, metavar="S", help="How long to wait for it.")
@click.option("--count", type=int, default=20, help="How often to ask.")
@as_json
def ping(
    *,
    host: str,
    port: int,
    unix_path: str | None,
    tls_ca: Path | None,
    token_file: Path | None,
    timeout_s: float,
    count: int,
    as_json: bool,
) -> None:
    """Ask whether a server is there, which version it is, and how fast it answers; exit with 1 if it is not.

    \b
    Examples:
      kenyon ping
      kenyon ping --host cluster --port 5795 --token-file token --tls-ca cert.pem
    """  # noqa: D301  # as above
    from kenyon.wire import Address, Message, exchange

    if count < 1:
        raise InputError(f"count must be at least 1, got {count}")
    address = Address(host, port, unix_path, None if tls_ca is None else str(tls_ca))
    secret = {} if token_file is None else {"token": read_word(token_file)}
    message = Message("kenyon", "ping", 0, {"op": "ping", **secret})
    times_s = []
    for _ in range(count):
        began = time.perf_counter()
        try:
            (reply,) = exchange(address, [message], timeout_s=timeout_s)
        except NoAnswerError as reason:
            hint = f"`kenyon serve {address.serve_option}` starts one; if it speaks TLS, give --tls-ca"
            raise NoAnswerError(f"{reason}; {hint}") from None
        times_s.append(time.perf_counter() - began)
    if "error" in reply.kwargs:
        raise RefusedError(f"the server at {address} refused: {reply.kwargs['error']}")
    lines = _about(address, reply.kwargs)
    median_ms = statistics.median(times_s) * 1e3
    if as_json:
        print_json({**reply.kwargs, "address": str(address), "round_trip_ms": median_ms})
        return
    for line in lines:
        say(line)
    say(f"round trip {median_ms:.2f} ms, median of {count}")


def _about(address: Any, said: dict[str, Any]) -> list[str]:
    """Return what a server says of itself, as lines for people."""
    try:
        return [
            f"kenyon {said['kenyon']} at {address}: {said['engine']}, {said['parameters']}, {said['larvae']} larvae",
            f"odors {', '.join(said['odors'])}; concentrations times {said['concentration_scale']:g}",
        ]
    except (KeyError, TypeError, ValueError):
        raise RefusedError(
            f"{address} must be a server of Kenyon, got another that answers {shown(list(said))}; give the port of one"
        ) from None
