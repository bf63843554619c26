"use strict";
// One way to open any released client, and the waiting that every program here needs.
// Knows what differs between the generations; never knows what is being checked.

const { isDeepStrictEqual } = require("node:util");

const PATIENCE = Number(process.env.INTEROP_PATIENCE || 10) * 1000;
const TRANSPORTS = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };

// "4.8.4-msgpack" is client 4.8.4 with the MessagePack parser
function dial(url, version, transport, options = {}) {
  const [release, parser] = version.split("-");
  const io = require(`client-${release}`);
  return io(url, {
    forceNew: true,
    reconnection: false,
    transports: TRANSPORTS[transport],
    query: "colour=blue",
    auth: { token: "secret" },
    ...(parser && { parser: require("socket.io-msgpack-parser") }),
    ...options,
  });
}

// Generations 1 and 2 speak Engine.IO 3: no auth, ids derived from the session's, "error" instead of "connect_error"
const isOld = (version) => Number(version.split(".")[0]) < 3;

function limited(what, promise, ms = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const next = (emitter, event) =>
  limited(`event "${event}"`, new Promise((resolve) => emitter.once(event, (...args) => resolve(args))));

const ask = (socket, event, ...args) =>
  limited(`ack of "${event}"`, new Promise((resolve) => socket.emit(event, ...args, (...answer) => resolve(answer))));

const connected = (socket) => (socket.connected ? Promise.resolve() : next(socket, "connect"));

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, condition) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(20)) {
    if (await condition()) return;
  }
  throw new Error(`never true: ${what}`);
}

// Clients hand out Buffers, ArrayBuffers or typed arrays; what counts is the bytes
function plain(value) {
  if (value instanceof ArrayBuffer) return { bytes: Buffer.from(value).toString("hex") };
  if (ArrayBuffer.isView(value)) {
    return { bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex") };
  }
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function same(got, wanted) {
  if (!isDeepStrictEqual(plain(got), plain(wanted))) {
    throw new Error(`got ${JSON.stringify(plain(got))}, wanted ${JSON.stringify(plain(wanted))}`);
  }
}

function report(check, error) {
  console.log(JSON.stringify({ check, ok: !error, detail: error ? String(error.message || error) : "" }));
  return !error;
}

module.exports = { dial, isOld, next, ask, connected, sleep, until, same, report };
