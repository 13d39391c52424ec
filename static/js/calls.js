// Alt+1 … Alt+8 open the customers of the strip. The places of the digits on the keyboard, whatever the layout is.
"use strict";

document.addEventListener("keydown", (event) => {
  const digit = /^(?:Digit|Numpad)([1-8])$/.exec(event.code);
  if (!digit || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.repeat) return;
  if (document.querySelector("dialog[open]") || event.target.closest("input, textarea, select, [contenteditable]")) return;
  const link = document.querySelector(`[data-recent="${digit[1]}"]`);
  if (!link) return;
  event.preventDefault();
  link.click();
});
