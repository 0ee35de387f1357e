"""The way to the sandbox's mail server, which a test can shut (refused) or hold (accepted, never answered)."""

import contextlib
import socket
import threading
from typing import Self

HOST = "127.0.0.1"


class MailDoor:
    """A relay from `port` to the port `mail_server`. `with MailDoor(port, mail_server):`; begins open."""

    def __init__(self, port: int, mail_server: int) -> None:
        self._port = port
        self._mail_server = mail_server
        self._held = False
        self._listener: socket.socket | None = None
        self._sockets: list[socket.socket] = []

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
        """Connections are refused, and those that stand are cut."""
        if self._listener is not None:
            # Wakes the thread that waits in accept, which a close alone doesn't.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for one in self._sockets:
            one.close()
        self._sockets.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = listener.accept()
                self._sockets.append(client)
                if not self._held:
                    self._join(client)

    def _join(self, client: socket.socket) -> None:
        server = socket.create_connection((HOST, self._mail_server))
        self._sockets.append(server)
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=self._pump, args=[source, target], daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                target.sendall(content)
            target.shutdown(socket.SHUT_WR)
