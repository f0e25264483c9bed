// What is filled in or chosen, as the server wants it; and menus whose options the app is asked for.
import { $, act, all, choosing, offer, surface } from "./act.js";

export async function read(field) {
  switch (field.dataset.field) {
    case "many": return all("input:checked", field).map((each) => each.value);
    case "radio": return $("input:checked", field)?.value ?? null;
    case "rich": return { rich: field.value };
    case "moment": return field.value ? Math.floor(new Date(field.value) / 1000) : null;
    case "files": return { files: await Promise.all([...field.files].map(whole)) };
    case "external": return external(field);
    default: return field.value || null;
  }
}

function external(field) {
  const found = all("[data-option]", field).map((each) => JSON.parse(each.dataset.option));
  return "many" in field.dataset ? found : found[0] ?? null;
}

function whole(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ name: file.name, data: reader.result.slice(reader.result.indexOf(",") + 1) });
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

// All inputs of a surface, by block_id.
export async function values(within) {
  const found = {};
  for (const field of all("[data-field][data-input]", within)) found[field.dataset.block] = await read(field);
  return found;
}

/* ---- external menus ---- */

const PAUSE = 200; // milliseconds without a key before the app is asked
let later;

export function asking(box, changed) {
  clearTimeout(later);
  const field = box.closest("[data-field]");
  const options = $("[role=listbox]", field);
  if (box.value.length < Number(field.dataset.least)) { offer(box, options, []); return; }
  later = setTimeout(async () => {
    const body = { surface: surface(field), action: field.dataset.action, block: field.dataset.block, text: box.value };
    const answer = await act("suggest", body);
    const rows = (answer.options ?? []).map((option) => ({ text: option.text?.text ?? "", hint: option.description?.text, option }));
    offer(box, options, rows);
    for (const row of options.children) row.onmousedown = (event) => { event.preventDefault(); take(box, row, changed); };
  }, PAUSE);
}

function take(box, row, changed) {
  const field = box.closest("[data-field]");
  const chip = document.createElement("button");
  chip.type = "button";
  chip.className = "chip";
  chip.dataset.drop = "";
  chip.dataset.option = JSON.stringify(row.option.option);
  chip.textContent = `${row.option.text} ✕`;
  chip.setAttribute("aria-label", `Take away ${row.option.text}`);
  if ("many" in field.dataset) $(".chosen", field).append(chip); else $(".chosen", field).replaceChildren(chip);
  box.value = "";
  offer(box, $("[role=listbox]", field), []);
  changed(field);
}

export function choose(box, event, changed) {
  const list = $("[role=listbox]", box.closest("[data-field]"));
  return choosing(box, list, event, (row) => take(box, row, changed), () => offer(box, list, []));
}
