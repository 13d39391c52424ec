// The palette of Ctrl-K: opens, moves in the results, and goes where Enter says, once the results are those of the text.
"use strict";

(() => {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const form = dialog.querySelector("form");
  const text = document.getElementById("palette-text");
  const results = document.getElementById("palette-results");
  let asked = null; // the text that the results are for
  let isCurrent = false; // the results belong to what is typed
  let isWaiting = false; // Enter was pressed before they came

  const links = () => [...results.querySelectorAll("a")];
  const goToFirst = () => links()[0]?.click();

  const open = () => {
    if (dialog.open) return;
    text.value = "";
    results.replaceChildren();
    isCurrent = isWaiting = false;
    dialog.showModal();
    text.focus();
    form.dispatchEvent(new CustomEvent("palette:open"));
  };

  document.addEventListener("keydown", (event) => {
    if (event.code !== "KeyK" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    const other = document.querySelector("dialog[open]");
    if (dialog.open) dialog.close();
    else if (!other) open();
  });

  text.addEventListener("input", () => { isCurrent = isWaiting = false; });
  form.addEventListener("htmx:beforeRequest", () => { asked = text.value; });
  let heldFocus = false; // a result had it, and goes
  results.addEventListener("htmx:beforeSwap", () => { heldFocus = results.contains(document.activeElement); });
  results.addEventListener("htmx:afterSwap", () => {
    isCurrent = asked === text.value;
    if (heldFocus) (links()[0] ?? text).focus();
    if (isCurrent && isWaiting) goToFirst();
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  dialog.addEventListener("keydown", (event) => {
    if (event.code === "Enter" && event.target === text && !event.isComposing) {
      event.preventDefault();
      if (isCurrent) goToFirst();
      else isWaiting = true;
      return;
    }
    if (event.code === "Escape") { // a search box would only be emptied by it
      event.preventDefault();
      dialog.close();
      return;
    }
    if (event.code !== "ArrowDown" && event.code !== "ArrowUp") return;
    const stops = [text, ...links()];
    const step = event.code === "ArrowDown" ? 1 : stops.length - 1;
    event.preventDefault();
    stops[(Math.max(stops.indexOf(document.activeElement), 0) + step) % stops.length].focus();
  });
  // Clicked beside it: on the backdrop, which belongs to the dialog itself.
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
})();
