// socket.io on Node's own HTTP server and the package ws: its default engine, with default options.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { install } from "../app.mjs";

const http = createServer();
install(new Server(http, { allowEIO3: true, serveClient: false }));
http.listen(Number(process.argv[2]), "127.0.0.1");
