// The page in the browser: takes what the server has drawn, and tells it what people do.
import { $, act, all, busy, here, pointed, query, surface, toast, user } from "./act.js";
import { attach, completing, composer, grow, hide, insert, say, typed } from "./composer.js";
import { ask, confirmed, shown, switching, wrong } from "./dialogs.js";
import { asking, choose, read, values } from "./fields.js";
import { eye, last, linked, listed, newest, walked } from "./list.js";
import { grid, menu, menus, picking } from "./picker.js";
import { editing, place } from "./pieces.js";
import { localise } from "./when.js";

const LISTS = ["messages", "thread"];
let stream;
let late;

/* ---- from the server ---- */

function connect() {
  stream?.close();
  const asked = query();
  asked.set("eye", eye);
  stream = new EventSource(`events?${asked}`);
  stream.onopen = () => { clearTimeout(late); $("#offline").hidden = true; };
  stream.onerror = () => { clearTimeout(late); late = setTimeout(lost, 1500); };
  stream.onmessage = (event) => {
    const { lists, ...parts } = JSON.parse(event.data);
    for (const [part, rows] of Object.entries(parts)) if (!LISTS.includes(part)) place(part, rows);
    listed(parts, lists);
    shown();
    grow();
    titled();
    settled();
    document.body.dataset.ready = "";
  };
}

// A browser does not ask again where it was refused: another playground listens there, whose address has another token.
function lost() {
  const gone = stream.readyState === EventSource.CLOSED;
  $("#offline").textContent = gone ? "The playground has begun anew, at another address: its terminal shows which." : "The playground has stopped, or is not reachable. Trying again…";
  $("#offline").hidden = false;
}

function titled() {
  const news = all(".sidebar .count").length;
  document.title = `${news ? "• " : ""}${$("h1")?.textContent.trim() ?? ""} — Frontdesk, without Slack`;
}

/* ---- where one is ---- */

function go(search) {
  const [before, after] = [query(), new URLSearchParams(search)];
  const other = after.get("in") !== before.get("in") || (after.get("thread") && after.get("thread") !== before.get("thread"));
  settled.wanted = other && !after.get("side") && !after.get("at") && pointed();
  history.pushState(null, "", search);
  arrived();
}

// Whoever goes to another channel or thread goes on writing there.
function settled() {
  if (settled.wanted) composer(query().get("thread") ?? "")?.focus({ preventScroll: true });
  settled.wanted = false;
}

const thread = (root) => { go(here({ thread: root })); };

function arrived() {
  const asked = query();
  document.body.dataset.side = asked.get("side") ? "pane" : asked.get("thread") ? "thread" : "";
  delete document.body.dataset.sidebar;
  linked(location.search);
  connect();
  const tab = asked.get("in");
  if (["home", "messages"].includes(tab) && tab !== arrived.tab) act("open", { tab });
  arrived.tab = tab;
}

/* ---- deeds ---- */

async function press(node, value) {
  if (!await confirmed(node)) return;
  const body = { surface: surface(node), action: node.dataset.action, block: node.dataset.block, values: await values(node.closest("[data-surface]")) };
  if (value !== undefined && value !== "") body.value = value;
  await busy(node, act("press", body));
}

async function changed(field) {
  if (field.matches("[data-input]") && !field.matches("[data-dispatch]")) return;
  const value = await read(field);
  if (value !== null || field.dataset.field === "many") await press(field, value);
}

async function submitted(form) {
  wrong(form, {});
  const said = await busy(form, values(form).then((filled) => act("submit", { surface: surface(form), values: filled })));
  wrong(form, said.errors ?? {});
}

const deeds = {
  react: (node) => act("react", { surface: surface(node), name: node.dataset.name }),
  shortcut: (node) => act("shortcut", { surface: surface(node), name: node.dataset.name }),
  stop: (node) => act("stop", { channel: node.dataset.channel, thread: node.dataset.root }),
  invite: (node) => act("invite", { channel: node.dataset.channel }),
  close: (node) => act("close", { surface: surface(node) }),
};
// Panes need no line here: their buttons' data are the deed.
const plainly = (node) => act(node.dataset.do, { ...node.dataset });

async function copied(node) {
  const code = $("code", node.closest(".code")).textContent;
  try { await navigator.clipboard.writeText(code); node.textContent = "Copied"; } catch { toast("The browser does not let the page copy."); }
  setTimeout(() => { node.textContent = "Copy"; }, 2000);
}

function themed() {
  const dark = getComputedStyle(document.documentElement).colorScheme.startsWith("dark") || (!document.documentElement.dataset.look && matchMedia("(prefers-color-scheme: dark)").matches);
  const look = dark ? "light" : "dark";
  document.documentElement.dataset.look = look;
  document.cookie = `look=${look}; path=${location.pathname}; max-age=31536000; samesite=strict`;
}

