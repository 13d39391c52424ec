// Step-up: an answer that asks for a fresh login opens the dialog of that question, and the request that it stood in the
// way of is sent once more when it is answered. Without scripts, pages ask by themselves (cdp_site/core/login/fresh.py).
// And what a page polls says so: it keeps no login alive (cdp_site/core/login/sessions.py).
"use strict";

(() => {
  const HEADER = "CDP-Login-Again";
  let dialog = null;
  let waiting = null; // what is sent again: { elt, verb, path, target, parameters }

  const open = () => {
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.className = "dialog";
      dialog.id = "login-again";
      dialog.setAttribute("aria-labelledby", "login-again-title");
      dialog.addEventListener("close", () => dialog.replaceChildren());
      document.body.append(dialog);
    }
    return dialog;
  };

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.triggeringEvent?.type === "hx:poll:trigger") event.detail.headers["CDP-Background"] = "1";
  });

  // Before app.js takes the answer for a mistake.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    const question = xhr.getResponseHeader(HEADER);
    if (!question) return;
    event.detail.shouldSwap = false;
    event.detail.isError = false;
    const { elt, verb, path, target, parameters } = requestConfig;
    waiting = { elt, verb, path, target, parameters };
    htmx.ajax("GET", question, { target: open(), swap: "innerHTML" });
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === dialog && dialog.childElementCount && !dialog.open) dialog.showModal();
  });

  document.addEventListener("login:again", () => {
    dialog?.close();
    const { elt, verb, path, target, parameters } = waiting;
    waiting = null;
    htmx.ajax(verb, path, { source: elt, target, values: parameters });
  });
})();
