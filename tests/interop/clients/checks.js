"use strict";
// The checks, run in this order on one stage: `socket` is the client under test, `other` a second one of its kind.
// A check passes by returning and fails by throwing; names are what the test report shows.

const { isOld, next, ask, connected, sleep, until, same } = require("./dial");

const STEADY_FOR = Number(process.env.INTEROP_STEADY_FOR || 3.5) * 1000;
const TEXTS = ["plain", "", "\u00e9 \u4e16\u754c \u{1f600}\u{1f469}\u200d\u{1f52c}", "quote \" back \\ line\n\u2028"];
const NESTED = { list: [1, -2.5, true, null, { deep: ["\u{1f600}", {}] }], empty: [], "key \u00e9": "value" };
const BYTES = Buffer.from([0, 1, 4, 30, 127, 128, 254, 255]);
const LARGE = Buffer.alloc(100000, "0123456789abcdef");

function counted(emitter, event) {
  const seen = [];
  emitter.on(event, (...args) => seen.push(args));
  return seen;
}

async function echo(socket, ...args) {
  const [event, answer] = await Promise.all([next(socket, "echoed"), ask(socket, "echo", ...args)]);
  same(event, args);
  same(answer, args);
}

async function question(socket, ...args) {
  socket.once("question", (...asked) => asked.pop()("answer", ...asked));
  same(await ask(socket, "ask", ...args), ["answer", ...args]);
}

async function refusal(stage, namespace) {
  const socket = stage.socket.io.socket(namespace, { auth: {} });
  const [error] = await next(socket, isOld(stage.version) ? "error" : "connect_error");
  same(Boolean(socket.connected), false);
  return error;
}

async function connects(stage) {
  stage.pongs = counted(stage.socket.io.engine, "pong");
  await Promise.all([connected(stage.socket), connected(stage.other)]);
  stage.connectedAt = Date.now();
}

const finalTransport = (stage) => (stage.transport === "polling" ? "polling" : "websocket");

// A client that upgrades goes on sending until it has, so the upgrade always happens among these events
async function orderedFromTheStart(stage) {
  const socket = stage.open();
  const seen = counted(socket, "numbered");
  await connected(socket);
  const settled = () => socket.io.engine.transport.name === finalTransport(stage);
  let sent = 0;
  while (sent < 200 || (!settled() && sent < 20000)) {
    socket.emit("numbered", sent++);
    if (sent % 10 === 0) await sleep(1);
  }
  await until("every number came back", () => seen.length >= sent);
  await ask(socket, "whoami"); // a duplicate would have arrived by now
  same(settled(), true);
  same(seen.flat(), [...Array(sent).keys()]);
  socket.disconnect();
}

async function transportInUse(stage) {
  const wanted = finalTransport(stage);
  await until(`client uses ${wanted}`, () => stage.socket.io.engine.transport.name === wanted);
  await until(`server uses ${wanted}`, async () => (await ask(stage.socket, "whoami"))[0].transport === wanted);
}

async function handshake(stage) {
  const [{ colour, auth }] = await ask(stage.socket, "whoami");
  same(colour, "blue");
  if (!isOld(stage.version)) same(auth, { token: "secret" });
}

async function ids(stage) {
  const [{ sid }] = await ask(stage.socket, "whoami");
  same(stage.socket.id, sid);
  same(isOld(stage.version), sid === stage.socket.io.engine.id);
}

async function texts({ socket }) {
  for (const text of TEXTS) await echo(socket, text);
}

async function values({ socket }) {
  await echo(socket, NESTED);
  await echo(socket, [1, [2, [3]]]);
  await echo(socket, 1, "two", { three: 3 }, null, [5]);
  await echo(socket);
}

async function calls({ socket }) {
  await question(socket, "how?");
  await question(socket, ...TEXTS, NESTED, 5);
}

async function binary({ socket }) {
  await echo(socket, BYTES);
  await echo(socket, Buffer.alloc(0));
  await echo(socket, "with text", BYTES, { nested: [BYTES, { deeper: Buffer.from("x") }] }, 7);
  await echo(socket, LARGE, [LARGE, BYTES]);
}

async function binaryCalls({ socket }) {
  await question(socket, BYTES);
  await question(socket, { nested: [BYTES, LARGE] }, "text", Buffer.from("end"));
}

