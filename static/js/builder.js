// The builder draws its form anew while somebody writes in it: what they wrote since it was asked for stays.
// Its keys move the condition that one is in, and take steps back. All of it happens on the server, by the same buttons.
"use strict";

(() => {
  Idiomorph.defaults.ignoreActiveValue = true;
  const written = new Map(); // name of a control → its value, since the request under way was sent
  const isDefinition = (event) => event.detail.target?.id === "definition";
  // A button's action moves the controls, so that a name may stand for another one: then the answer is right, also
  // about the control that one is in.
  const isAction = (event) => Boolean(event.detail.requestConfig.parameters.action);

  document.addEventListener("input", (event) => {
    if (event.target.closest("#definition")) written.set(event.target.name, event.target.value);
  });
  document.addEventListener("htmx:beforeSend", (event) => {
    if (isDefinition(event)) written.clear();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (isDefinition(event)) Idiomorph.defaults.ignoreActiveValue = !isAction(event);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (!isDefinition(event) || isAction(event)) return;
    const controls = document.getElementById("builder").elements;
    written.forEach((value, name) => {
      const control = controls.namedItem(name);
      if (control && control.value !== value) control.value = value;
    });
  });

  // ---- what is counted, of a definition that has been drawn anew since: it would stand beside other rules ---------
  let drawn = 0;
  const drawnWhenAsked = new WeakMap(); // request → how often the definition had been drawn when it was sent
  const isCount = (event) => ["summary", "reach", "size"].includes(event.detail.target?.id);

  document.addEventListener("htmx:beforeSend", (event) => {
    if (isCount(event)) drawnWhenAsked.set(event.detail.xhr, drawn);
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (isDefinition(event)) drawn += 1;
    if (isCount(event) && drawnWhenAsked.get(event.detail.xhr) !== drawn) event.detail.shouldSwap = false;
  });

  // ---- people who are shown: of the definition that was asked about, so that they go when it is another one -------
  let shownOf = "";
  const definition = () => JSON.stringify(
    [...new FormData(document.getElementById("builder"))].filter(([name]) => name.startsWith("/where/")),
  );
  document.addEventListener("htmx:beforeSend", (event) => {
    if (event.detail.target?.id === "sample") shownOf = definition();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const sample = document.getElementById("sample");
    if (isDefinition(event) && sample?.childElementCount && shownOf !== definition()) sample.replaceChildren();
  });

  // ---- keys ---------------------------------------------------------------------------------------------
  const press = (event, button) => {
    if (!button) return;
    event.preventDefault();
    if (!button.disabled) button.click();
  };
  // What is being typed in a field is taken back by the browser itself, letter by letter.
  const isHalfTyped = (element) => element.matches("input, textarea") && element.value !== element.defaultValue;

  // On a Mac, Alt with ← or → walks through a text word by word.
  const isWordKey = (event) => /^Mac/.test(navigator.platform)
    && /^Arrow(Left|Right)$/.test(event.code) && event.target.matches("input[type=text]");

  document.addEventListener("keydown", (event) => {
    if (isWordKey(event)) return;
    if (event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      // Its own button and not that of a row inside it: those come later in the page.
      press(event, event.target.closest("[data-row]")?.querySelector(`[data-move="${event.code}"]`));
      return;
    }
    // A step back may take away what had the focus: then it is nowhere.
    const isHere = event.target === document.body || event.target.closest("#definition");
    if (!isHere || !(event.ctrlKey || event.metaKey) || event.altKey || isHalfTyped(event.target)) return;
    const isBack = event.code === "KeyZ" && !event.shiftKey;
    const isForth = event.code === "KeyY" || (event.code === "KeyZ" && event.shiftKey);
    if (isBack || isForth) press(event, document.querySelector(isBack ? "[data-undo]" : "[data-redo]"));
  });
})();
