// One stream a page: when something changed, each live part asks for itself anew.
"use strict";
const parts = () => document.querySelectorAll("[data-live]");
if (parts().length) {
  const stream = new EventSource("/events");
  stream.addEventListener("changed", () => {
    if (document.hidden) { stale = true; return; }
    refresh();
  });
  // What changed before the stream was there, or while it was away, was told to nobody.
  stream.addEventListener("open", refresh);
  let stale = false;
  document.addEventListener("visibilitychange", () => { if (stale && !document.hidden) refresh(); });
  function refresh() {
    stale = false;
    for (const part of parts()) {
      // What a person has open or is about to press is not taken away from under their hand.
      if (!dragged && !part.querySelector("details[open], :focus-visible")) part.dispatchEvent(new Event("changed"));
    }
  }
}

// What was done, or why it was not, is said where it is read aloud.
const say = (text) => { const said = document.getElementById("said"); if (said) said.textContent = text; };
document.addEventListener("htmx:afterRequest", (event) => {
  const { successful, xhr, requestConfig } = event.detail;
  const by = requestConfig.triggeringEvent?.submitter ?? requestConfig.elt;
  if (successful && by.dataset.said) say(by.dataset.said);
  if (!successful && xhr.responseText && requestConfig.verb !== "get") {
    const answer = new DOMParser().parseFromString(xhr.responseText, "text/html");
    say(answer.querySelector("[role=alert]")?.textContent ?? "That was not done. Open the page anew.");
  }
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
let dragged = null;
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
  const form = dragged.querySelector("form.move");
  htmx.ajax("POST", form.action, {
    source: form, target: "#list", swap: "innerHTML", values: { after },
  }).then(() => say(`#${dragged?.dataset.thread ?? ""}`));
});
document.addEventListener("dragend", () => { unmark(); dragged = null; });
