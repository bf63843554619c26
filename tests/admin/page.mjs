// The Admin UI in headless Chromium, and clients of two generations: does what people do, reports what the page shows.
//
//   node page.mjs '{"url": …, "chromium": …, "shots": …, "mode": …}'
//
// Prints one JSON object of observations. It judges nothing: what is right is asserted by test_page.py.
import { createRequire } from "node:module";

import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const io2 = require("client-2.5.0");
const { io: io4 } = require("client-4.8.4");

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
const SLIDE = 400;      // milliseconds: the page slides from one view to the next
const job = JSON.parse(process.argv[2]);
const seen = { errors: [], disconnected: [] };

const connected = (socket) => new Promise((resolve, reject) => {
  socket.once("connect", () => resolve(socket));
  socket.once("connect_error", reject);
});
const ask = (socket, ...args) => new Promise((resolve) => socket.emit(...args, resolve));

async function makeClients() {
  const options = { forceNew: true, reconnection: false };
  const clients = {
    old: await connected(io2(job.url, options)),
    young: await connected(io4(job.url, options)),
    polling: await connected(io4(job.url, { ...options, transports: ["polling"] })),
    chat: await connected(io4(`${job.url}/chat`, { ...options, transports: ["websocket"] })),
  };
  for (const [name, client] of Object.entries(clients)) {
    client.on("disconnect", (reason) => seen.disconnected.push([name, reason]));
  }
  for (const name of ["old", "young"]) await ask(clients[name], "enter", "lobby");
  await ask(clients.chat, "hello", "Cat");
  return clients;
}

let shots = 0;
async function shoot(page, what) {
  await page.screenshot({ path: `${job.shots}/${String(++shots).padStart(2, "0")}-${what}.png` });
}

async function open(browser) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(10000);
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  // Its fonts come from elsewhere; all it needs comes from the server under test.
  await page.route((url) => url.origin !== job.url, (route) => route.abort());
  await page.goto(`${job.url}/ui/index.html`);
  return page;
}

async function login(page, password) {
  const [server, username, secret] = await page.$$(".v-dialog input[type=text], .v-dialog input[type=password]");
  await server.fill(job.url);
  await username.fill("admin");
  await secret.fill(password);
  await page.click(".v-dialog button[type=submit]");
}

const rows = (page) => page.$$eval(".v-data-table tbody tr", (lines) => lines.map(
  (line) => [...line.querySelectorAll("td")].map((cell) => cell.innerText.trim()),
));

const waitForRows = (page, least) => page.waitForFunction(
  (count) => document.querySelectorAll(".v-data-table tbody tr td:nth-child(2)").length >= count, least,
);

async function visit(page, view, least) {
  await page.goto(`${job.url}/ui/index.html#/${view}/`);
  await waitForRows(page, least);
  await page.waitForTimeout(SLIDE);
  await shoot(page, view);
  return rows(page);
}

async function lookAround(page, clients) {
  seen.ids = Object.fromEntries(Object.entries(clients).map(([name, client]) => [name, client.id]));
  seen.sockets = await visit(page, "sockets", 3);
  seen.rooms = await visit(page, "rooms", 1);
  seen.clients = await visit(page, "clients", 4);
  await page.goto(`${job.url}/ui/index.html#/events/`);
  clients.old.emit("say", "lobby", "from the old one");
  await waitForRows(page, 3);
  await shoot(page, "events");
  seen.events = await rows(page);
  await page.goto(`${job.url}/ui/index.html#/n/%2F/sockets/${encodeURIComponent(clients.young.id)}`);
  await page.waitForSelector("main >> text=Initial HTTP request");
  await page.waitForTimeout(SLIDE);
  await shoot(page, "socket");
  seen.socket = await page.innerText("main");
  await command(page, clients);
}

// What the page lets an admin do to one socket. A read-only server makes it hide the buttons.
async function command(page, clients) {
  seen.buttons = await page.$$eval("main button:not([disabled])", (buttons) => buttons.length);
  const room = await page.$("main form input[type=text]");
  if (room === null) return;
  await room.fill("den");
  await page.click("main form button[type=submit]");
  await page.waitForSelector("main td >> text=den");
  const gone = new Promise((resolve) => clients.young.once("disconnect", resolve));
  await page.click("main .v-card >> nth=0 >> button >> nth=-1");
  seen.kicked = await gone;
  await page.waitForSelector("main >> text=DISCONNECTED");
  await page.waitForTimeout(SLIDE);
  await shoot(page, "disconnected");
}

async function main(browser) {
  const clients = await makeClients();
  const page = await open(browser);
  await login(page, "guess");
  seen.refusal = await (await page.waitForSelector(".v-dialog .red--text")).innerText();
  await login(page, "secret");
  await page.waitForSelector(".v-dialog--active", { state: "hidden" });
  await page.waitForSelector("main >> text=/chat");
  await page.waitForTimeout(SLIDE);
  await shoot(page, "dashboard");
  seen.dashboard = await page.innerText("main");
  seen.navigation = await page.innerText("nav");
  seen.servers = await visit(page, "servers", 1);
  if (job.mode === "development") await lookAround(page, clients);
  for (const client of Object.values(clients)) client.close();
}

const browser = await chromium.launch({ executablePath: job.chromium, args: FLAGS });
try {
  await main(browser);
} catch (error) {
  const pages = browser.contexts().flatMap((context) => context.pages());
  for (const page of pages) await shoot(page, "failure").catch(() => {});
  seen.failure = String(error.stack ?? error);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
process.exit(0);
