// Changing values where they stand, notes, and colleagues on the same page. Nothing is kept in the browser: what is being
// written goes to the server as a draft.
"use strict";

(() => {
  // ---- the form of a value: Enter saves, Esc leaves it and gives the focus back --------------------------------
  const leave = (form) => {
    const place = form.closest("[data-editable]");
    if (!place) {
      location.assign(form.querySelector("[data-leave-edit]").href);
      return;
    }
    form.remove();
    place.querySelector(".edit-open")?.focus();
  };
  const formOf = (element) => element.closest?.("form.edit-form, form.edit-add");
  document.addEventListener("click", (event) => {
    const form = event.target.closest("[data-leave-edit]") && formOf(event.target);
    if (!form?.closest("[data-editable]")) return;
    event.preventDefault();
    leave(form);
  });
  document.addEventListener("keydown", (event) => {
    const form = event.code === "Escape" && !event.isComposing && formOf(event.target);
    if (!form) return;
    event.stopPropagation();
    leave(form);
  }, true);

  // One form at a time: a second one would hide what is half typed in the first.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt } = event.detail;
    const open = document.querySelector("form.edit-form, form.edit-add");
    if (elt.matches(".edit-open") && open) {
      event.preventDefault();
      open.querySelector("input:not([type=hidden]), select")?.focus();
    }
    if (elt.id === "presence" && document.hidden) event.preventDefault();
  });

  // Somebody else was faster: the answer is a choice and no mistake, and the form is where it is made.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.xhr.getResponseHeader("X-Choice")) return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  });

  // The morph extension inserts what bears a part for another place together with the part (see app.js on toasts).
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const bearer = event.detail.fragment.firstElementChild;
    if (bearer?.matches("[data-bearer]")) bearer.replaceWith(...bearer.childNodes);
  });

  // ---- colleagues ----------------------------------------------------------------------------------------
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.id !== "presence") return;
    event.detail.parameters.trait = document.querySelector("form.edit-form")?.dataset.trait ?? "";
  });
})();
