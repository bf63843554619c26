// The application of every JavaScript server that is measured: the twin of app.py. It takes any socket.io server.

export function install(io) {
  io.on("connection", (socket) => {
    socket.join("all");
    socket.on("echo", (data) => socket.emit("echo", data));
    socket.on("ack", (data, answer) => answer(data));
    socket.on("fan", (data) => io.to("all").emit("fan", data));
  });
}
