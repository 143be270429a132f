"""Addresses: where a server listens.

Law of this file: names and numbers only; nothing is looked up or opened.
"""

import socket
from dataclasses import dataclass

from kenyon import checks
from kenyon.checks import instance, integer
from kenyon.errors import InputError
from kenyon.words import shown


@dataclass(frozen=True)
class Address:
    """Where a server listens: a TCP port, or a Unix socket.

    Args:
        host: Name or address of its machine.
        port: Its TCP port.
        unix_path: Its Unix socket, which then counts instead of host and port.
        tls_ca: File of the certificates (PEM) that vouch for the server; None speaks without TLS.

    Raises:
        InputError: a value is no such thing, or TLS is asked for on a Unix socket.

    Example:
        >>> str(Address()), str(Address("::1", 80)), str(Address(unix_path="/run/kenyon"))
        ('localhost:5795', '[::1]:80', '/run/kenyon')
    """

    host: str = "localhost"
    port: int = 5795
    unix_path: str | None = None
    tls_ca: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no server can listen on."""
        instance("host", self.host, str, "pass a name such as 'localhost'")
        if not _is_host(self.host):
            raise InputError(
                f"host must be the name or address of a machine, got {shown(self.host)}; use such as 'localhost'"
            )
        integer("port", self.port, low=1, high=65535)
        for name, path in (("unix_path", self.unix_path), ("tls_ca", self.tls_ca)):
            if path is not None:
                instance(name, path, str, "pass the path as text")
                checks.path(name, path)
        if self.unix_path is not None and self.tls_ca is not None:
            raise InputError(
                f"tls_ca must be None on a Unix socket, got {shown(self.tls_ca)}; leave one of the two out"
            )
        if self.unix_path is not None and not hasattr(socket, "AF_UNIX"):
            raise InputError(f"unix_path must be None on this system, got {shown(self.unix_path)}; use a port")

    @property
    def serve_option(self) -> str:
        """What `kenyon serve` is told so as to listen here.

        Example:
            >>> Address().serve_option, Address(unix_path="/run/kenyon").serve_option
            ('--port 5795', '--unix /run/kenyon')
        """
        return f"--port {self.port}" if self.unix_path is None else f"--unix {self.unix_path}"

    def __str__(self) -> str:
        """Return the address as people write it."""
        if self.unix_path is not None:
            return self.unix_path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _is_host(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return host != "" and host.isprintable() and not set(host) & set(" /[]")