async function rooms({ socket, other }) {
  const [mine, theirs] = [counted(socket, "said"), counted(other, "said")];
  const room = `room of ${socket.id}`;
  await ask(socket, "enter", room);
  await ask(other, "say", room, "only one is in", false);
  await ask(other, "enter", room);
  await ask(other, "say", room, "both are in", false);
  await ask(other, "say", room, "all but the sender", true);
  await ask(socket, "leave", room);
  await ask(other, "say", room, "the first has left", false);
  await Promise.all([ask(socket, "whoami"), ask(other, "whoami")]); // whatever was sent before has arrived by now
  same(mine.flat(), ["only one is in", "both are in", "all but the sender"]);
  same(theirs.flat(), ["both are in", "the first has left"]);
}

async function namespaces(stage) {
  const { socket } = stage;
  const chat = socket.io.socket("/chat", { query: "colour=red", auth: { token: "chat" } });
  stage.chat = chat;
  await connected(chat);
  same(chat.io === socket.io, true); // one connection carries both
  const leaked = counted(socket, "said");
  chat.emit("say_to_all", "hi");
  const [[event], answer] = await Promise.all([next(chat, "said"), ask(chat, "echo", "x", BYTES)]);
  same([event, answer], ["hi", ["chat", "x", BYTES]]);
  await echo(socket, "the default namespace still answers");
  same(leaked, []);
}

async function namespaceIds({ version, socket, chat }) {
  const [{ sid, auth }] = await ask(chat, "whoami");
  if (!isOld(version)) same(auth, { token: "chat" });
  if (isOld(version)) same(sid, `/chat#${socket.io.engine.id}`);
  // client 1.x reports the id of the session in every namespace
  if (version.startsWith("1.")) same(chat.id, socket.io.engine.id);
  else same(chat.id, sid);
}

async function refusedNamespace(stage) {
  const error = await refusal(stage, "/refused");
  if (isOld(stage.version)) return same(error, { code: 42 });
  same([error.message, error.data], ["not allowed", { code: 42 }]);
}

async function unknownNamespace(stage) {
  await refusal(stage, "/nobody-serves-this");
  await echo(stage.socket, "the others are unaffected");
}

async function serverDisconnectsNamespace({ socket, chat }) {
  chat.emit("kick");
  same((await next(chat, "disconnect"))[0], "io server disconnect");
  await echo(socket, "the default namespace is still connected");
}

async function clientDisconnects({ socket, other }) {
  const { id } = other;
  same(await ask(socket, "farewell", id), [""]);
  other.disconnect();
  await until("the server noticed", async () => (await ask(socket, "farewell", id))[0] !== "");
  same(await ask(socket, "farewell", id), ["client disconnect"]);
}

// Long enough that a server which missed the client's heartbeats would have dropped it
async function heartbeats({ socket, pongs, connectedAt }) {
  await until("four heartbeats", () => pongs.length >= 4 && Date.now() - connectedAt > STEADY_FOR);
  same(socket.connected, true);
  await echo(socket, "still connected");
}

async function serverDisconnects({ open, socket }) {
  const other = open();
  await connected(other);
  const { id } = socket;
  socket.emit("kick");
  same((await next(socket, "disconnect"))[0], "io server disconnect");
  await until("the server noticed", async () => (await ask(other, "farewell", id))[0] !== "");
  same(await ask(other, "farewell", id), ["server disconnect"]);
}

module.exports = {
  "connect": connects,
  "numbered events straight after connecting, in order": orderedFromTheStart,
  "transport in use": transportInUse,
  "query and auth": handshake,
  "id is the server's sid": ids,
  "texts both ways": texts,
  "values both ways": values,
  "server calls client": calls,
  "binary both ways": binary,
  "server calls client with binary": binaryCalls,
  "rooms and skip_sid": rooms,
  "two namespaces on one connection": namespaces,
  "id in a namespace": namespaceIds,
  "refused namespace": refusedNamespace,
  "unknown namespace": unknownNamespace,
  "server disconnects a namespace": serverDisconnectsNamespace,
  "client disconnects": clientDisconnects,
  "heartbeats": heartbeats,
  "server disconnects": serverDisconnects,
};
