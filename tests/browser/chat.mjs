// Two people on the chat page, in two headless browser contexts: does what people do, reports what they saw.
//
//   node chat.mjs '{"url": …, "chromium": …, "shots": …, "people": [{"client", "transport", "name"}, …]}'
//
// Prints one JSON object of observations. It judges nothing: what is right is asserted by test_chat.py.
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const HOSTILE = '<img src=x onerror="window.broken = true"> & <b>bold</b>';
const job = JSON.parse(process.argv[2]);

const seen = { errors: [], journeys: [], states: [], presence: [], messages: [] };

async function open(browser, person, look) {
  const context = await browser.newContext(look);
  // about:blank has no storage to write to.
  await context.addInitScript((name) => {
    if (location.protocol === "http:") sessionStorage.setItem("name", name);
  }, person.name);
  const page = await context.newPage();
  page.setDefaultTimeout(job.timeout ?? 15000);
  page.on("pageerror", (error) => seen.errors.push(`${person.name}: ${error}`));
  // The page has to live from what the server gives it: the CDN is for people without npm, not for a test.
  page.on("request", (request) => strangers(request.url()));
  await page.goto(`${job.url}/?client=${person.client}&transport=${person.transport}`);
  await page.waitForSelector('#state[data-state="connected"]');
  return page;
}

function strangers(url) {
  if (![`${job.url}/`, "data:", "about:"].some((start) => url.startsWith(start))) seen.errors.push(`outside: ${url}`);
}

const destination = (person) => (person.transport === "polling" ? "polling" : "websocket");

const settled = (page, person) => page.waitForFunction(
  (name) => document.querySelector("#transport .now")?.textContent === name,
  destination(person),
);

const presence = (page) => page.$$eval("#people .person", (rows) => rows.map((row) => ({
  name: row.querySelector("bdi").textContent,
  you: row.querySelector("em") !== null,
  badge: row.querySelector(".badge").textContent,
  transport: row.querySelector(".via").textContent,
})));

// The heading of a group counts for every message under it.
const messages = (page) => page.$$eval("#messages > .message", (nodes) => {
  let heading = null;
  return nodes.map((node) => {
    heading = node.querySelector(".heading") ?? heading;
    return {
      from: heading.querySelector(".name").textContent,
      badge: heading.querySelector(".badge").textContent,
      text: node.querySelector(".bubble").textContent,
      mine: node.classList.contains("mine"),
    };
  });
});

const notices = (page, kind) => page.$$eval(`#messages > .notice.${kind}`, (nodes) => nodes.map((n) => n.textContent));

async function say(page, text, count, pages) {
  await page.fill("#text", text);
  await page.press("#text", "Enter");
  for (const each of pages) await waitForCount(each, ".message .bubble", count);
}

const waitForCount = (page, selector, count) => page.waitForFunction(
  ([what, least]) => document.querySelectorAll(what).length === least, [selector, count],
);

let shots = 0;
async function shoot(page, what) {
  if (job.shots) await page.screenshot({ path: `${job.shots}/${String(++shots).padStart(2, "0")}-${what}.png` });
}

async function converse(ann, bob) {
  const both = [ann, bob];
  await say(ann, "Hello from over here", 1, both);
  await say(bob, "Loud and clear", 2, both);
  await say(bob, HOSTILE, 3, both);
  await say(ann, "žluťoučký kůň 🐎", 4, both);
  for (const page of both) seen.messages.push(await messages(page));
  seen.broken = await Promise.all(both.map((page) => page.evaluate(() => "broken" in window)));
  await shoot(ann, "conversation");
  await shoot(bob, "conversation-phone");
}

// Everything that can end a visit: the button, and the page going away without a word.
async function part(ann, bob) {
  await bob.evaluate(() => document.getElementById("toggle").click());
  await waitForCount(ann, ".notice.leave", 1);
  await waitForCount(ann, ".person", 1);
  await bob.evaluate(() => document.getElementById("toggle").click());
  await waitForCount(ann, ".person", 2);
  await bob.goto("about:blank");
  await waitForCount(ann, ".notice.leave", 2);
  await waitForCount(ann, ".person", 1);
  seen.left = await notices(ann, "leave");
  seen.joined = await notices(ann, "join");
  seen.remaining = await presence(ann);
  await shoot(ann, "left");
  await ann.goto("about:blank");
}

const DESKTOP = { viewport: { width: 1180, height: 760 }, colorScheme: "light" };
const PHONE = { viewport: { width: 390, height: 800 }, colorScheme: "dark", isMobile: true, hasTouch: true };

async function main(browser) {
  const [first, second] = job.people;
  const ann = await open(browser, first, DESKTOP);
  await settled(ann, first);
  await shoot(ann, "empty");
  const bob = await open(browser, second, PHONE);
  await settled(bob, second);
  for (const [page, person] of [[ann, first], [bob, second]]) {
    await waitForCount(page, ".person", 2);
    // The server's view of the last upgrade travels as an event of its own.
    await page.waitForFunction(
      (name) => [...document.querySelectorAll(".via")].every((via) => via.textContent === name),
      destination(person),
    );
    seen.journeys.push(await page.textContent("#transport"));
    seen.states.push(await page.textContent("#state"));
    seen.presence.push(await presence(page));
  }
  await converse(ann, bob);
  await part(ann, bob);
}

const browser = await chromium.launch({ executablePath: job.chromium, args: FLAGS });
try {
  await main(browser);
} catch (error) {
  // What the pages looked like says more than a stack.
  const pages = browser.contexts().flatMap((context) => context.pages());
  for (const page of pages) await shoot(page, "failure").catch(() => {});
  seen.failure = String(error.stack ?? error);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
