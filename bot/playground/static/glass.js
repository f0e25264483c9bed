// Behind the glass: finds among the rows, holds them still, and fetches what was cut.
import { act } from "./act.js";

const pane = document.querySelector('[data-part="pane"]');
const $ = (selector) => pane.querySelector(selector);

/* ---- finding ---- */

function sift() {
  const words = $("[data-find]")?.value.trim().toLowerCase() ?? "";
  const kind = $("[data-kind]")?.value ?? "";
  const wrong = $("[data-wrong]")?.checked ?? false;
  const rows = [...pane.querySelectorAll("[data-row]")];
  for (const row of rows) {
    const fits = (!kind || row.dataset.row === kind) && (!wrong || row.matches(".bad")) && (!words || row.textContent.toLowerCase().includes(words));
    row.hidden = !fits;
  }
  const shown = $("[data-shown]");
  if (!shown) return;
  shown.dataset.all ??= shown.textContent;
  const text = words || kind || wrong ? `${rows.filter((row) => !row.hidden).length} of ${rows.length}` : shown.dataset.all;
  if (shown.textContent !== text) shown.textContent = text;
}

pane.addEventListener("input", sift);
new MutationObserver(sift).observe(pane, { childList: true });

/* ---- holding still ---- */

function hold(on) {
  pane.toggleAttribute("data-held", on);
  const button = $("[data-pause]");
  if (button) { button.setAttribute("aria-pressed", String(on)); button.textContent = on ? "Go on" : "Pause"; }
}

document.addEventListener("click", async (event) => {
  const node = event.target.closest("button, a");
  if (!node) return;
  if (node.matches("[data-go]")) hold(false);
  else if (node.matches("[data-pause]")) {
    hold(!pane.hasAttribute("data-held"));
    if (!pane.hasAttribute("data-held")) window.dispatchEvent(new PopStateEvent("popstate")); // the page asks for everything anew
  } else if (node.matches("[data-whole]")) await unfold(node);
  else if (node.matches("[data-copy-test]")) await copy(node);
});
window.addEventListener("popstate", () => hold(false));

/* ---- what was cut, and copies ---- */

async function unfold(button) {
  const answer = await act("whole", { of: button.dataset.of, part: button.dataset.whole });
  if (answer.text === undefined) return;
  button.previousElementSibling.textContent = answer.text;
  button.remove();
  sift();
}

async function copy(button) {
  const source = $(".source");
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    button.textContent = "Selected: press Ctrl-C";
  }
  setTimeout(() => { button.textContent = "Copy as test"; }, 2000);
}
