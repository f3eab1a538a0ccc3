// Peer of bench/fanout.py: Socket.IO on Node. NODE_PATH must find it.  node socketio_peer.js PORT
// Acks are its own: an emit that wants them gives each packet a number which the client repeats.
const { Server } = require("socket.io");
const http = require("http").createServer();

const io = new Server(http, {
  transports: ["websocket"], perMessageDeflate: false, pingInterval: 60000,
});
let acks = 0;
io.on("connection", (socket) => {
  const { id } = socket.handshake.auth;
  if (id >= 0) socket.join(["all", `phone:${id}`]);
  socket.on("pub", (asked) => {
    const rooms = asked.to === "all" ? "all" : asked.to.map((number) => `phone:${number}`);
    if (!asked.ack) io.to(rooms).emit("alert", asked.alert);
    else io.timeout(20000).to(rooms).emit("alert", asked.alert, (_, all) => { acks += all.length; });
  });
});
http.listen(Number(process.argv[2]), "127.0.0.1", 4096);
