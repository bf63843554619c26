"use strict";
// usage: node room.js URL text|binary VERSION...
// Ten clients of the given generations in one room receive COUNT broadcasts. Five are there from the first number; five
// join over polling while the broadcasts run and upgrade to WebSocket in the middle of them. One JSON line per client.

const { dial, ask, connected, sleep, until, same, report } = require("./dial");

const [url, kind, ...versions] = process.argv.slice(2);
const COUNT = 1000;
const BATCH = 50; // ordered from the server at a time
const LAG = 100; // the next batch is ordered when nobody is further behind, so broadcasts outlast every upgrade
const JOIN_AT = 200; // upgrading clients join when this many were broadcast
const UPGRADE_AFTER = 200; // and change their transport after this many of their own
const ROOM = `flood of ${kind} ${process.pid}`;

function content(number) {
  if (kind === "text") return `message ${number} \u00e9\u4e16\u{1f600}`;
  const first = Buffer.alloc(4);
  first.writeUInt32BE(number);
  return { first, more: [Buffer.alloc(1 + (number % 50), number % 251)] };
}

// The client's own upgrade code, started by us: left alone, it would start with the connection
function upgrade(client) {
  const engine = client.socket.io.engine;
  engine.once("upgrade", () => (client.upgradedAfter = client.seen.length));
  (engine.probe || engine._probe).call(engine, "websocket");
}

function open(version, setting) {
  const options = { transports: setting === "websocket" ? ["websocket"] : ["polling", "websocket"], upgrade: false };
  const socket = dial(url, version, setting, options);
  const client = { name: `${version} ${setting}`, setting, socket, seen: [], upgradedAfter: 0 };
  socket.on("flooded", (number, value) => {
    client.seen.push([number, value]);
    if (setting === "upgrade" && client.seen.length === UPGRADE_AFTER) upgrade(client);
  });
  return client;
}

async function join(client) {
  await connected(client.socket);
  [client.joinedAt] = await ask(client.socket, "join", ROOM);
}

function verify({ setting, socket, seen, joinedAt, upgradedAfter }) {
  seen.forEach(([number, value], index) => {
    same([number, `message ${index} since joining`], [joinedAt + index, `message ${index} since joining`]);
    same(value, content(number));
  });
  same(seen.length, COUNT - joinedAt);
  same(socket.io.engine.transport.name, setting === "polling" ? "polling" : "websocket");
  if (setting !== "upgrade") return;
  same(joinedAt > 0, true);
  same(upgradedAfter >= UPGRADE_AFTER && upgradedAfter < seen.length, true);
}

async function broadcast(all, joinLate) {
  const keepsUp = (sent) => ({ seen, joinedAt }) => joinedAt === undefined || seen.length >= sent - joinedAt - LAG;
  let joining;
  for (let sent = 0; sent < COUNT; sent += BATCH) {
    if (sent === JOIN_AT) joining = joinLate();
    if (sent === 2 * JOIN_AT) await joining;
    await ask(all[0].socket, "flood", ROOM, { count: BATCH, binary: kind === "binary" });
    await until("all keep up", () => all.every(keepsUp(sent)));
  }
  await until("all saw the last number", () => all.every(keepsUp(COUNT + LAG)));
  await sleep(300); // time for a duplicate to show up
}

async function main() {
  const steady = ["polling", "websocket", "polling", "websocket", "polling"];
  const all = steady.map((setting, index) => open(versions[index % versions.length], setting));
  await Promise.all(all.map(join));
  const joinLate = () => {
    const late = steady.map((_, index) => open(versions[(index + 1) % versions.length], "upgrade"));
    all.push(...late);
    return Promise.all(late.map(join));
  };
  await broadcast(all, joinLate).catch((error) => report("the broadcast itself", error));
  return all.length === 10 && all.map(judge).every(Boolean);
}

function judge(client) {
  const name = `${client.name}: ${COUNT} ${kind} broadcasts`;
  try {
    verify(client);
    return report(name);
  } catch (error) {
    return report(name, error);
  }
}

main().then((passed) => process.exit(passed ? 0 : 1));
