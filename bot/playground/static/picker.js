// The emoji picker and the menu of a message: each is one popover for the whole page, put beside what was pressed.
import { $, act, surface, toast } from "./act.js";
import { link } from "./list.js";
import { editing } from "./pieces.js";

const MANY = 96;
let known = [];
let opener = null;

export async function emoji() {
  known = Object.entries(await (await fetch("emoji")).json());
}

// Names that begin with the text come first, then those that have it somewhere.
export function found(text, most) {
  const word = text.toLowerCase().replace(/^:|:$/g, "");
  const begin = known.filter(([name]) => name.startsWith(word));
  return [...begin, ...known.filter(([name]) => !name.startsWith(word) && name.includes(word))].slice(0, most);
}

function open(popover, button) {
  opener = button;
  popover.showPopover();
  const [at, size] = [button.getBoundingClientRect(), popover.getBoundingClientRect()];
  const below = at.bottom + 4 + size.height < innerHeight;
  popover.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - size.height - 4)}px`;
  popover.style.left = `${Math.max(8, Math.min(at.right - size.width, innerWidth - size.width - 8))}px`;
}

function close(popover) {
  popover.hidePopover();
  if (opener?.isConnected) opener.focus({ preventScroll: true });
}

/* ---- emoji ---- */

export function picking(button) {
  $("#picker input").value = "";
  draw("");
  open($("#picker"), button);
  $("#picker input").focus();
}

function draw(text) {
  $("#picker .grid").replaceChildren(...found(text, MANY).map(([name, face]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "bare";
    button.textContent = face;
    button.title = `:${name}:`;
    button.dataset.name = name;
    button.setAttribute("aria-label", name);
    return button;
  }));
}

function picked(name, put) {
  close($("#picker"));
  const message = opener.closest("article");
  if (message) act("react", { surface: surface(message), name });
  else put($("textarea", opener.form), `:${name}: `);
}

export function grid(put) {
  $("#picker input").addEventListener("input", (event) => draw(event.target.value));
  $("#picker").addEventListener("click", (event) => { const name = event.target.closest("[data-name]")?.dataset.name; if (name) picked(name, put); });
  $("#picker").addEventListener("keydown", (event) => {
    const rows = [...$("#picker .grid").children];
    const at = rows.indexOf(document.activeElement);
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: at < 0 ? 1 : 8, ArrowUp: -8 };
    if (event.key === "Enter" && at < 0) { event.preventDefault(); if (rows[0]) picked(rows[0].dataset.name, put); }
    else if (event.key in steps && !(at < 0 && event.key !== "ArrowDown")) { event.preventDefault(); (rows[at + steps[event.key]] ?? $("#picker input")).focus(); }
    else if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close($("#picker")); }
  });
}

/* ---- the menu of a message ---- */

// What can be done with a message is put into it when somebody comes to it: a thousand buttons less to draw.
function equip(event) {
  const message = event.target.closest?.("article[data-tools]");
  if (!message || $(".tools", message)) return;
  message.append($("#tools").content.cloneNode(true));
  if (message.closest("[data-part=thread]")) $(".tools [data-thread]", message).remove();
}

for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, equip);

export function menu(button) {
  const mine = "mine" in button.closest("article").dataset;
  for (const each of $("#menu").children) each.hidden = each.dataset.for === "mine" && !mine;
  $("#menu [data-menu=thread]").hidden = Boolean(button.closest("[data-part=thread]"));
  open($("#menu"), button);
  $("#menu button:not([hidden])").focus();
}

export function menus(thread, sure) {
  const does = {
    thread: (message) => thread(message.dataset.root),
    link: (message) => navigator.clipboard.writeText(link(message)).then(() => toast("The link is copied."), () => toast(link(message))),
    shortcut: (message, button) => act("shortcut", { surface: surface(message), name: button.dataset.name }),
    edit: (message) => editing(message).focus(),
    delete: async (message) => { if (await sure({ title: "Delete the message?", text: "The app is told as well.", confirm: "Delete", deny: "Keep" })) act("delete", { surface: surface(message) }); },
  };
  $("#menu").addEventListener("click", (event) => {
    const button = event.target.closest("[data-menu]");
    const message = opener?.closest("article");
    if (!button || !message) return;
    close($("#menu"));
    does[button.dataset.menu](message, button);
  });
  $("#menu").addEventListener("keydown", (event) => {
    const rows = [...$("#menu").children].filter((each) => !each.hidden);
    const at = rows.indexOf(document.activeElement);
    if (event.key === "ArrowDown") rows[(at + 1) % rows.length].focus();
    else if (event.key === "ArrowUp") rows.at(at - 1).focus();
    else if (event.key === "Escape") { event.stopPropagation(); close($("#menu")); }
    else return;
    event.preventDefault();
  });
}
