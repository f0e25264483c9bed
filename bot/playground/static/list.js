// Lists of messages: the server shows a window of each, which moves with the scrolling; days, the New line, and where one is.
import { $, all, here } from "./act.js";
import { editing, place } from "./pieces.js";
import { daily, day } from "./when.js";

const NEAR = 1200; // pixels before an end at which the next messages are asked for
const CALM = 1000; // milliseconds without an edit, after which it is told what was edited
const TOGETHER = 5 * 60; // seconds in which one author's messages stand as one
export const eye = crypto.randomUUID();
const known = {}; // by list: what is beyond it
const asked = {}; // by list: the message around which it was last asked for
const marks = {}; // by place: where New begins
const stuck = {}; // by list: whether it stays at its end while what is in it grows
const tops = {}; // by list: how far it was scrolled when that was last looked at
const inside = {}; // by list: which channel or thread it shows
const edited = new Map(); // by key: the pieces that were edited, and not told since
let calm;
let opened = "";
let wanted = ""; // the message of a permalink

const box = (list) => $(`[data-part="${list}"]`);
const article = (piece) => piece.firstElementChild;
const low = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 60;
const follows = (list) => !known[list]?.below;

export function listed(parts, lists) {
  if (lists) entered(lists);
  for (const list of ["messages", "thread"]) {
    const followed = follows(list);
    if (lists) known[list] = { above: 0, below: 0, ...lists[list] };
    if (parts[list]) update(list, parts[list], followed);
    button(list);
  }
}

function entered(lists) {
  if (opened === lists.place) return;
  opened = lists.place;
  marks[opened] = lists.messages?.mark;
}

function update(list, rows, followed) {
  const log = box(list);
  const keys = new Set(rows.map(([key]) => key));
  const again = [...log.children].some((piece) => keys.has(piece.dataset.key));
  const end = again && followed && (stuck[list] || low(log));
  const top = log.getBoundingClientRect().top;
  const anchor = again && !end && [...log.children].find((piece) => keys.has(piece.dataset.key) && piece.getBoundingClientRect().bottom > top);
  const [key, offset] = anchor ? [anchor.dataset.key, anchor.getBoundingClientRect().top] : [];
  const { fresh, changed } = place(list, rows);
  asked[list] = null;
  if (list === "messages" && inside[list] === opened && followed && (end || !again)) seen(log);
  marked(log, list);
  const now = list === "thread" ? log.firstElementChild?.dataset.key : opened;
  if (inside[list] === now && followed && follows(list)) { announce(fresh); later(changed); }
  inside[list] = now;
  if (key) log.scrollTop += [...log.children].find((piece) => piece.dataset.key === key).getBoundingClientRect().top - offset;
  else if (end || !again) bottom(list);
  for (const piece of [...fresh, ...changed.map(([, now]) => now)]) sizes.observe(piece);
  find(log, list);
}

// What comes while somebody looks on is not New.
function seen(log) {
  if (marks[opened] === undefined || !document.hasFocus() || $("[data-new]", log)) return;
  marks[opened] = all("article", log).at(-1)?.dataset.ts ?? marks[opened];
}

function bottom(list) {
  stuck[list] = true;
  box(list).scrollTop = box(list).scrollHeight;
  tops[list] = box(list).scrollTop;
}

// What was only estimated becomes what it is when it is seen, and pictures come late.
const sizes = new ResizeObserver(() => { for (const list of ["messages", "thread"]) { if (stuck[list]) bottom(list); button(list); } });

// Days, authors and the New line depend on the neighbours, so they are marks on the pieces, drawn by the stylesheet.
function marked(log, list) {
  const mark = list === "messages" ? marks[opened] : undefined;
  let before = null;
  let lined = mark === undefined;
  for (const piece of log.children) {
    const now = article(piece);
    const ts = Number(now?.dataset.ts ?? 0);
    if (!ts) continue;
    const when = new Date(ts * 1000);
    set(piece, "day", !before || day(before.when) !== day(when) ? daily(when) : null);
    const news = !lined && now.dataset.ts > mark && !("mine" in now.dataset) && (before || !known[list]?.above);
    if (now.dataset.ts > mark && !("mine" in now.dataset)) lined = true;
    set(piece, "new", news ? "New" : null);
    const one = before && before.by === now.dataset.by && ts - before.ts < TOGETHER && !now.matches(".only, .gone") && !before.only;
    set(piece, "follow", one && !piece.dataset.day && !piece.dataset.new && !(list === "thread" && piece === log.children[1]) ? "" : null);
    const replies = before && list === "thread" && !known[list]?.above && piece === log.children[1] && !piece.dataset.day;
    set(piece, "replies", replies ? counted(all("article:not(.only)", log).length - 1 + (known[list]?.below ?? 0)) : null);
    before = { when, ts, by: now.dataset.by, only: now.matches(".only, .gone") };
  }
}

