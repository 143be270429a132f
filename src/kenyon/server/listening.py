"""Where a server listens: every address of a host, with TLS or without; or a Unix socket for its owner alone."""

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import stat
from collections.abc import Callable
from pathlib import Path

from kenyon.errors import InputError
from kenyon.server.settings import Settings
from kenyon.words import shown

_BACKLOG = 1024
_SPARE_FILES = 64

Make = Callable[[], asyncio.Protocol]


async def listen(
    settings: Settings, tls: ssl.SSLContext | None, make: Make
) -> tuple[list[asyncio.Server], str, int | None]:
    """Listen; return the listeners, where that is as people write it, and the TCP port.

    Raises:
        InputError: nothing can listen there.
    """
    loop = asyncio.get_running_loop()
    try:
        if settings.unix_path is not None:
            _clear_stale_socket(settings.unix_path)
            return [await _listen_unix(loop, make, settings.unix_path)], settings.unix_path, None
        sockets = _bound(settings.host, settings.port)
        patience_s = None if tls is None else settings.limits.read_timeout_s
        servers = [
            await loop.create_server(make, sock=sock, backlog=_BACKLOG, ssl=tls, ssl_handshake_timeout=patience_s)
            for sock in sockets
        ]
    except socket.gaierror as reason:
        raise InputError(
            f"host must be the name or address of this machine, got {shown(settings.host)}: {reason.strerror}; use "
            "localhost"
        ) from None
    except OSError as reason:
        place = settings.unix_path or f"{settings.host}:{settings.port}"
        raise InputError(
            f"{place} must be free to listen on, but: {reason.strerror or reason}; stop what listens there or "
            "choose another port"
        ) from None
    port: int = sockets[0].getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return servers, f"{host}:{port}", port


def _bound(host: str, port: int) -> list[socket.socket]:
    """Return sockets bound to every address of a host, all with the same port."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # An IPv4 address first: Larvaworld's client knows no others.
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    bound: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            own_port = bound[0].getsockname()[1] if bound else port
            try:
                sock = socket.socket(family, socket.SOCK_STREAM)
            except OSError as reason:
                if reason.errno == errno.EAFNOSUPPORT and (bound or family == socket.AF_INET6):
                    continue
                raise
            bound.append(sock)
            if os.name == "posix":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                sock.bind((address[0], own_port, *address[2:]))
            except OSError as reason:
                # A system without IPv6 may still have a name for it.
                if reason.errno != errno.EADDRNOTAVAIL or len(bound) == 1:
                    raise
                bound.pop().close()
    except BaseException:
        for sock in bound:
            sock.close()
        raise
    return bound


async def _listen_unix(loop: asyncio.AbstractEventLoop, make: Make, path: str) -> asyncio.Server:
    before = os.umask(0o177)  # Its owner alone may connect, from the first moment on.
    try:
        return await loop.create_unix_server(make, path, backlog=_BACKLOG)
    finally:
        os.umask(before)


def remover(path: str) -> Callable[[], None]:
    """Return what removes the socket that is there now, and no other that has taken its place by then."""
    inode = Path(path).stat().st_ino

    def remove() -> None:
        with contextlib.suppress(FileNotFoundError):
            if Path(path).stat().st_ino == inode:
                Path(path).unlink()

    return remove


def _clear_stale_socket(path: str) -> None:
    """Remove a socket that a killed server has left; leave alone what lives, and what is no socket."""
    try:
        if not stat.S_ISSOCK(Path(path).stat().st_mode):
            raise InputError(f"unix_path must be free or an old socket, got the file {path}; choose another")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:  # Nobody is there. Whatever else is wrong, somebody may be.
            Path(path).unlink(missing_ok=True)
            return
        except OSError:
            pass
    raise InputError(f"{path} must be free to listen on, but a server listens there; stop it or choose another path")


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return what TLS needs, or None where it is not asked for.

    Raises:
        InputError: the certificate or its key cannot be read.
    """
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password, OpenSSL would ask for one at the terminal.
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=lambda: "")
    except OSError as reason:
        raise InputError(
            f"tls_cert and tls_key must be a certificate and its key (PEM), got {settings.tls_cert} and "
            f"{settings.tls_key}: {reason}"
        ) from None
    return context


def allow_files(connections: int) -> None:
    """Ask the system for as many open files as connections may need.

    Raises:
        InputError: it does not allow so many.
    """
    try:
        import resource
    except ImportError:  # Not on this system, which has no such limit.
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        raise InputError(
            f"max_connections must fit this system's limit of open files, {hard}, got {connections}; lower it or raise "
            "that (ulimit -n)"
        )
