// What a form cannot do by itself: files dropped on the text, a notice that leads to its line.
"use strict";
const text = () => document.getElementById("text");
const files = document.getElementById("files");
document.addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  text().classList.add("over");
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) text().classList.remove("over"); });
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  give(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) { event.preventDefault(); give(event.clipboardData.files); }
});
function give(dropped) {
  text().classList.remove("over");
  files.files = dropped;
  files.dispatchEvent(new Event("change", { bubbles: true }));
}
document.addEventListener("click", (event) => {
  const line = Number(event.target.dataset?.line);
  if (!line) return;
  const lines = text().value.split("\n"), begin = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text().focus();
  text().setSelectionRange(begin, begin + (lines[line - 1] ?? "").length);
});
// What was typed before htmx listened, which it does by a timer set before this one, is shown as if it was typed now.
setTimeout(() => { if (text().value !== text().defaultValue) text().dispatchEvent(new Event("input")); });
// What waited for another answer goes by the draft and the text that this answer left. While the text is changed
// elsewhere than by typing, nobody types.
document.addEventListener("htmx:before:request", (event) => {
  const { action, body } = event.detail.ctx.request;
  if (!body?.has("seen")) return;
  body.set("seen", document.getElementById("mark").value);
  body.set("text", text().value);
  text().readOnly = !action.endsWith("/preview");
});
document.addEventListener("htmx:finally:request", () => { text().readOnly = false; });
// A setting that was changed leaves its list open; the same file can be given again.
let settingsOpen = false;
document.addEventListener("htmx:before:swap", () => { settingsOpen = document.getElementById("settings")?.open ?? false; });
document.addEventListener("htmx:after:swap", () => {
  const settings = document.getElementById("settings");
  if (settings && settingsOpen) settings.open = true;
});
document.addEventListener("htmx:finally:request", (event) => { if (event.detail.ctx.sourceElement?.className === "files") files.value = ""; });
document.addEventListener("htmx:response:error", (event) => {
  const { ctx } = event.detail;
  ctx.swap = "none";
  const said = document.createElement("p");
  said.className = "warning";
  said.setAttribute("role", "alert");
  const { large, refused } = document.querySelector(".composer").dataset;
  const names = [...files.files].map((one) => one.name).join(", ");
  said.textContent = ctx.response.status === 413 ? `${names}: ${large}` : refused;
  document.getElementById("problem").replaceChildren(said);
});
