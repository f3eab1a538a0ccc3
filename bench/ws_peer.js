// Peer of bench/fanout.py: `ws` on Node. NODE_PATH must find it.  node ws_peer.js PORT
// A socket at /N is number N; one at /pub says whom to send what. What the others send is counted.
const { WebSocketServer } = require("ws");

const sockets = new Map();
let acks = 0;

function publish(asked) {
  const text = JSON.stringify(asked.alert);
  if (asked.to === "all") for (const socket of sockets.values()) socket.send(text);
  else for (const number of asked.to) sockets.get(number)?.send(text);
}

const server = new WebSocketServer({
  port: Number(process.argv[2]), host: "127.0.0.1", perMessageDeflate: false, backlog: 4096,
});
server.on("connection", (socket, request) => {
  const name = request.url.slice(1);
  if (name === "pub") {
    socket.on("message", (data) => publish(JSON.parse(data)));
    return;
  }
  sockets.set(Number(name), socket);
  socket.on("message", () => { acks += 1; });
  socket.on("close", () => sockets.delete(Number(name)));
});
