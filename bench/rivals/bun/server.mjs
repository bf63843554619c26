// socket.io on Bun's own HTTP server, by the engine that the Socket.IO project makes for it, with default options.

import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";
import { install } from "../app.mjs";

const io = new Server({ serveClient: false });
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);
install(io);
const [port, file] = process.argv.slice(2);
const tls = file && { key: Bun.file(file), cert: Bun.file(file) };
Bun.serve({ hostname: "127.0.0.1", port: Number(port), tls, ...engine.handler() });
