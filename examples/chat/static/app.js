// The chat page. It speaks through whichever Socket.IO client generation the address asks for
// (?client=2.1.1&transport=polling), so it uses only what the clients of all generations have in common.
"use strict";

const GENERATIONS = [
  { version: "4.8.4", engine: 4, since: "current" },
  { version: "3.1.3", engine: 4, since: "2021" },
  { version: "2.5.0", engine: 3, since: "2022" },
  { version: "2.1.1", engine: 3, since: "2018" },
];
const TRANSPORTS = {
  auto: { list: ["polling", "websocket"], hint: "Starts with HTTP long-polling and moves to WebSocket." },
  polling: { list: ["polling"], hint: "HTTP long-polling only, as behind a strict proxy." },
  websocket: { list: ["websocket"], hint: "WebSocket from the first byte." },
};
const FIRST = ["Quiet", "Sunny", "Brave", "Clever", "Gentle", "Happy", "Lucky", "Merry", "Swift", "Witty"];
const LAST = ["Otter", "Heron", "Badger", "Lynx", "Robin", "Marten", "Hare", "Finch", "Seal", "Wren"];
const GROUP_MS = 3 * 60 * 1000; // messages of one person within this time stand under one heading

const $ = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const generation = GENERATIONS.find((g) => g.version === asked.get("client")) || GENERATIONS[0];
const transport = Object.hasOwn(TRANSPORTS, asked.get("transport")) ? asked.get("transport") : "auto";

let socket = null;
let me = null; // what the server says about us, in answer to `introduce`
let people = []; // who is here, as last heard
let journey = []; // the transports of this connection, oldest first
let last = null; // the newest message shown: { id, at }
let leaving = false;

// --- small things ------------------------------------------------------------------------------------------

// All text of other people goes through here, and here it can only become text.
function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null));
  return node;
}

function pick(list) {
  return list[Math.floor(Math.random() * list.length)];
}

// Per tab, so that two tabs are two people. Storage may be forbidden; then the name lasts as long as the page.
function remember(key, value) {
  try {
    sessionStorage.setItem(key, value);
  } catch { /* nothing to be done, and nothing lost but comfort */ }
}

