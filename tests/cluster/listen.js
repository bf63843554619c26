"use strict";
// usage: node listen.js VERSION=URL...
// Clients of the given generations, each on its node. One JSON line when all are connected; one when all have heard
// "end": what each heard before, binary values as {"$bytes": hex}.

const { dial, connected } = require("../interop/clients/dial");

const clients = process.argv.slice(2).map((argument, index) => {
  const [version, url] = argument.split("=");
  const socket = dial(url, version, index % 2 ? "polling" : "websocket");
  const heard = [];
  const ended = new Promise((resolve) => {
    for (const event of ["ev", "bin", "room", "end"]) {
      socket.on(event, (...args) => (event === "end" ? resolve() : heard.push([event, ...args.map(shown)])));
    }
  });
  socket.on("question", (...args) => args.pop()("answer", version));
  return { version, socket, heard, ended };
});

function shown(value) {
  if (Buffer.isBuffer(value) || value instanceof ArrayBuffer) return { $bytes: Buffer.from(value).toString("hex") };
  if (Array.isArray(value)) return value.map(shown);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item)]));
}

const say = (value) => console.log(JSON.stringify(value));
const ask = (socket) => new Promise((resolve) => socket.emit("who", resolve));

async function main() {
  await Promise.all(clients.map(({ socket }) => connected(socket)));
  say(await Promise.all(clients.map(({ socket }) => ask(socket))));
  await Promise.all(clients.map(({ ended }) => ended));
  say(clients.map(({ heard }) => heard));
  process.exit(0);
}

main();
