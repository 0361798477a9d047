"""Starting the server: one for a database, on this machine unless another is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from sdq_core.errors import ReviewError
from sdq_core.review.closing import checked
from sdq_core.review.desk import Desk
from sdq_core.review.folder import Folder
from sdq_core.review.server import application
from sdq_core.review.store import LOCK, Store

__all__ = ["LOCAL", "serve", "served_alone"]

LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@contextmanager
def served_alone(store: Store) -> Iterator[None]:
    """Hold the right to serve a database.

    Raises
    ------
    ReviewError
        Another server has it.
    """
    message = (
        "database: another server serves this review already; stop that one first, or send the "
        "readers there"
    )
    if store.is_sqlite:
        import fcntl

        path = Path(f"{store.url.database}.serving")
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ReviewError(message) from error
            yield  # the lock ends with the process, however it ends
        return
    with store.engine.connect() as connection:
        held = connection.execute(sa.text(f"SELECT pg_try_advisory_lock({LOCK + 1})")).scalar_one()
        connection.commit()
        connection.detach()  # closed at the end, not given back to the pool with the lock on it
        if not held:
            raise ReviewError(message)
        yield


def serve(
    folder: Folder,
    store: Store,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    certificate: Path | None = None,
    private_key: Path | None = None,
    log_level: str = "warning",
) -> None:
    """Serve a review until it is stopped.

    Parameters
    ----------
    folder : Folder
    store : Store
    host, port
        Where to listen.
    certificate, private_key : Path, optional
        PEM files; with them the pages travel over TLS.
    log_level : str

    Raises
    ------
    ReviewError
        Another server serves this database, its log is not whole, or the port is taken.
    """
    import socket

    import uvicorn

    if (certificate is None) != (private_key is None):
        raise ReviewError("--certificate and --private-key: give both, or none")
    with served_alone(store):
        checked(store)
        desk = Desk(store)
        with store.writing() as writer:
            writer.log("served", content={"host": host, "tls": certificate is not None})
        app = application(
            folder, desk, secure=certificate is not None, hosts=LOCAL if host in LOCAL else None
        )
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError as error:
                raise ReviewError(
                    f"{host}:{port}: cannot be listened on ({error.strerror}); choose another "
                    f"--port or --host"
                ) from error
            config = uvicorn.Config(
                app, log_level=log_level, access_log=False, server_header=False, date_header=False,
                ssl_certfile=None if certificate is None else os.fspath(certificate),
                ssl_keyfile=None if private_key is None else os.fspath(private_key),
            )  # fmt: skip
            uvicorn.Server(config).run(sockets=[listener])
