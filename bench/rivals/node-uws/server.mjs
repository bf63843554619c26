// socket.io on Node with the engine's own uWebSockets.js server (`attachApp`), with default options.
// The binary is required by itself: the package's own entry would fall back to JavaScript without an error.

import { createRequire } from "node:module";
import { Server } from "socket.io";
import { install } from "../app.mjs";

const { platform, arch, versions } = process;
const binary = `@trufflesuite/uws-js-unofficial/binaries/uws_${platform}_${arch}_${versions.modules}.node`;
const uws = createRequire(import.meta.url)(binary);
const [port, file] = process.argv.slice(2);
const app = file ? uws.SSLApp({ key_file_name: file, cert_file_name: file }) : uws.App();
const io = new Server({ allowEIO3: true, serveClient: false });
io.attachApp(app);
install(io);
app.listen("127.0.0.1", Number(port), (token) => {
  if (!token) throw new Error(`cannot listen on port ${port}`);
});
