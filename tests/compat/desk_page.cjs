// Bob's page at the support desk, in JavaScript: opens a ticket, reads the answers. Prints what it saw, a line each.
//
//   node desk_page.cjs PORT
const { io } = require("../interop/node_modules/client-4.8.4");

const url = `http://127.0.0.1:${process.argv[2]}`;
const print = (what, value) => console.log(JSON.stringify([what, value ?? null]));

const stranger = io(url, { forceNew: true, reconnection: false, auth: { token: "nobody" } });
stranger.on("connect_error", (error) => {
  print("refused", [error.message, error.data]);
  stranger.io.engine.close();
  const bob = io(url, { forceNew: true, auth: { token: "bob-token" } });
  bob.io.engine.once("upgrade", (transport) => print("upgraded", transport.name));
  bob.onAny((event, ...args) => print(event, args));
  bob.on("file", ({ name, content }) => print("file read", [name, Buffer.from(content).toString("hex")]));
  bob.on("status", () => bob.disconnect());
  bob.on("disconnect", (reason) => print("disconnect", reason));
  bob.io.engine.once("upgrade", async () => {
    const { id } = await bob.timeout(3000).emitWithAck("open ticket", "Página rota 🐎");
    print("opened", id);
    print("said", await bob.timeout(3000).emitWithAck("say", id, "from JavaScript"));
    print("not mine", await bob.timeout(3000).emitWithAck("say", 1, "may I?"));
    console.log("waiting");
  });
});
setTimeout(() => process.exit(3), 10000).unref();
