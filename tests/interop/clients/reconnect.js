"use strict";
// usage: node reconnect.js URL VERSION...
// Every version over every transport setting, connected at once. Prints "ready" when all are; whoever started this
// restarts the server then, and each client must come back by itself and be served. One JSON line per client.

const { dial, next, ask, connected, same, report } = require("./dial");

const [url, ...versions] = process.argv.slice(2);
const options = { reconnection: true, reconnectionDelay: 100, reconnectionDelayMax: 500, timeout: 2000 };

function start(version, transport) {
  const socket = dial(url, version, transport, options);
  return { name: `${version} over ${transport} reconnects`, socket, lost: next(socket, "disconnect") };
}

async function comesBack({ socket, lost }, before) {
  await lost;
  await connected(socket);
  const [{ sid }] = await ask(socket, "whoami");
  same(sid === before, false);
  same(await ask(socket, "echo", "again", Buffer.from("x")), ["again", Buffer.from("x")]);
}

async function main() {
  const all = versions.flatMap((version) => ["polling", "websocket", "upgrade"].map((way) => start(version, way)));
  await Promise.all(all.map(({ socket }) => connected(socket)));
  const before = await Promise.all(all.map(async ({ socket }) => (await ask(socket, "whoami"))[0].sid));
  console.log("ready");
  const results = await Promise.allSettled(all.map((client, index) => comesBack(client, before[index])));
  return results.map((result, index) => report(all[index].name, result.reason)).every(Boolean);
}

main().then((passed) => process.exit(passed ? 0 : 1));
