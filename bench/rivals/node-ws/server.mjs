// socket.io on Node's own HTTP server and the package ws: its default engine, with default options.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { Server } from "socket.io";
import { install } from "../app.mjs";

const [port, file] = process.argv.slice(2);
const both = file && readFileSync(file);
const http = both ? createTlsServer({ key: both, cert: both }) : createServer();
install(new Server(http, { allowEIO3: true, serveClient: false }));
http.listen(Number(port), "127.0.0.1");