function recall(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

function address(version, mode) {
  return "?" + new URLSearchParams({ client: version, transport: mode });
}

function badge(person) {
  const major = parseInt(person.client, 10);
  const node = element("span", "badge", `${person.client} · Engine.IO ${person.engine}`);
  node.dataset.major = major >= 2 && major <= 4 ? major : "other";
  node.title = `Socket.IO client ${person.client}, Engine.IO protocol ${person.engine}`;
  return node;
}

function avatar(person) {
  const node = element("span", "avatar", [...person.name][0].toUpperCase());
  node.style.setProperty("--hue", (person.id * 137.5) % 360);
  node.setAttribute("aria-hidden", "true");
  return node;
}

// --- the conversation --------------------------------------------------------------------------------------

function show(node) {
  const box = $("scroll");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  if (node.classList.contains("message")) $("empty").hidden = true;
  $("messages").append(node);
  if (atEnd || node.classList.contains("mine")) toEnd();
  else $("newer").hidden = false;
}

function toEnd() {
  $("scroll").scrollTop = $("scroll").scrollHeight;
  $("newer").hidden = true;
}

function showMessage(text, person) {
  const now = new Date();
  const mine = me !== null && person.id === me.id;
  const grouped = last !== null && last.id === person.id && last.client === person.client && now - last.at < GROUP_MS;
  const node = element("li", `message ${mine ? "mine" : "theirs"}${grouped ? " grouped" : ""}`);
  if (!grouped) node.append(heading(person, mine, now));
  const bubble = element("p", "bubble", text);
  bubble.dir = "auto";
  node.append(bubble);
  show(node);
  last = { id: person.id, client: person.client, at: now };
}

function heading(person, mine, now) {
  const clock = now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const time = element("time", "", clock);
  time.dateTime = now.toISOString();
  const name = element("bdi", "name", mine ? "You" : person.name);
  return element("div", "heading", mine ? null : avatar(person), name, badge(person), time);
}

function showNotice({ kind, person, before, reason }) {
  const name = () => element("bdi", "", person.name);
  const node = element("li", `notice ${kind}`);
  if (kind === "join") node.append(name(), " joined ", badge(person));
  else if (kind === "rename") node.append(element("bdi", "", before), " is now ", name());
  else node.append(name(), ` left (${reason})`);
  last = null;
  show(node);
}

function showPeople(present) {
  people = present;
  $("count").textContent = people.length;
  const rows = [...people].sort((a, b) => a.id - b.id).map((person) => {
    const you = me !== null && person.id === me.id;
    const name = element("span", "who", element("bdi", "", person.name), you ? element("em", "", "you") : null);
    const via = element("span", "via", person.transport);
    via.dataset.transport = person.transport;
    const about = element("div", "about", name, element("div", "facts", badge(person), via));
    return element("li", "person", avatar(person), about);
  });
  $("people").replaceChildren(...rows);
}

// --- the connection ----------------------------------------------------------------------------------------

function setState(state, label) {
  const node = $("state");
  node.dataset.state = state;
  node.textContent = label;
  $("text").disabled = state === "left" || state === "failed";
  $("toggle").textContent = state === "left" ? "Join again" : "Leave the room";
  if (state !== "connected") showJourney([]);
  readySend();
}

function showJourney(names) {
  journey = names;
  const node = $("transport");
  node.hidden = names.length === 0;
  node.replaceChildren(...names.flatMap((name, i) => {
    const step = element("span", i === names.length - 1 ? "now" : "before", name);
    return i === 0 ? [step] : [element("span", "arrow", " → "), step];
  }));
}

function introduce() {
  socket.emit("introduce", { name: $("name").value, client: generation.version }, (person) => {
    if (!person) return;
    me = person;
    $("name").value = person.name;
    remember("name", person.name);
    showPeople(people); // the list may have come before the answer; now we know which one is us
  });
}

function connected() {
  const engine = socket.io.engine;
  setState("connected", "Connected");
  // The upgrade may be over before the namespace is joined; the journey still began with the first transport.
  showJourney([...new Set([TRANSPORTS[transport].list[0], engine.transport.name])]);
  engine.on("upgrade", (link) => {
    if (engine !== socket.io.engine || !socket.connected) return;
    showJourney([...journey, link.name]);
    introduce(); // the server looks again at the transport, and tells the others
  });
  introduce();
}

function start() {
  socket = window.io({ transports: TRANSPORTS[transport].list, reconnectionDelayMax: 3000 });
  socket.on("connect", connected);
  socket.on("disconnect", () => (leaving ? setState("left", "Not connected") : setState("connecting", "Reconnecting")));
  socket.on("connect_error", () => setState("connecting", "Reconnecting"));
  socket.on("chat message", showMessage);
  socket.on("notice", showNotice);
  socket.on("presence", showPeople);
}

function leave() {
  leaving = true;
  socket.disconnect();
  showPeople([]);
}

// A page that goes away cannot finish requests. A beacon can, so that a long-polling client leaves at once
// instead of being missed when its next heartbeat is due.
function goodbye() {
  const engine = socket && socket.io.engine;
  if (!engine || !socket.connected || engine.transport.name !== "polling") return;
  const poll = `/socket.io/?EIO=${generation.engine}&transport=polling&sid=${encodeURIComponent(engine.id)}`;
  navigator.sendBeacon(poll, generation.engine === 3 ? "1:1" : "1");
}

// --- the client library ------------------------------------------------------------------------------------

// First our own copy, as fetch_clients.py leaves it; without one, the public CDNs.
function sources(version) {
  return [
    `clients/${version}/socket.io.js`,
    `https://cdn.socket.io/${version}/socket.io.min.js`,
    `https://cdn.jsdelivr.net/npm/socket.io-client@${version}/dist/socket.io.js`,
  ];
}

function load([source, ...others]) {
  const script = document.createElement("script");
  script.src = source;
  script.onload = start;
  script.onerror = () => (others.length ? load(others) : failed());
  document.head.append(script);
}

function failed() {
  setState("failed", "No client library");
  $("toggle").disabled = true;
  $("empty").querySelector("h2").textContent = `The ${generation.version} client did not load`;
  $("empty").querySelector("p").textContent =
    "Neither this server nor a public CDN has it. Run fetch_clients.py and load this page again, or take another one:";
}

// --- the controls ------------------------------------------------------------------------------------------

function readySend() {
  $("send").disabled = $("text").value.trim() === "" || $("state").dataset.state !== "connected";
}

function grow() {
  const text = $("text");
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, 160)}px`;
}

function send(event) {
  event.preventDefault();
  readySend();
  if ($("send").disabled) return;
  socket.emit("chat message", $("text").value);
  $("text").value = "";
  grow();
  readySend();
}

function changeClient(event) {
  const mode = document.querySelector("[name=transport]:checked").value;
  remember("focus", event.target.id || "transport");
  if (socket) leave();
  // A moment for the goodbye to leave before the page does.
  setTimeout(() => location.assign(address($("client").value, mode)), 150);
}

function panel(open) {
  const drawer = matchMedia("(max-width: 859px)").matches;
  document.body.classList.toggle("panel-open", open);
  $("open-panel").setAttribute("aria-expanded", String(open));
  $("veil").hidden = !open;
  document.querySelector(".room").inert = open;
  if (drawer) (open ? $("close-panel") : $("open-panel")).focus();
}

function fillControls() {
  const label = (g) => `${g.version} · Engine.IO ${g.engine} · ${g.since}`;
  $("client").append(...GENERATIONS.map((g) => new Option(label(g), g.version)));
  $("client").value = generation.version;
  document.querySelector(`[name=transport][value=${transport}]`).checked = true;
  $("hint").textContent = TRANSPORTS[transport].hint;
  $("name").value = recall("name") || `${pick(FIRST)} ${pick(LAST)}`;
  remember("name", $("name").value);
  $("invites").append(...GENERATIONS.filter((g) => g !== generation).map((g) => {
    const link = element("a", "invite", `Open ${g.version}`);
    Object.assign(link, { href: address(g.version, "auto"), target: "_blank", rel: "noopener" });
    link.dataset.major = parseInt(g.version, 10);
    return link;
  }));
}

function listen() {
  $("composer").addEventListener("submit", send);
  $("text").addEventListener("input", () => (grow(), readySend()));
  $("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  });
  $("name").addEventListener("change", () => $("name").value.trim() && socket && socket.connected && introduce());
  $("settings").addEventListener("submit", (event) => (event.preventDefault(), $("name").blur()));
  $("client").addEventListener("change", changeClient);
  document.querySelectorAll("[name=transport]").forEach((radio) => radio.addEventListener("change", changeClient));
  $("toggle").addEventListener("click", () => {
    if (!leaving) return leave();
    leaving = false;
    setState("connecting", "Connecting");
    socket.connect();
  });
  $("scroll").addEventListener("scroll", () => {
    const box = $("scroll");
    if (box.scrollHeight - box.scrollTop - box.clientHeight < 80) $("newer").hidden = true;
  });
  $("newer").addEventListener("click", toEnd);
  $("open-panel").addEventListener("click", () => panel(true));
  $("close-panel").addEventListener("click", () => panel(false));
  $("veil").addEventListener("click", () => panel(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.classList.contains("panel-open")) panel(false);
  });
  addEventListener("pagehide", goodbye);
  addEventListener("pageshow", (event) => event.persisted && location.reload()); // back from the browser's cache
}

// Whoever chose with the arrow keys goes on choosing after the page has come back.
function restoreFocus() {
  const transports = document.querySelector("[name=transport]:checked");
  const control = { client: $("client"), transport: transports }[recall("focus")];
  remember("focus", "");
  const hidden = !control || getComputedStyle(control).visibility === "hidden";
  (hidden ? $("text") : control).focus({ preventScroll: true });
}

fillControls();
listen();
load(sources(generation.version));
restoreFocus();
