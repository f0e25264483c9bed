// What is filled in or chosen, as the server wants it.
const all = (selector, within) => [...within.querySelectorAll(selector)];

export function read(field) {
  const kind = field.dataset.field;
  if (kind === "many") return all("input:checked", field).map((each) => each.value);
  if (kind === "radio") return field.querySelector("input:checked")?.value ?? null;
  if (kind === "rich") return { rich: field.value };
  return field.value || null;
}

// All inputs of a surface, by block_id.
export function values(surface) {
  const found = {};
  for (const field of all("[data-field][data-input]", surface)) found[field.dataset.block] = read(field);
  return found;
}
