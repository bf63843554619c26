// One person with the Chainlit assistant, in headless Chromium: a streamed answer, and a question that is answered.
//
//   node chainlit.mjs '{"port": …, "chromium": …}'
//
// Prints one JSON object of observations. It judges nothing: what is right is asserted by test_chainlit.py.
import { chromium } from "playwright-core";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const job = JSON.parse(process.argv[2]);
const seen = { errors: [], sockets: [] };

async function say(page, text) {
  await page.click("#chat-input");
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

async function talk(page) {
  await page.goto(`http://127.0.0.1:${job.port}/`);
  await page.waitForSelector("text=served by");
  seen.made = await page.textContent("text=served by");
  await say(page, "40");
  await page.waitForSelector("text=that was all");
  seen.words = [...(await page.textContent("body")).matchAll(/word(\d+)/g)].map((found) => Number(found[1]));
  await say(page, "ask me");
  await page.click("button:has-text('coffee')");
  await page.waitForSelector("text=here is your coffee");
}

const browser = await chromium.launch({ executablePath: job.chromium, args: FLAGS });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(15000);
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("websocket", (link) => seen.sockets.push(new URL(link.url()).pathname));
  await talk(page);
} catch (error) {
  seen.failure = String(error.stack ?? error);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
