// The builder draws its form anew while somebody writes in it: what they wrote since it was asked for stays.
"use strict";

(() => {
  Idiomorph.defaults.ignoreActiveValue = true;
  const written = new Map(); // name of a control → its value, since the request under way was sent
  const isDefinition = (event) => event.detail.target?.id === "definition";

  document.addEventListener("input", (event) => {
    if (event.target.closest("#definition")) written.set(event.target.name, event.target.value);
  });
  document.addEventListener("htmx:beforeSend", (event) => {
    if (isDefinition(event)) written.clear();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    // A button's action moves the controls, so that a name may stand for another one: then the answer is right.
    if (!isDefinition(event) || event.detail.requestConfig.parameters.action) return;
    const controls = document.getElementById("builder").elements;
    written.forEach((value, name) => {
      const control = controls.namedItem(name);
      if (control && control.value !== value) control.value = value;
    });
  });
})();
