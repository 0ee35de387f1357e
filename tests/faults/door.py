"""The way to a server, which a test can shut, hold, or let end nowhere."""

import contextlib
import socket
import threading
from pathlib import Path
from typing import Self

HOST = "127.0.0.1"


class Door:
    """A relay on `port` to a server's port or Unix socket. `with Door(port, server):`; begins open."""

    def __init__(self, port: int, server: int | Path) -> None:
        self._port = port
        self._server = server
        self._held = False
        self._listener: socket.socket | None = None
        self._inside: list[socket.socket] = []
        self._outside: list[socket.socket] = []

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shut()

    def open(self) -> None:
        self._held = False
        if self._listener is None:
            self._listener = socket.create_server((HOST, self._port))
            threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def hold(self) -> None:
        """Whoever comes from now on waits for a greeting that never comes."""
        self.open()
        self._held = True

    def shut(self) -> None:
        """Connections are refused, and those that stand are closed."""
        if self._listener is not None:
            # Wakes the thread that waits in accept, which a close alone doesn't.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.strand()
        for one in self._outside:
            one.close()
        self._outside.clear()

    def strand(self) -> int:
        """Connections that stand are never answered nor closed, as when a host vanishes; new ones work.

        How many were stranded.
        """
        stranded = len(self._inside)
        while self._inside:
            one = self._inside.pop()  # first, so that its threads know who has closed it
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        return stranded

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = listener.accept()
                self._outside.append(client)
                if not self._held:
                    self._join(client)

    def _join(self, client: socket.socket) -> None:
        try:
            server = self._connected()
        except OSError:
            client.close()
            return
        self._inside.append(server)
        threading.Thread(target=self._carry_in, args=[client, server], daemon=True).start()
        threading.Thread(target=self._carry_out, args=[server, client], daemon=True).start()

    def _connected(self) -> socket.socket:
        if isinstance(self._server, int):
            return socket.create_connection((HOST, self._server))
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._server))
        return server

    def _carry_in(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := client.recv(65536):
                if server in self._inside:
                    server.sendall(content)
            server.shutdown(socket.SHUT_WR)

    def _carry_out(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := server.recv(65536):
                client.sendall(content)
        if server in self._inside:  # the server has closed it, and not the test
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
