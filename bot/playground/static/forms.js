// Small things of forms: the question before a dangerous button, and completion in the composer.

export function ask(dialog, words) {
  const [title, text, no, yes] = ["h2", "p", "[data-no]", "[data-yes]"].map((each) => dialog.querySelector(each));
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

export function pick(box, text) {
  const from = text === "/" ? 0 : box.selectionStart;
  box.setRangeText(text, from, text === "/" ? 0 : box.selectionEnd, "end");
  box.focus();
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

const list = (box) => box.form.querySelector(".completions");

export function hide(box) {
  const box2 = list(box);
  box2.hidden = true;
  box2.replaceChildren();
  box.removeAttribute("aria-activedescendant");
}

// The word before the caret that begins with @ or #, or a command at the very beginning.
function started(box) {
  const before = box.value.slice(0, box.selectionStart);
  return before.match(/^\/[\w-]*$/)?.[0] ?? before.match(/(?:^|\s)([@#][\w.-]*)$/)?.[1] ?? "";
}

export function completing(box) {
  const word = started(box).toLowerCase();
  const found = word ? JSON.parse(box.form.dataset.words).filter((each) => each.toLowerCase().startsWith(word)).slice(0, 8) : [];
  if (!found.length || (found.length === 1 && found[0].toLowerCase() === word)) { hide(box); return; }
  const rows = found.map((each, index) => {
    const row = document.createElement("li");
    row.role = "option";
    row.id = `${list(box).id}-${index}`;
    row.textContent = each;
    row.onmousedown = (event) => { event.preventDefault(); take(box, each); };
    return row;
  });
  list(box).replaceChildren(...rows);
  list(box).hidden = false;
  mark(box, 0);
}

function mark(box, index) {
  const rows = [...list(box).children];
  const at = (index + rows.length) % rows.length;
  rows.forEach((row, each) => row.setAttribute("aria-selected", String(each === at)));
  box.setAttribute("aria-activedescendant", rows[at].id);
}

function take(box, text) {
  const word = started(box);
  box.setRangeText(text + " ", box.selectionStart - word.length, box.selectionStart, "end");
  hide(box);
}

// True when the key was for the list.
completing.key = (box, event) => {
  if (list(box).hidden) return false;
  const rows = [...list(box).children];
  const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") mark(box, at + 1);
  else if (event.key === "ArrowUp") mark(box, at - 1);
  else if (event.key === "Enter" || event.key === "Tab") take(box, rows[at].textContent);
  else if (event.key === "Escape") hide(box);
  else return false;
  return true;
};
