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
      if (!part.querySelector("details[open], :focus-visible")) part.dispatchEvent(new Event("changed"));
    }
  }
}
