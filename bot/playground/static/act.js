// What everything else needs: finding things, telling the server, and telling the person.
export const $ = (selector, within = document) => within.querySelector(selector);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

export const query = () => new URLSearchParams(location.search);
export const pointed = () => matchMedia("(hover: hover)").matches; // else a focus would bring up the keyboard of a phone
export const user = () => $("#as").value;
export const surface = (node) => JSON.parse(node.closest("[data-surface]")?.dataset.surface ?? "null");

export async function act(deed, body) {
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

export function toast(text) {
  const box = $("#toast");
  box.textContent = text;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.textContent = ""; }, 8000);
}

export async function busy(node, doing) {
  node.setAttribute("aria-busy", "true");
  try { return await doing; } finally { node.removeAttribute("aria-busy"); }
}

// The page's address with some of it changed; null takes a part away.
export function here(more) {
  const place = $("[aria-current=page][data-go]")?.getAttribute("href") ?? location.search;
  const now = new URLSearchParams(location.search.includes("in=") ? location.search : place);
  now.set("as", user());
  for (const name of ["side", "tab", "at"]) now.delete(name);
  for (const [name, value] of Object.entries(more)) if (value === null) now.delete(name); else now.set(name, value);
  return "?" + now;
}

export function svg(name) {
  const [icon, use] = ["svg", "use"].map((each) => document.createElementNS("http://www.w3.org/2000/svg", each));
  icon.setAttribute("class", "icon");
  icon.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `static/icons.svg#${name}`);
  icon.append(use);
  return icon;
}

// Arrow keys, Enter and Escape for an input with a list of options below or above it. True when the key was for the list.
export function choosing(box, list, event, take, close) {
  const rows = [...list.children];
  if (list.hidden || !rows.length) return false;
  const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") mark(box, list, at + 1);
  else if (event.key === "ArrowUp") mark(box, list, at - 1);
  else if (event.key === "Enter" || event.key === "Tab") take(rows[Math.max(0, at)]);
  else if (event.key === "Escape") close();
  else return false;
  event.preventDefault();
  return true;
}

export function mark(box, list, index) {
  const rows = [...list.children];
  const at = (index + rows.length) % rows.length;
  rows.forEach((row, each) => row.setAttribute("aria-selected", String(each === at)));
  box.setAttribute("aria-activedescendant", rows[at].id);
  rows[at].scrollIntoView({ block: "nearest" });
}

// Fill a list of options: rows of {text, hint, ...}; each is kept on its element as `option`.
export function offer(box, list, rows) {
  list.replaceChildren(...rows.map((each, index) => {
    const row = document.createElement("li");
    row.role = "option";
    row.id = `${list.id}-${index}`;
    row.option = each;
    row.append(each.text);
    if (each.hint) { const hint = document.createElement("small"); hint.textContent = each.hint; row.append(hint); }
    return row;
  }));
  list.hidden = !rows.length;
  box.setAttribute("aria-expanded", String(rows.length > 0));
  if (rows.length) mark(box, list, 0); else box.removeAttribute("aria-activedescendant");
}
