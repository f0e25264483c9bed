// "Try it" on an agent's card: the place opens, and its composer is filled in.

function fill(channel, text) {
  const form = [...document.querySelectorAll("form.composer")].find((each) => each.dataset.channel === channel && !each.dataset.thread);
  const box = form?.querySelector("textarea");
  if (!box) return false;
  box.value = text;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
  box.setSelectionRange(text.length, text.length);
  return true;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-try]");
  if (!link) return;
  const { in: channel, try: text } = link.dataset;
  if (fill(channel, text)) return;
  const watch = new MutationObserver(() => { if (fill(channel, text)) watch.disconnect(); });
  watch.observe(document.querySelector('[data-part="composer"]'), { childList: true, subtree: true });
  setTimeout(() => watch.disconnect(), 5000);
});
