// The composer: completion, drafts, files, long texts, sending.
import { $, act, all, choosing, here, offer } from "./act.js";
import { emoji, found as emojiFound } from "./picker.js";

const MOST = 40000; // characters that Slack takes in one message
const LONG = 12000; // from here on Slack offers to send a file instead
const drafts = { get: (key) => sessionStorage.getItem(key) ?? "", set: (key, text) => text ? sessionStorage.setItem(key, text) : sessionStorage.removeItem(key) };
const held = new Map(); // by draft: files to send

const list = (box) => $(".completions", box.form);
const key = (box) => `${$("#as").value} ${box.dataset.keep}`;
const files = (box) => held.get(key(box)) ?? [];

export const composer = (thread) => $(`.composer[data-thread="${thread}"] textarea`);

export function grow() {
  for (const box of all(".composer textarea")) {
    if (!("ready" in box.dataset)) { box.dataset.ready = ""; box.value ||= drafts.get(key(box)); chips(box); weigh(box); }
    box.rows = Math.min(12, Math.max(1, box.value.split("\n").length));
  }
}

export function typed(box) {
  drafts.set(key(box), box.value);
  complete(box);
  weigh(box);
  grow();
}

function weigh(box) {
  const size = box.value.length;
  const words = size > MOST ? `This has ${size.toLocaleString()} characters; Slack takes 40,000 in one message. Shorten it, or attach it as a file.`
    : size > LONG ? `This has ${size.toLocaleString()} characters. It can be sent, but reads better as a file.` : "";
  const note = $(".limit", box.form);
  note.replaceChildren(words);
  if (words) { const button = document.createElement("button"); button.type = "button"; button.className = "small"; button.textContent = "Make it a file"; button.onclick = () => filed(box); note.append(" ", button); }
  $(".send", box.form).disabled = size > MOST;
}

function filed(box) {
  attach(box, [new File([box.value], "text.txt", { type: "text/plain" })]);
  box.value = "";
  typed(box);
  box.focus();
}

/* ---- completion ---- */

// The word before the caret that begins with @, # or :, or a command at the very beginning.
function started(box) {
  const before = box.value.slice(0, box.selectionStart);
  return before.match(/^\/[\w-]*$/)?.[0] ?? before.match(/(?:^|[\s(])([@#][\w.-]*|:[a-z0-9_+-]{2,})$/)?.[1] ?? "";
}

function complete(box) {
  const word = started(box).toLowerCase();
  const rows = !word ? [] : word[0] === ":" ? emojiFound(word.slice(1), 8).map(([name, face]) => ({ text: `${face} :${name}:`, put: `:${name}: ` }))
    : JSON.parse($("[data-words]").dataset.words).filter(([text]) => text.toLowerCase().startsWith(word)).slice(0, 8).map(([text, hint]) => ({ text, hint, put: `${text} ` }));
  offer(box, list(box), rows);
  for (const row of list(box).children) row.onmousedown = (event) => { event.preventDefault(); take(box, row); };
}

export const hide = (box) => offer(box, list(box), []);

function take(box, row) {
  const word = started(box);
  box.setRangeText(row.option.put, box.selectionStart - word.length, box.selectionStart, "end");
  hide(box);
  drafts.set(key(box), box.value);
}

export const completing = (box, event) => choosing(box, list(box), event, (row) => take(box, row), () => hide(box));

export function insert(box, text) {
  const from = text === "/" ? 0 : box.selectionStart;
  box.setRangeText(text, from, text === "/" ? 0 : box.selectionEnd, "end");
  box.focus();
  typed(box);
}

/* ---- files ---- */

export function attach(box, more) {
  held.set(key(box), [...files(box), ...more]);
  chips(box);
}

function chips(box) {
  $(".chips", box.form).replaceChildren(...files(box).map((file) => {
    const chip = document.createElement("li");
    const name = document.createElement("span");
    const drop = document.createElement("button");
    if (/^image\/(png|jpeg|gif|webp)$/.test(file.type)) chip.dataset.kind = "picture";
    name.textContent = file.name || "picture.png";
    drop.type = "button";
    drop.className = "bare";
    drop.textContent = "✕";
    drop.setAttribute("aria-label", `Take away ${file.name}`);
    drop.onclick = () => { held.set(key(box), files(box).filter((each) => each !== file)); chips(box); box.focus(); };
    chip.append(name, drop);
    return chip;
  }));
}

document.addEventListener("paste", (event) => {
  if (!event.target.matches(".composer textarea") || !event.clipboardData.files.length) return;
  event.preventDefault();
  attach(event.target, event.clipboardData.files);
});

const target = (event) => event.target.closest?.("main, .side") && $(".composer textarea", event.target.closest("main, .side"));
const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
document.addEventListener("dragover", (event) => {
  if (!carries(event)) return;
  event.preventDefault();
  for (const each of all(".composer")) each.toggleAttribute("data-over", each === target(event)?.form);
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) for (const each of all(".composer")) each.removeAttribute("data-over"); });
document.addEventListener("drop", (event) => {
  if (!carries(event)) return;
  event.preventDefault(); // never leave the page for a file
  for (const each of all(".composer")) each.removeAttribute("data-over");
  const box = target(event);
  if (box) { attach(box, event.dataTransfer.files); box.focus(); }
});

/* ---- sending ---- */

// A link to a message of this page is said as Slack's own link: the page's address is nobody else's business.
function said(text) {
  return text.replace(/https?:\/\/[^\s<>]+/g, (link) => {
    if (!link.startsWith(location.origin + location.pathname)) return link;
    const asked = new URL(link).searchParams;
    const tail = asked.get("thread") ? `?thread_ts=${asked.get("thread")}&cid=${asked.get("in")}` : "";
    return asked.get("at") ? `https://${document.body.dataset.domain}.slack.com/archives/${asked.get("in")}/p${asked.get("at").replace(".", "")}${tail}` : "";
  });
}

// The box is empty at once, so that nothing is sent twice; what could not be sent comes back.
export async function say(form, text, go) {
  const box = $("textarea", form);
  const [kept, sent, typed] = [key(box), files(box), box.value.trim() === text.trim()];
  const data = new FormData();
  data.set("text", said(text));
  data.set("channel", form.dataset.channel);
  data.set("thread", form.dataset.thread);
  for (const file of sent) data.append("file", file, file.name || "picture.png");
  held.delete(kept);
  if (typed) put(box, kept, "");
  const answer = await act("say", data);
  if (answer.error) {
    if (!held.get(kept)?.length) held.set(kept, sent);
    const now = composer(form.dataset.thread);
    if (typed && now && !now.value && key(now) === kept) put(now, kept, text);
  } else if (answer.ts && form.dataset.channel.startsWith("D") && !form.dataset.thread) go(here({ in: "messages", thread: answer.ts }));
}

function put(box, kept, text) {
  box.value = text;
  drafts.set(kept, text);
  chips(box);
  weigh(box);
  grow();
}

emoji();
