"""Everything a server can be told, declared once: the command line, the checks and the reference page read it here."""

import ipaddress
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from kenyon import checks
from kenyon.errors import InputError
from kenyon.mushroom_body import DEFAULT, Parameters
from kenyon.mushroom_body.engines import ENGINES
from kenyon.mushroom_body.odors import Odor, find, plain
from kenyon.mushroom_body.wiring import RANDOM, check_wiring
from kenyon.words import shown

DEFAULT_ODORS: Final = ("pentyl acetate", "4,5-dimethylthiazole", "3-octanol")
"""What `odor_id` counts through where nothing else is said."""

_LEAST_RANGE_HZ = 0.01

MEMORY: Final = ":memory:"
"""In place of a state directory: nothing is kept."""


@dataclass(frozen=True)
class Limit:
    """What is declared about one limit.

    Attributes:
        unit: Its unit.
        reason: What it bounds, and why.
        low: Smallest value allowed.
        high: Largest value allowed.
    """

    unit: str
    reason: str
    low: float
    high: float


def _limit(default: float, unit: str, reason: str, low: float, high: float) -> Any:
    return field(default=default, metadata={"limit": Limit(unit, reason, low, high)})


@dataclass(frozen=True)
class Limits:
    """How much a server takes, so that no client can make it grow without bound or hold up the others.

    Raises:
        InputError: a value is out of range.

    Example:
        >>> Limits(max_messages=10).max_messages
        10
    """

    max_frame_bytes: int = _limit(
        2**20, "bytes", "Most bytes of a request frame: one of 1,000 larvae has 300,000.", 256, 2**24
    )
    max_messages: int = _limit(1000, "messages", "Most messages in a frame: they are answered together.", 1, 100_000)
    max_message_bytes: int = _limit(
        20_000,
        "bytes",
        "Most bytes of a message, for it is read at once: a larva's snapshot has 15,000, one with strengths of one's "
        "own for all its connections 40,000.",
        256,
        2**24,
    )
    max_turn_ms: float = _limit(
        0.25,
        "ms",
        "Longest turn of those whose messages are answered at once (ping, refusals), which max_queue does not count.",
        0.01,
        1000.0,
    )
    max_step_ms: float = _limit(
        60_000.0,
        "ms",
        "Longest step, warm-up or probe: a minute of a larva takes a core about 0.1 s.",
        0.1,
        1e7,
    )
    max_larvae: int = _limit(
        100_000, "larvae", "Most larvae kept, awake or on disk, at up to 60 KB each.", 1, 100_000_000
    )
    max_connections: int = _limit(
        1000, "connections", "Most open connections: each takes a file of the system and a buffer.", 1, 1_000_000
    )
    max_queue: int = _limit(
        10_000,
        "messages",
        "Most messages waiting for the worker, about two seconds of work; beyond, the answer is busy.",
        1,
        10_000_000,
    )
    read_timeout_s: float = _limit(
        30.0,
        "s",
        "Longest time from the first byte of a frame to its last, and for a reply to be taken.",
        0.1,
        86_400.0,
    )
    idle_timeout_s: float = _limit(
        86_400.0, "s", "Longest time that a connection may be silent: a machine that is gone says no goodbye.", 0.1, 1e7
    )
    larva_idle_s: float = _limit(
        600.0, "s", "After so long without a step a larva leaves memory for the disk, until it is asked for.", 0.1, 1e7
    )
    live_s: float = _limit(
        60.0, "s", "For so long after its last step an open connection counts as the client of its larva.", 0.0, 1e6
    )

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        for name, limit in limits():
            value = getattr(self, name)
            if isinstance(limit.low, int):
                checks.integer(name, value, low=limit.low, high=int(limit.high))
            else:
                checks.number(name, value, low=limit.low, high=limit.high, unit=limit.unit)


def limits() -> Iterator[tuple[str, Limit]]:
    """Return what is declared about every limit, by name."""
    for own in fields(Limits):
        yield own.name, own.metadata["limit"]


