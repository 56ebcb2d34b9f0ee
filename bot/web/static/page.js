// One stream a page: when something changed, each live part asks for itself anew.
"use strict";

// The calendar is shown by the clock of who looks; the service learns which that is.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !`; ${document.cookie};`.includes(`; zone=${zone};`)) {
  document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=strict`;
  const shown = document.querySelector("[data-zone]");
  if (shown && !shown.dataset.asked && shown.dataset.zone !== zone) location.reload();
}

// Opened from the bot's menu: who that is, Telegram says behind the #, which no server sees.
const app = document.getElementById("mini-app");
const init = app && new URLSearchParams(location.hash.slice(1)).get("tgWebAppData");
if (init) {
  document.getElementById("outside").hidden = true;
  app.elements.init.value = init;
  app.submit();
}

let dragged = null, stale = false;
const parts = () => document.querySelectorAll("[data-live]");
// What a person has open, or presses on, is not taken away from under their hand, nor by an answer that was on its way.
const inUse = (part) => dragged || part.querySelector("details[open], :focus-visible, :active");
if (parts().length) {
  const stream = new EventSource("/events");
  const behind = () => { if (stale && !document.hidden) refresh(); };
  stream.addEventListener("changed", () => {
    if (document.hidden) { stale = true; return; }
    refresh(true);
  });
  // What changed before the stream was there, or while it was away, was told to nobody.
  stream.addEventListener("open", () => refresh());
  document.addEventListener("visibilitychange", behind);
  document.addEventListener("pointerup", behind);
  document.addEventListener("focusout", () => setTimeout(behind));  // then what comes next has the focus
  document.addEventListener("toggle", behind, true);
  document.addEventListener("dragend", () => { unmark(); dragged = null; behind(); });
  // Nor does an answer that was asked for before a person changed something take what that showed away again.
  let changes = 0;
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => { ctx.changes = changes; });
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail, part = ctx.sourceElement;
    if (ctx.request.method !== "GET") changes += 1;
    else if (part.matches("[data-live]") && (ctx.changes < changes || inUse(part))) {
      stale = true;
      event.preventDefault();
      if (!inUse(part)) setTimeout(behind);
    }
  });
  // What many pages were told of is made once for all of them.
  function refresh(told = false) {
    stale = false;
    for (const part of parts()) {
      part.setAttribute("hx-headers", JSON.stringify(told ? { Told: "true" } : {}));
      if (inUse(part)) stale = true;
      else part.dispatchEvent(new Event("changed"));
    }
  }
}

// What was done, or why it was not, is said where it is read aloud.
const say = (text) => { const said = document.getElementById("said"); if (said) said.textContent = text; };
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  const by = ctx.request.submitter ?? ctx.sourceElement;
  if (ctx.response.status < 400) {
    if (by.dataset.said) say(by.dataset.said);
  } else if (ctx.request.method !== "GET") {
    const answer = new DOMParser().parseFromString(ctx.text, "text/html");
    say(answer.querySelector("[role=alert]")?.textContent ?? document.getElementById("said")?.dataset.failed ?? "");
  }
});
// Without an answer nobody knows. A preview changes nothing, and is asked for again with the next key.
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (!ctx || ctx.request.method === "GET" || ctx.request.action.endsWith("/preview")) return;
  say(document.getElementById("said")?.dataset.unanswered ?? "");
});

// Order: Alt and an arrow move the entry that has the focus, as its buttons do.
document.addEventListener("keydown", (event) => {
  const way = { ArrowUp: "up", ArrowDown: "down" }[event.key];
  const button = event.altKey && way && event.target.closest("[draggable]")?.querySelector(`[data-move=${way}]`);
  if (!button) return;
  event.preventDefault();
  button.focus();
  button.click();
});

// Drag: an entry to a place of its channel's order, a thread to a time of the calendar.
const target = (event) => {
  const over = event.target.closest?.("[data-before], [data-at]");
  if (!dragged || !over || over === dragged) return null;
  if (over.dataset.at) return dragged.dataset.when ? over : null;
  return over.dataset.channel === dragged.dataset.channel ? over : null;
};
const unmark = () => document.querySelectorAll(".over").forEach((one) => one.classList.remove("over", "below"));
const isBelow = (over) => Boolean(dragged.compareDocumentPosition(over) & Node.DOCUMENT_POSITION_FOLLOWING);
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[draggable=true]") ?? null;
  if (dragged) event.dataTransfer.setData("text/plain", dragged.dataset.thread);
});
document.addEventListener("dragover", (event) => {
  const over = target(event);
  unmark();
  if (!over) return;
  event.preventDefault();
  over.classList.add("over");
  if (!over.dataset.at) over.classList.toggle("below", isBelow(over));
});
document.addEventListener("drop", (event) => {
  const over = target(event);
  if (!over) return;
  event.preventDefault();
  if (over.dataset.at) { schedule(dragged, over); return; }
  const after = isBelow(over) ? over.dataset.thread : over.dataset.before;
  post(dragged.querySelector("form.move"), "#list", { after });
});
const post = (form, target, values) =>
  htmx.ajax("POST", form.getAttribute("action"), { source: form, target, swap: "innerHTML", values });
const schedule = (one, cell) => {
  const { thread, channel } = one.dataset;
  return post(document.getElementById("arrange"), "#grid", { thread: `${thread} ${channel}`, slot: cell.dataset.at });
};

// Shift and an arrow give the thread that has the focus the hour, or the day, beside its own.
document.addEventListener("keydown", async (event) => {
  const cell = event.shiftKey && event.target.matches?.("[data-when]") && event.target.closest("td");
  if (!cell) return;
  const row = { ArrowUp: cell.parentElement.previousElementSibling, ArrowDown: cell.parentElement.nextElementSibling }[event.key];
  const column = { ArrowLeft: cell.previousElementSibling, ArrowRight: cell.nextElementSibling }[event.key];
  const to = row?.children[cell.cellIndex] ?? column;
  if (!to?.dataset.at) return;
  event.preventDefault();
  await schedule(event.target, to);
});