// What a click on something does, by the first of these that it matches.
const clicks = {
  "[data-go]": (node) => go(node.getAttribute("href")),
  "[data-here]": (node) => go(here({ thread: null, ...Object.fromEntries(new URLSearchParams(node.getAttribute("href"))) })),
  "[data-thread]": (node) => thread(node.closest("article").dataset.root),
  "[data-press]": (node) => press(node, node.dataset.value),
  "[data-do]": async (node) => { if (await confirmed(node)) await busy(node, (deeds[node.dataset.do] ?? plainly)(node)); },
  "[data-pick]": (node) => picking(node),
  "[data-more]": (node) => menu(node),
  "[data-newest]": (node) => newest(node.dataset.newest),
  "[data-insert]": (node) => insert($("textarea", node.form), node.dataset.insert),
  "[data-say]": (node) => say($("main .composer"), node.dataset.say, go),
  "[data-drop]": (node) => { const field = node.closest("[data-field]"); node.remove(); changed(field); },
  ".code [data-copy]": copied,
  "[data-cancel]": (node) => node.form.remove(),
  "[data-switch]": switching,
  "[data-theme-switch]": themed,
  "[data-sidebar]": () => document.body.toggleAttribute("data-sidebar"),
};

document.addEventListener("click", async (event) => {
  const node = event.target.closest("a, button, summary");
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target) || event.target.closest(".list button")) menu.open = false;
  if (document.body.hasAttribute("data-sidebar") && event.target.matches("main, main *") && !node) document.body.removeAttribute("data-sidebar");
  const found = node && Object.keys(clicks).find((each) => node.matches(each));
  if (!found || (node.matches("a") && (event.ctrlKey || event.metaKey))) return;
  if (node.matches("[data-go], [data-here]")) event.preventDefault();
  await clicks[found](node);
});

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.matches("[data-say-form]")) await say(form, $("textarea", form).value, go);
  else if (form.matches("[data-submit-view]")) await submitted(form);
  else if (form.matches("[data-do-form]")) await done(form, event.submitter);
  else if (form.matches("[data-edit]")) {
    const said = await busy(form, act("edit", { surface: surface(form), text: $("textarea", form).value }));
    if (!said.error) for (const each of all("[data-edit]")) each.remove();
  }
});

async function done(form, submitter) {
  const said = await busy(form, act(form.dataset.doForm, Object.fromEntries(new FormData(form, submitter))));
  if (!said.error && form.closest("details.rename")) form.closest("details").open = false;
}

document.addEventListener("change", (event) => {
  const node = event.target;
  if (node.id === "as") { go(`?as=${encodeURIComponent(node.value)}&in=${query().get("in") ?? ""}`); return; }
  if (node.matches(".attach input")) { attach($("textarea", node.form), node.files); node.value = ""; return; }
  node.dataset.dirty = "1";
  const field = node.closest("[data-field]");
  if (field && field.dataset.field !== "external") changed(field);
});

document.addEventListener("input", (event) => {
  if (event.target.matches(".composer textarea")) typed(event.target);
  else if (event.target.matches("[data-asks]")) asking(event.target, changed);
});

/* ---- keys ---- */

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "k") { event.preventDefault(); switching(); return; }
  const box = event.target;
  if (box.matches("[data-asks]") && choose(box, event, changed)) return;
  if (box.matches("textarea")) written(box, event);
  else walked(event, thread);
  if (event.key === "Escape" && !event.defaultPrevented) escaped();
});

function written(box, event) {
  const composing = box.matches(".composer textarea");
  if (composing && completing(box, event)) return;
  if (event.key === "Escape" && box.closest("[data-edit]")) { event.preventDefault(); const article = box.closest("article"); box.form.remove(); article.focus(); }
  if (event.key === "ArrowUp" && composing && !box.value && last(box.form.dataset.thread ? "thread" : "messages")) event.preventDefault();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && box.closest("dialog.modal")) { event.preventDefault(); box.form.requestSubmit(); return; }
  if (event.key !== "Enter" || event.shiftKey || !box.matches(".composer textarea, [data-edit] textarea")) return;
  event.preventDefault();
  if (!$(".send", box.form)?.disabled) box.form.requestSubmit();
}

// Escape closes what is open: a menu, the list of channels, or what stands beside the messages.
function escaped() {
  const menu = $("details.menu[open]");
  if (menu) { menu.open = false; $("summary", menu).focus(); return; }
  if ($("dialog[open], :popover-open")) return;
  if (document.body.hasAttribute("data-sidebar")) { document.body.removeAttribute("data-sidebar"); return; }
  if (!document.body.dataset.side) return;
  go($("[data-close-pane]").getAttribute("href"));
  (composer("") ?? $("#main")).focus();
}

document.addEventListener("focusout", (event) => { if (event.target.matches(".composer textarea")) hide(event.target); });
window.addEventListener("popstate", arrived);

grid(insert);
menus(thread, ask);
localise(document);
shown();
grow();
arrived();
