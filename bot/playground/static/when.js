// Moments in the zone and the language of the browser.
const forms = {
  "{time}": { hour: "2-digit", minute: "2-digit" }, "{time_secs}": { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  "{date}": { dateStyle: "long" }, "{date_pretty}": { dateStyle: "long" }, "{date_long}": { dateStyle: "full" },
  "{date_long_pretty}": { dateStyle: "full" }, "{date_short}": { dateStyle: "medium" }, "{date_short_pretty}": { dateStyle: "medium" },
  "{date_slash}": { day: "2-digit", month: "2-digit", year: "numeric" }, "{day_divider_pretty}": { weekday: "long", day: "numeric", month: "long" },
};
const made = new Map();
const shown = (form, when) => {
  if (!made.has(form)) made.set(form, new Intl.DateTimeFormat(undefined, forms[form]));
  return made.get(form).format(when);
};
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export const day = (when) => when.toDateString();

export function daily(when) {
  const today = new Date();
  if (day(when) === day(today)) return "Today";
  if (day(when) === day(new Date(today - 864e5))) return "Yesterday";
  return shown("{day_divider_pretty}", when);
}

function since(when) {
  const minutes = Math.round((when - Date.now()) / 6e4);
  if (minutes > -1) return "just now";
  if (minutes > -60) return ago.format(minutes, "minute");
  return minutes > -1440 ? ago.format(Math.round(minutes / 60), "hour") : ago.format(Math.round(minutes / 1440), "day");
}

function localised(form, when) {
  return form.replace(/\{\w+\}/g, (word) => {
    if (word === "{ago}") return since(when);
    if (word === "{date_num}") return new Date(when - when.getTimezoneOffset() * 6e4).toISOString().slice(0, 10);
    return forms[word] ? shown(word, when) : word;
  });
}

export function localise(within) {
  for (const time of within.querySelectorAll("time[data-form]")) {
    const when = new Date(time.dateTime);
    time.textContent = localised(time.dataset.form, when);
    time.title = `${shown("{date_long}", when)}, ${shown("{time_secs}", when)}`;
  }
  for (const input of within.querySelectorAll("[data-moment]")) {
    const when = new Date(input.dataset.moment * 1000);
    input.value = new Date(when - when.getTimezoneOffset() * 6e4).toISOString().slice(0, 16);
    delete input.dataset.moment;
  }
}

// What was said some minutes ago is a minute later some minutes more.
setInterval(() => { for (const time of document.querySelectorAll('time[data-form="{ago}"]')) time.textContent = since(new Date(time.dateTime)); }, 3e4);