const counted = (count) => count === 1 ? "1 reply" : `${count} replies`;

function set(piece, name, value) {
  if (value === null) delete piece.dataset[name];
  else if (piece.dataset[name] !== value) piece.dataset[name] = value;
}

// New messages are told to screen readers when they come, and an app's message once more, when it has become what it stays.
function announce(fresh) {
  const heard = fresh.map(article).filter((each) => each?.matches(".message") && !("mine" in each.dataset));
  if (heard.length) $("#said").textContent = heard.map((each) => `${each.dataset.by}: ${words(each).slice(0, 200)}`).join("\n");
}

const words = (piece) => $(".text, .blocks", piece)?.textContent ?? "";

function later(changed) {
  const more = changed.filter(([was, now]) => edited.has(now.dataset.key) || ($(".badge", now) && words(was) !== words(now)));
  for (const [, now] of more) edited.set(now.dataset.key, now);
  if (more.length) { clearTimeout(calm); calm = setTimeout(told, CALM); }
}

function told() {
  if ($("[data-part=status] > *")) { calm = setTimeout(told, CALM); return; } // somebody works at it still
  announce([...edited.values()].filter((piece) => piece.isConnected));
  edited.clear();
}

function button(list) {
  const shown = box(list).children.length > 0 && (!follows(list) || box(list).scrollHeight - box(list).scrollTop - box(list).clientHeight > 400);
  $(`[data-newest="${list}"]`).hidden = !shown;
}

async function look(list, at) {
  if (asked[list] === at) return;
  asked[list] = at;
  await fetch(`look/${eye}`, { method: "POST", body: JSON.stringify({ list, at }), headers: { "Content-Type": "application/json" } });
}

function scrolled(list) {
  const log = box(list);
  stuck[list] = low(log) || (stuck[list] && log.scrollTop >= tops[list]); // what grows moves the end away; only people go away from it
  tops[list] = log.scrollTop;
  button(list);
  const first = (known[list]?.above && log.scrollTop < NEAR) || (known[list]?.below && log.scrollHeight - log.scrollTop - log.clientHeight < NEAR);
  if (!first) return;
  const top = log.getBoundingClientRect().top;
  const seen = [...log.children].find((piece) => piece.getBoundingClientRect().bottom > top);
  if (seen && article(seen)) look(list, article(seen).dataset.ts);
}

export async function newest(list) {
  const log = box(list);
  if (follows(list)) { bottom(list); return; }
  log.replaceChildren();
  await look(list, "");
}

// A permalink: its message is shown in the middle, and glows for a moment.
export function linked(search) { wanted = new URLSearchParams(search).get("at") ?? ""; }

function find(log, list) {
  const found = wanted && all("article", log).find((each) => each.dataset.ts === wanted);
  if (!found) return;
  wanted = "";
  stuck[list] = false;
  found.scrollIntoView({ block: "center" });
  found.focus({ preventScroll: true });
  found.classList.add("found");
  setTimeout(() => found.classList.remove("found"), 4000);
}

export function link(article) {
  const at = { in: article.dataset.in, at: article.dataset.ts, thread: article.dataset.root === article.dataset.ts ? null : article.dataset.root };
  return location.origin + location.pathname + here(at);
}

// Arrow keys go from message to message; Enter opens the thread.
export function walked(event, thread) {
  const log = event.target.closest("[role=log]");
  const now = event.target.closest("article");
  if (!log || (event.target !== log && event.target !== now)) return;
  const rows = all("article", log);
  const at = rows.indexOf(now);
  const steps = { ArrowUp: now ? at - 1 : rows.length - 1, ArrowDown: now ? at + 1 : 0, Home: 0, End: rows.length - 1 };
  if (event.key === "Enter" && now) thread(now.dataset.root);
  else if (event.key in steps) rows[Math.min(rows.length - 1, Math.max(0, steps[event.key]))]?.focus();
  else return;
  event.preventDefault();
}

// The last of one's own messages, from an empty composer by the arrow up.
export function last(list) {
  const mine = all("article[data-mine]", box(list)).at(-1);
  if (mine) editing(mine).focus();
  return Boolean(mine);
}

for (const list of ["messages", "thread"]) {
  box(list).addEventListener("scroll", () => scrolled(list), { passive: true });
  bottom(list);
  for (const piece of box(list).children) sizes.observe(piece);
  marked(box(list), list);
}
