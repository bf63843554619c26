// The examples beside the chat, as people in headless Chromium use them: does what they do, reports what they saw.
//
//   node examples.mjs '{"url": …, "chromium": …, "example": …, "shots": …}'
//
// Prints one JSON object of observations. It judges nothing: what is right is asserted by test_examples.py.
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const job = JSON.parse(process.argv[2]), seen = { errors: [] };

async function open(browser) {
  const page = await (await browser.newContext({ viewport: { width: 1100, height: 760 } })).newPage();
  page.setDefaultTimeout(15000);
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${job.url}/`)) seen.errors.push(`outside: ${request.url()}`);
  });
  await page.goto(`${job.url}/`);
  return page;
}

const shoot = (page, name) => page.screenshot({ path: `${job.shots}/${job.example}-${name}.png` });
const text = (page, what) => page.$eval(what, (node) => node.textContent);

const visits = {
  async dashboard(ann) {
    await ann.waitForFunction(() => document.querySelector("#load b").textContent !== "–" && document.getElementById("state").textContent === "live");
    const inked = () => ann.$eval("#loop canvas", (canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((one) => one));
    await ann.waitForTimeout(2500);
    seen.viewers = [await text(ann, "#viewers b")];
    const bob = await open(ann.context().browser());
    await ann.waitForFunction(() => document.querySelector("#viewers b").textContent === "2");
    seen.viewers.push(await text(ann, "#viewers b"));
    seen.inked = await inked();
    await bob.close();
  },
  async drawing(ann) {
    const bob = await open(ann.context().browser());
    await ann.waitForFunction(() => document.getElementById("people").textContent === "2 people");
    const pixel = (page) => page.$eval("canvas", (canvas) => {
      const at = canvas.getContext("2d").getImageData(Math.round(canvas.width * 0.4), Math.round(canvas.height * 0.4), 1, 1).data;
      return [...at];
    });
    const size = ann.viewportSize();
    await ann.click('[title="#e5484d"]');
    await ann.mouse.move(size.width * 0.2, size.height * 0.2);
    await ann.mouse.down();
    for (let step = 1; step <= 20; step += 1) await ann.mouse.move(size.width * (0.2 + 0.02 * step), size.height * (0.2 + 0.02 * step));
    await ann.mouse.up();
    await bob.waitForFunction(() => picture.length === 1);
    seen.pixels = [await pixel(ann), await pixel(bob)];
    await shoot(bob, "bob");
    const late = await open(ann.context().browser());
    await late.waitForFunction(() => picture.length === 1);
    seen.pixels.push(await pixel(late));
    await late.click("#clear");
    await ann.waitForFunction(() => picture.length === 0);
    seen.cleared = (await pixel(ann))[3];
  },
  async game(ann) {
    const bob = await open(ann.context().browser());
    await ann.waitForFunction(() => game.ticks > 5 && game.places().length === 2);
    const place = (page) => page.evaluate(() => game.places().find(([id]) => id === game.me()));
    const [, x] = await place(ann), key = x < 0.5 ? "ArrowRight" : "ArrowLeft";
    await ann.keyboard.down(key);
    await ann.waitForTimeout(700);
    await ann.keyboard.up(key);
    const after = await place(ann);
    seen.moved = Math.abs(after[1] - x);
    seen.players = await text(bob, "ol");
    await shoot(bob, "bob");
    await bob.close();
    await ann.waitForFunction(() => game.places().length === 1);
    seen.left = true;
  },
  async notifications(ann) {
    const sign = async (page, name, password) => {
      await page.fill("[name=name]", name);
      await page.fill("[name=password]", password);
      await page.click("#login button");
    };
    await sign(ann, "anna", "wrong");
    await ann.waitForFunction(() => document.getElementById("said").textContent !== "");
    seen.refused = await text(ann, "#said");
    await sign(ann, "anna", "red apple");
    await ann.waitForSelector("#tell:not([hidden])");
    await ann.selectOption("[name=whom]", "bert");
    await ann.fill("[name=text]", "<b>early</b>");
    await ann.click("#tell button");
    await ann.waitForFunction(() => document.getElementById("said").textContent !== "");
    seen.first = await text(ann, "#said");
    const bert = await open(ann.context().browser()), again = await open(ann.context().browser());
    for (const page of [bert, again]) {
      await sign(page, "bert", "blue boat");
      await page.waitForSelector("li");
    }
    seen.waiting = [await text(bert, "li"), await text(bert, ".badge")];
    await ann.fill("[name=text]", "second");
    await ann.click("#tell button");
    await again.waitForFunction(() => document.querySelectorAll("li").length === 2);
    seen.badge = await text(again, ".badge");
    await shoot(again, "bert");
    await bert.click("li button");
    await again.waitForFunction(() => document.querySelectorAll("li").length === 1);
    seen.left = await text(again, "ul");
  },
};

const browser = await chromium.launch({ executablePath: job.chromium, args: FLAGS });
try {
  const ann = await open(browser);
  await visits[job.example](ann);
  await shoot(ann, "ann");
} catch (error) {
  seen.failure = String(error);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
