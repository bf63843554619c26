// socket.io on Bun's own HTTP server, by the engine that the Socket.IO project makes for it, with default options.

import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";
import { install } from "../app.mjs";

const io = new Server({ serveClient: false });
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);
install(io);
Bun.serve({ hostname: "127.0.0.1", port: Number(process.argv[2]), ...engine.handler() });
