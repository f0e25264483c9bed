// The page in the browser: puts in place the pieces of HTML that the server has drawn, and sends what people do.
import { ask, completing, hide, pick } from "./forms.js";
import { read, values } from "./fields.js";

const $ = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const drafts = new Map();
let stream;
let late;

/* ---- from the server ---- */

function connect() {
  stream?.close();
  stream = new EventSource("events" + location.search);
  stream.onopen = () => { clearTimeout(late); $("#offline").hidden = true; };
  stream.onerror = () => { clearTimeout(late); late = setTimeout(() => { $("#offline").hidden = false; }, 1500); };
  stream.onmessage = (event) => {
    for (const [part, rows] of Object.entries(JSON.parse(event.data))) place(part, rows);
    document.body.dataset.ready = "";
    settle();
  };
}

function place(part, rows) {
  const box = $(`[data-part="${part}"]`);
  const old = new Map([...box.children].map((piece) => [piece.dataset.key, piece]));
  const low = box.scrollHeight - box.scrollTop - box.clientHeight < 60 || !rows.some(([key]) => old.has(key));
  rows.forEach(([key, version, html], index) => {
    let piece = old.get(key);
    old.delete(key);
    if (html !== null && piece?.dataset.v !== version) {
      const fresh = made(key, version, html);
      if (piece) { keep(piece, fresh); piece.replaceWith(fresh); } else fresh.dataset.fresh = "";
      refocus(piece, fresh);
      piece = fresh;
    }
    if (piece && box.children[index] !== piece) box.insertBefore(piece, box.children[index] ?? null);
  });
  for (const gone of old.values()) { remember(gone); gone.remove(); }
  if (low && box.getAttribute("role") === "log") box.scrollTop = box.scrollHeight;
}

function made(key, version, html) {
  const piece = document.createElement("div");
  piece.className = "piece";
  piece.dataset.key = key;
  piece.dataset.v = version;
  piece.innerHTML = html; // escaped by the server, and the policy lets no script in it run
  for (const box of all("textarea[data-keep]", piece)) if (drafts.has(box.dataset.keep)) box.value = drafts.get(box.dataset.keep);
  return piece;
}

function remember(piece) {
  for (const box of all(".composer textarea", piece)) drafts.set(box.dataset.keep, box.value);
}

// What somebody has typed, opened or chosen stays when its piece is drawn anew.
function keep(old, fresh) {
  if ($("[data-edit]", old) && $("template", fresh)) editing(fresh);
  const before = new Map(all("[data-keep]", old).map((each) => [each.dataset.keep, each]));
  for (const now of all("[data-keep]", fresh)) {
    const was = before.get(now.dataset.keep);
    if (!was) continue;
    if (was.matches("details")) now.open = was.open;
    else if (was.matches("input[type=checkbox], input[type=radio]")) { if (was.checked !== was.defaultChecked) now.checked = was.checked; }
    else if (was.matches("textarea, input") && was.value !== was.defaultValue) now.value = was.value;
    else if (was.matches("select") && was.dataset.dirty) { now.value = was.value; now.dataset.dirty = "1"; }
  }
  const files = $("input[type=file]", old);
  if (files?.files.length) $("input[type=file]", fresh)?.replaceWith(files);
}

let focused = "";
function refocus(old, fresh) {
  if (!focused || (old && document.activeElement !== document.body)) return;
  const now = all("[data-keep]", fresh).find((each) => each.dataset.keep === focused);
  (now?.matches("details") ? $("summary", now) : now)?.focus();
}
document.addEventListener("focusin", (event) => { focused = event.target.closest("[data-keep]")?.dataset.keep ?? ""; });

function settle() {
  const modal = $("dialog.modal");
  if (modal && !modal.open) { modal.showModal(); }
  grow();
}

function grow() {
  for (const box of all(".composer textarea")) { box.rows = Math.min(10, Math.max(1, box.value.split("\n").length)); }
}

/* ---- to the server ---- */

const query = () => new URLSearchParams(location.search);
const user = () => $("#as").value;

async function act(deed, body) {
  const form = body instanceof FormData;
  const options = form ? { body } : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  try {
    const answer = await fetch(`do/${deed}?as=${encodeURIComponent(user())}`, { method: "POST", ...options });
    const said = await answer.json();
    if (said.error) toast(said.error);
    return said;
  } catch {
    toast("The playground cannot be reached.");
    return { error: "unreachable" };
  }
}

function toast(text) {
  const box = $("#toast");
  box.textContent = text;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.textContent = ""; }, 8000);
}

function go(search, replace = false) {
  if (replace) history.replaceState(null, "", search); else history.pushState(null, "", search);
  arrived();
}

function arrived() {
  const asked = query();
  document.body.dataset.side = asked.get("side") ? "glass" : asked.get("thread") ? "thread" : "";
  delete document.body.dataset.sidebar;
  connect();
  const tab = asked.get("in");
  if (["home", "messages"].includes(tab) && tab !== arrived.tab) act("open", { tab });
  arrived.tab = tab;
}

function here(more) {
  const place = $("[aria-current=page][data-go]")?.getAttribute("href") ?? location.search;
  const now = new URLSearchParams(location.search.includes("in=") ? location.search : place);
  now.set("as", user());
  now.delete("side");
  for (const [name, value] of Object.entries(more)) now.set(name, value);
  return "?" + now;
}

const surface = (node) => JSON.parse(node.closest("[data-surface]")?.dataset.surface ?? "null");

