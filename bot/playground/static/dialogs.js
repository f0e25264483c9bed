// The question before a dangerous button, the modals of the app, and the way to another place by name.
import { $, act, all, choosing, offer, pointed, surface } from "./act.js";
import { focused } from "./pieces.js";

export function ask(words) {
  const dialog = $("#confirm");
  const [title, text, no, yes] = ["h2", "p", "[data-no]", "[data-yes]"].map((each) => $(each, dialog));
  title.textContent = words.title || "Are you sure?";
  text.textContent = words.text || "";
  no.textContent = words.deny || "Cancel";
  yes.textContent = words.confirm || "Yes";
  return new Promise((resolve) => {
    yes.onclick = () => dialog.close("yes");
    no.onclick = () => dialog.close("");
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
    dialog.returnValue = "";
    dialog.showModal();
  });
}

export const confirmed = async (node) => !node.dataset.confirm || ask(JSON.parse(node.dataset.confirm));

/* ---- the app's modals: the browser keeps the focus in them, and the app decides whether they close ---- */

export function shown() {
  const modal = $("dialog.modal");
  if (!modal || modal.open) return;
  const before = all("[data-keep]", modal).find((each) => each.dataset.keep === focused);
  modal.showModal();
  if (before) before.focus();
  else if (pointed() && !$("[autofocus]", modal)) $(".scroll-y :is(input, select, textarea)", modal)?.focus();
}

document.addEventListener("cancel", (event) => {
  if (!event.target.matches("dialog.modal")) return;
  event.preventDefault();
  act("close", { surface: surface(event.target) });
}, true);

export function wrong(form, errors) {
  for (const error of all(".error", form)) error.textContent = "";
  for (const input of all("[aria-invalid]", form)) input.removeAttribute("aria-invalid");
  for (const [block, text] of Object.entries(errors)) {
    const box = all("[data-block]", form).find((each) => each.matches(".input") && each.dataset.block === block);
    $(".error", box ?? form).textContent = text;
    if (box) $("input, select, textarea", box)?.setAttribute("aria-invalid", "true");
  }
  $("[aria-invalid]", form)?.focus();
}

/* ---- Ctrl+K ---- */

const places = () => all(".sidebar a[data-place]").map((link) => ({ text: $("span:not(.face, .sign)", link).textContent, link, hint: $(".count", link)?.textContent }));

function filter() {
  const word = $("#switch input").value.trim().toLowerCase().replace(/^[#@]/, "");
  const begins = (each) => each.text.toLowerCase().startsWith(word);
  const rows = places().filter((each) => each.text.toLowerCase().includes(word)).sort((a, b) => begins(b) - begins(a));
  offer($("#switch input"), $("#switch-list"), rows);
}

function left(row) {
  $("#switch").close();
  row?.option.link.click();
}

export function switching() {
  if ($("dialog.modal[open]") || $("#switch").open) return;
  $("#switch input").value = "";
  filter();
  $("#switch").showModal();
}

$("#switch input").addEventListener("input", filter);
$("#switch input").addEventListener("keydown", (event) => choosing(event.target, $("#switch-list"), event, left, () => $("#switch").close()));
$("#switch-list").addEventListener("click", (event) => left(event.target.closest("li")));
$("#switch").addEventListener("click", (event) => { if (event.target === event.currentTarget) event.target.close(); });
