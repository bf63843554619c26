// One person on the NiceGUI page, in headless Chromium, behind a proxy that can cut every connection.
//
//   node nicegui.mjs '{"port": …, "chromium": …}'
//
// Prints one JSON object of observations. It judges nothing: what is right is asserted by test_nicegui.py.
import net from "node:net";
import { chromium } from "playwright-core";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const job = JSON.parse(process.argv[2]);
const seen = { errors: [] };

const pairs = new Set();
let open = true;
const proxy = net.createServer((inside) => {
  if (!open) return inside.destroy();
  const outside = net.connect(job.port, "127.0.0.1");
  pairs.add([inside, outside]);
  for (const [from, to] of [[inside, outside], [outside, inside]]) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  }
});
await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));

function cut() {
  for (const pair of pairs) pair.forEach((end) => end.destroy());
  pairs.clear();
}

const text = (page, id) => page.textContent(`#${id}`);
const reads = (page, id, value) => page.waitForFunction(
  ([what, wanted]) => document.getElementById(what)?.textContent === wanted, [id, value]);
const countsTo = (page, least) => page.waitForFunction(
  (number) => Number(document.getElementById("count")?.textContent) >= number, least);
const lines = (page) => page.$$eval("#log *", (nodes) => nodes
  .filter((node) => node.children.length === 0 && node.textContent.startsWith("tick ")).map((node) => Number(node.textContent.slice(5))));
const transport = (page) => page.evaluate(() => window.socket.io.engine.transport.name);
const click = (page, number) => page.click("#button").then(() => reads(page, "clicked", String(number)));

async function visit(page) {
  await page.goto(`http://127.0.0.1:${proxy.address().port}/`);
  await countsTo(page, 5);
  seen.made = await text(page, "made");
  seen.transport = await transport(page);
  await page.evaluate(() => { window.sameDocument = true; });
  for (const number of [1, 2, 3]) await click(page, number);
  await page.waitForFunction(() => document.querySelector(".q-notifications").textContent.includes("click 3"));
  await page.fill('input[aria-label="text"]', "draft é 🐎");
  await reads(page, "echo", "draft é 🐎");
  await page.setInputFiles('input[type="file"]', { name: "bytes.bin", mimeType: "application/octet-stream",
    buffer: Buffer.from(Array.from({ length: 300000 }, (_, at) => at % 251)) });
  await page.waitForFunction(() => document.getElementById("received").textContent !== "-");
  seen.received = await text(page, "received");
}

async function loseTheLine(page) {
  // Otherwise chance decides how long it takes to come back.
  await page.evaluate(() => window.socket.io.reconnectionDelay(300).reconnectionDelayMax(300));
  open = false;
  cut();
  await page.waitForSelector('#popup[aria-hidden="false"]');
  const before = Number(await text(page, "count"));
  await new Promise((resolve) => setTimeout(resolve, 600));
  open = true;
  await page.waitForSelector('#popup[aria-hidden="true"]', { state: "attached" });
  await countsTo(page, before + 10);
  await click(page, 4);
  seen.ticks = await lines(page);
  seen.echo = await text(page, "echo");
  seen.sameDocument = await page.evaluate(() => window.sameDocument === true);
  seen.transportAfter = await transport(page);
}

const browser = await chromium.launch({ executablePath: job.chromium, args: FLAGS });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(10000);
  page.on("websocket", (link) => link.on("framereceived", ({ payload }) => {
    if (String(payload).startsWith("0{")) seen.pingInterval = JSON.parse(String(payload).slice(1)).pingInterval;
  }));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  await visit(page);
  await loseTheLine(page);
} catch (error) {
  seen.failure = String(error.stack ?? error);
} finally {
  await browser.close();
  proxy.close();
  cut();
}
console.log(JSON.stringify(seen));