async function confirmed(node) {
  return !node.dataset.confirm || ask($("#confirm"), JSON.parse(node.dataset.confirm));
}

async function press(node, value) {
  if (!await confirmed(node)) return;
  const within = node.closest("[data-surface]");
  const body = { surface: surface(node), action: node.dataset.action, block: node.dataset.block, values: values(within) };
  if (value !== undefined && value !== "") body.value = value;
  await busy(node, act("press", body));
}

async function busy(node, doing) {
  node.setAttribute("aria-busy", "true");
  try { return await doing; } finally { node.removeAttribute("aria-busy"); }
}

async function say(form, text) {
  const data = new FormData();
  const files = $("input[type=file]", form);
  data.set("text", text);
  data.set("channel", form.dataset.channel);
  data.set("thread", form.dataset.thread);
  for (const file of files.files) data.append("file", file);
  const said = await busy(form, act("say", data));
  if (said.error) return;
  const box = $(`.composer[data-thread="${form.dataset.thread}"] textarea`) ?? $("textarea", form);
  if (box.value.trim() === text.trim()) box.value = "";
  files.value = "";
  $("output", form).textContent = "";
  grow();
  if (said.ts && form.dataset.channel.startsWith("D") && !form.dataset.thread) go(here({ in: "messages", thread: said.ts }));
}

async function submitted(form) {
  for (const error of all(".error", form)) error.textContent = "";
  const said = await busy(form, act("submit", { surface: surface(form), values: values(form) }));
  for (const [block, text] of Object.entries(said.errors ?? {})) {
    const box = all("[data-block]", form).find((each) => each.matches(".input") && each.dataset.block === block);
    $(".error", box ?? form).textContent = text;
  }
  $(".input:has(.error:not(:empty)) :is(input, select, textarea)", form)?.focus();
}

const deeds = {
  react: (node) => act("react", { surface: surface(node), name: node.dataset.name }),
  delete: (node) => act("delete", { surface: surface(node) }),
  shortcut: (node) => act("shortcut", { surface: surface(node), name: node.dataset.name }),
  stop: (node) => act("stop", { channel: node.dataset.channel, thread: node.dataset.root }),
  invite: (node) => act("invite", { channel: node.dataset.channel }),
  close: (node) => act("close", { surface: surface(node) }),
};

/* ---- what people do ---- */

document.addEventListener("click", async (event) => {
  const node = event.target.closest("a, button, summary");
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  if (!node) return;
  if (node.matches("[data-go]")) { event.preventDefault(); go(node.getAttribute("href")); return; }
  if (node.matches(".menu .list button")) node.closest("details").open = false;
  if (node.dataset.thread) go(here({ thread: node.dataset.thread }));
  else if (node.matches("[data-press]")) await press(node, node.dataset.value);
  else if (node.dataset.do) { if (await confirmed(node)) await busy(node, deeds[node.dataset.do](node)); }
  else if (node.matches("[data-insert]")) pick($("textarea", node.form), node.dataset.insert);
  else if (node.matches("[data-say]")) await say($(".composer"), node.dataset.say);
  else if (node.matches("[data-open-edit]")) editing(node.closest("article")).focus();
  else if (node.matches("[data-cancel]")) node.form.remove();
  else if (node.matches("[data-sidebar]")) document.body.toggleAttribute("data-sidebar");
});

function editing(article) {
  const form = $("template", article);
  if (!$("[data-edit]", article)) form.after(form.content.cloneNode(true));
  return $("[data-edit] textarea", article);
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.matches("[data-say-form]")) await say(form, $("textarea", form).value);
  else if (form.matches("[data-submit-view]")) await submitted(form);
  else if (form.matches("[data-edit]")) {
    const said = await busy(form, act("edit", { surface: surface(form), text: $("textarea", form).value }));
    if (!said.error) for (const each of all("[data-edit]")) each.remove();
  }
});

document.addEventListener("change", async (event) => {
  const node = event.target;
  if (node.id === "as") { go(`?as=${encodeURIComponent(node.value)}&in=${query().get("in") ?? ""}`); return; }
  if (node.matches("input[type=file]")) { $("output", node.form).textContent = [...node.files].map((file) => file.name).join(", "); return; }
  node.dataset.dirty = "1";
  const field = node.closest("[data-field]");
  if (!field || (field.matches("[data-input]") && !field.matches("[data-dispatch]"))) return;
  const value = read(field);
  if (value !== null || field.dataset.field === "many") await press(field, value);
});

document.addEventListener("input", (event) => {
  if (event.target.matches(".composer textarea")) { completing(event.target); grow(); }
});

document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (event.key === "Escape") for (const menu of all("details.menu[open]")) { menu.open = false; $("summary", menu).focus(); }
  if (!box.matches("textarea") || event.isComposing) return;
  if (box.closest(".composer") && completing.key(box, event)) { event.preventDefault(); return; }
  if (event.key === "Escape" && box.closest("[data-edit]")) box.form.remove();
  if (event.key === "Enter" && !event.shiftKey && box.matches(".composer textarea, [data-edit] textarea")) { event.preventDefault(); box.form.requestSubmit(); }
});

document.addEventListener("focusout", (event) => { if (event.target.matches(".composer textarea")) hide(event.target); });

document.addEventListener("cancel", (event) => {
  if (!event.target.matches("dialog.modal")) return;
  event.preventDefault(); // the app decides: it may want to know
  act("close", { surface: surface(event.target) });
}, true);

window.addEventListener("popstate", arrived);
for (const box of all("[role=log]")) box.scrollTop = box.scrollHeight;
settle();
arrived();