@dataclass(frozen=True)
class Settings:
    """What a server is told.

    Args:
        host: Name or address to listen on; beyond loopback only with a token or TLS, or `unprotected`.
        port: TCP port; 0 takes a free one.
        unix_path: A Unix socket to listen on instead, open to its owner only.
        engine: "kernel", "brian2" or "cuda"; the numbers are the same.
        parameters: The circuit's constants.
        wiring: How the Kenyon cells of newborn larvae are wired, as for `Population`.
        odors: What `odor_id` counts through.
        own_odors: Odors besides the measured ones, which requests and `odors` may name.
        concentration_scale: What every concentration of a step is multiplied by.
        receptor_range_hz: Mean rates of the receptor neurons at which the output of Larvaworld's `OSNOlfactor` is to be
            0.9 and 0.1; None answers the rate itself, at which that output is 0.
        receptor_smoothing_s: Time constant of the mean of that rate, s.
        seed: Seed of all larvae whose client gives none.
        state_dir: Folder in which larvae are kept, or ":memory:".
        durable: Whether each step is safe against loss of power too, not only against a killed process.
        token: Secret word that every request must bear.
        tls_cert: File of the certificate (PEM) to show.
        tls_key: File of its private key.
        unprotected: Whether to listen beyond loopback with neither: whoever reaches the port may use and delete larvae.
        metrics_port: Port on loopback for /metrics, /healthz and /readyz; 0 takes a free one.
        adopt: Whether to go on with what another version of Kenyon has kept.
        limits: How much it takes.

    Raises:
        InputError: a value is unusable, or it would be open to the network without a token or TLS.

    Example:
        >>> Settings(port=0, state_dir=":memory:").engine
        'kernel'
    """

    host: str = "localhost"
    port: int = 5795
    unix_path: str | None = None
    engine: str = "kernel"
    parameters: Parameters = DEFAULT
    wiring: str = RANDOM
    odors: tuple[str, ...] = DEFAULT_ODORS
    own_odors: tuple[Odor, ...] = ()
    concentration_scale: float = 1.0
    receptor_range_hz: tuple[float, float] | None = None
    receptor_smoothing_s: float = 1.0
    seed: int = 0
    state_dir: str | Path = MEMORY
    durable: bool = False
    token: str | None = field(default=None, repr=False)
    tls_cert: Path | None = None
    tls_key: Path | None = None
    unprotected: bool = False
    metrics_port: int | None = None
    adopt: bool = False
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        """Refuse what cannot be, and know odors by their measured names."""
        checks.integer("port", self.port, low=0, high=65535)
        if self.metrics_port is not None:
            checks.integer("metrics_port", self.metrics_port, low=0, high=65535)
        checks.one_of("engine", self.engine, ENGINES)
        check_wiring(self.wiring)
        checks.integer("seed", self.seed, low=0, high=2**63 - 1)
        checks.number("concentration_scale", self.concentration_scale, low=0.0, high=1e9)
        self._check_receptors()
        object.__setattr__(self, "own_odors", _own_odors(self.own_odors))
        own = {odor.name: odor for odor in self.own_odors}
        names = tuple(find(own.get(odor, odor)).name for odor in self.odors)
        if not names or len(set(names)) < len(names):
            raise InputError(f"odors must name one or more odors, each once, got {', '.join(names) or 'none'}")
        object.__setattr__(self, "odors", names)
        if self.token is not None and len(self.token) < 8:
            raise InputError(f"the token must be of at least 8 characters, got {len(self.token)}; choose a longer one")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise InputError("tls_cert and tls_key must come together, got one of them; give both files")
        if self.unix_path is not None:
            if not hasattr(socket, "AF_UNIX"):
                raise InputError(f"unix_path must be None on this system, got {shown(self.unix_path)}; use a port")
            if self.tls_cert is not None:
                raise InputError("TLS must be off on a Unix socket, got a certificate; leave one of the two out")
        elif not self.unprotected and self.is_open:
            raise InputError(
                f"host must be of this machine alone where there is neither a token nor TLS, got {shown(self.host)}, "
                "which others can reach; give --token-file, or --tls-cert and --tls-key, or listen on localhost (in a "
                "container --listen-unprotected: whoever reaches the port may then step, read and delete every larva)"
            )

    @property
    def is_open(self) -> bool:
        """Whether others than this machine can reach it, and need neither a token nor TLS.

        Example:
            >>> Settings(host="localhost").is_open
            False
        """
        unguarded = self.token is None and self.tls_cert is None and self.unix_path is None
        return unguarded and not _is_loopback(self.host)

    def _check_receptors(self) -> None:
        seconds = checks.number("receptor_smoothing_s", self.receptor_smoothing_s, low=0.0, high=1e6, unit="s")
        object.__setattr__(self, "receptor_smoothing_s", seconds)
        if self.receptor_range_hz is None:
            return
        rates = checks.several("receptor_range_hz", self.receptor_range_hz)
        if len(rates) != 2:
            raise InputError(f"receptor_range_hz must be two rates, got {shown(rates)}; pass such as (1.0, 63.0)")
        low_hz, high_hz = (checks.number("receptor_range_hz", rate, low=0.0, high=1000.0, unit="Hz") for rate in rates)
        if abs(high_hz - low_hz) < _LEAST_RANGE_HZ:
            raise InputError(f"receptor_range_hz must be two rates at least {_LEAST_RANGE_HZ} Hz apart, got {rates}")
        object.__setattr__(self, "receptor_range_hz", (low_hz, high_hz))

    def record(self) -> Mapping[str, Any]:
        """Return what decides the larvae's numbers, and so must stay the same for as long as they are kept."""
        record = {
            "parameters": self.parameters.description,
            **self.parameters.stated(),
            "odors": list(self.odors),
            "concentration_scale": float(self.concentration_scale),
            "seed": self.seed,
        }
        if self.wiring != RANDOM:  # Absent otherwise, as it was before there were others.
            record["wiring"] = self.wiring
        if self.own_odors:  # Absent otherwise, as it was before there were such settings.
            record["own_odors"] = list(map(plain, self.own_odors))
        if self.receptor_range_hz is not None:  # As above.
            low_hz, high_hz = self.receptor_range_hz
            record["receptor_range"] = f"{low_hz!r}:{high_hz!r}"
            record["receptor_smoothing_s"] = self.receptor_smoothing_s
        return record


def _own_odors(given: Any) -> tuple[Odor, ...]:
    """Return odors of one's own by name, in one order, so that a file's order changes nothing."""
    odors = [
        checks.instance("each of own_odors", odor, Odor, "pass what read_odors gave")
        for odor in checks.several("own_odors", given)
    ]
    names = [odor.name for odor in odors]
    if len(set(names)) < len(names):
        raise InputError(f"own_odors must have a name each, got {', '.join(sorted(names))}")
    return tuple(sorted(odors, key=lambda odor: odor.name))


def _is_loopback(host: str) -> bool:
    """Return whether everything a host name stands for is this machine alone."""
    try:
        found = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as reason:
        raise InputError(f"host must be the name or address of this machine, got {shown(host)}: {reason}") from None
    return all(ipaddress.ip_address(str(entry[4][0]).split("%")[0]).is_loopback for entry in found)
