// The customer's page: panels that fold and move, and where a value comes from on hover. The server remembers both
// for the user; nothing is kept in the browser.
"use strict";

(() => {
  // ---- folding ------------------------------------------------------------------------------------------
  const fold = (button, folded) => {
    const body = document.getElementById(button.getAttribute("aria-controls"));
    button.setAttribute("aria-expanded", String(!folded));
    body.hidden = folded;
    if (!folded) htmx.trigger(body, "unfold");
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fold]");
    if (!button) return;
    const folded = button.getAttribute("aria-expanded") === "true";
    fold(button, folded);
    htmx.ajax("POST", button.dataset.fold, { source: button, swap: "none", values: { folded: folded ? "1" : "0" } });
  });

  // ---- moving: the page follows the dialog ----------------------------------------------------------------
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "dialog") return;
    event.detail.target.querySelectorAll("[data-arranged]").forEach((list) => {
      const column = document.querySelector(`[data-column="${list.dataset.arranged}"]`);
      [...list.children].forEach((item) => {
        const panel = column?.querySelector(`[data-panel="${item.dataset.moves}"]`);
        if (!panel) return;
        column.append(panel);
        const button = panel.querySelector("[data-fold]");
        const folded = "folded" in item.dataset;
        if (button && (button.getAttribute("aria-expanded") === "false") !== folded) fold(button, folded);
      });
    });
  });

  // ---- where a value comes from: opens on hover and on focus by keyboard, stays while something in it has the focus
  const WAIT_MS = 250;
  let waiting = null;
  const openOnly = (details) => {
    document.querySelectorAll("[data-hover][open]").forEach((other) => {
      if (other !== details && !other.contains(document.activeElement)) other.open = false;
    });
    details.open = true;
  };
  // What the pointer has opened a click keeps open; the next one closes it.
  document.addEventListener("click", (event) => {
    const details = event.target.closest("[data-hover] > summary")?.parentElement;
    if (!details || !("hovered" in details.dataset)) return;
    event.preventDefault();
    delete details.dataset.hovered;
  });
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const details = event.target.closest?.("[data-hover]");
    clearTimeout(waiting);
    if (details && !details.open) {
      waiting = setTimeout(() => {
        details.dataset.hovered = "";
        openOnly(details);
      }, WAIT_MS);
    } else if (!details) {
      waiting = setTimeout(() => {
        document.querySelectorAll("[data-hover][open]").forEach((other) => {
          if (!other.contains(document.activeElement)) other.open = false;
        });
      }, WAIT_MS);
    }
  });
  document.addEventListener("focusin", (event) => {
    const summary = event.target.closest?.("[data-hover] > summary");
    if (summary?.matches(":focus-visible")) openOnly(summary.parentElement);
  });
  document.addEventListener("focusout", (event) => {
    const details = event.target.closest?.("[data-hover]");
    if (details && event.relatedTarget && !details.contains(event.relatedTarget)) details.open = false;
  });
})();
