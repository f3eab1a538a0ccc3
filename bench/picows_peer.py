"""Peer of bench/fanout.py: the picows server. Run by an interpreter that has picows and uvloop.

    PYTHON picows_peer.py PORT

A socket at /N is number N. One at /pub says whom to send what: {"to": "all" or a list of numbers,
"alert": …}. What the others send, their acks, is read and counted.
"""

import json
import sys

import picows
import uvloop

_sockets: dict[int, picows.WSTransport] = {}
_acks = [0]


class Socket(picows.WSListener):
    """One connection."""

    def __init__(self, name: str) -> None:
        self.number = None if name == "pub" else int(name)

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        if self.number is not None:
            _sockets[self.number] = transport

    def on_ws_disconnected(self, _transport: picows.WSTransport) -> None:
        _sockets.pop(self.number, None)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.CLOSE:
            transport.disconnect()
        elif self.number is None:
            _publish(json.loads(frame.get_payload_as_bytes()))
        else:
            _acks[0] += 1


def _publish(asked: dict) -> None:
    text = json.dumps(asked["alert"]).encode()
    numbers = _sockets if asked["to"] == "all" else asked["to"]
    for number in numbers:
        _sockets[number].send(picows.WSMsgType.TEXT, text)


async def _serve(port: int) -> None:
    server = await picows.ws_create_server(
        lambda request: Socket(request.path.decode().lstrip("/")), "127.0.0.1", port, backlog=4096
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
