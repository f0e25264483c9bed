// Puts in place the pieces of HTML that the server has drawn, and keeps what somebody has typed, opened or chosen in them.
import { $, all, pointed } from "./act.js";
import { localise } from "./when.js";

export let focused = ""; // by its data-keep
document.addEventListener("focusin", (event) => { focused = event.target.closest("[data-keep]")?.dataset.keep ?? ""; });

export function place(part, rows) {
  const box = $(`[data-part="${part}"]`);
  const [fresh, changed] = [[], []];
  if (box.hasAttribute("data-held")) return { fresh, changed };
  const old = new Map([...box.children].map((piece) => [piece.dataset.key, piece]));
  const keys = new Set(rows.map(([key]) => key));
  for (const [key, piece] of old) if (!keys.has(key)) removed(piece);
  rows.forEach(([key, version, html], index) => {
    let piece = old.get(key);
    if (html !== null && piece?.dataset.v !== version) {
      const now = made(key, version, html);
      const had = piece?.contains(document.activeElement);
      if (piece) { now.style.containIntrinsicBlockSize = `auto ${piece.offsetHeight}px`; keep(piece, now); piece.replaceWith(now); }
      if (piece) changed.push([piece, now]); else fresh.push(now);
      refocus(piece, now);
      if (had && document.activeElement === document.body) $("article", now)?.focus({ preventScroll: true });
      piece = now;
    }
    if (piece && box.children[index] !== piece) box.insertBefore(piece, box.children[index] ?? null);
  });
  return { fresh, changed };
}

// What had the focus may go with its piece, as Stop does; then it is the composer's, and not the page's beginning.
function removed(piece) {
  const had = piece.contains(document.activeElement);
  const side = piece.closest("main, .side") ?? $(document.body.dataset.side === "thread" ? ".side" : "main");
  $("dialog[open]", piece)?.close(); // gives the focus back, where it can
  piece.remove();
  if (had && document.activeElement === document.body && pointed()) $(".composer textarea", side)?.focus({ preventScroll: true });
}

function made(key, version, html) {
  const piece = document.createElement("div");
  piece.className = "piece";
  piece.dataset.key = key;
  piece.dataset.v = version;
  piece.innerHTML = html; // escaped by the server, and the policy lets no script in it run
  localise(piece);
  return piece;
}

function keep(old, fresh) {
  if ($("[data-edit]", old) && $("template", fresh)) editing(fresh);
  const before = new Map(all("[data-keep]", old).map((each) => [each.dataset.keep, each]));
  for (const now of all("[data-keep]", fresh)) {
    const was = before.get(now.dataset.keep);
    if (was) carry(was, now);
  }
  const tools = $(".tools", old);
  if (tools) $("article[data-tools]", fresh)?.append(tools);
  const files = $("input[type=file]", old);
  if (files?.files.length) $("input[type=file]", fresh)?.replaceWith(files);
}

function carry(was, now) {
  if (was.matches("details")) now.open = was.open;
  else if (was.matches("input[type=checkbox], input[type=radio]")) { if (was.checked !== was.defaultChecked) now.checked = was.checked; }
  else if (was.matches("textarea, input:not([type=file])") && was.value !== was.defaultValue) now.value = was.value;
  else if (was.matches("select") && was.dataset.dirty) { now.value = was.value; now.dataset.dirty = "1"; }
}

function refocus(old, fresh) {
  if (!focused || (old && document.activeElement !== document.body)) return;
  const now = all("[data-keep]", fresh).find((each) => each.dataset.keep === focused);
  (now?.matches("details") ? $("summary", now) : now)?.focus({ preventScroll: true });
}

export function editing(article) {
  const form = $("template", article);
  if (!$("[data-edit]", article)) form.after(form.content.cloneNode(true));
  return $("[data-edit] textarea", article);
}
