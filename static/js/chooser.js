// A long select, found by typing: opens over the select and gives the choice back to it. Nothing else changes: the
// select is what is posted, and what is there on a phone or without scripts.
"use strict";

(() => {
  const dialog = document.getElementById("chooser");
  const title = document.getElementById("chooser-title");
  const text = document.getElementById("chooser-text");
  const list = document.getElementById("chooser-list");
  const none = document.getElementById("chooser-none");
  const MOST = 50; // choices shown at once
  let select = null; // whose choices they are

  const rows = () => [...list.children];
  const current = () => list.querySelector("[aria-selected=true]");
  const mark = (row) => {
    current()?.setAttribute("aria-selected", "false");
    row?.setAttribute("aria-selected", "true");
    row?.scrollIntoView({ block: "nearest" });
    if (row) text.setAttribute("aria-activedescendant", row.id);
    else text.removeAttribute("aria-activedescendant");
  };

  const show = () => {
    const wanted = text.value.trim().toLocaleLowerCase();
    // By the name in the reader's language, or the one by which the source calls it.
    const found = [...select.options].filter(
      (option) => !("placeholder" in option.dataset) && `${option.dataset.label} ${option.value}`.toLocaleLowerCase().includes(wanted),
    );
    list.replaceChildren(...found.slice(0, MOST).map((option, n) => {
      const row = document.createElement("li");
      const label = document.createElement("span");
      const note = document.createElement("span");
      row.id = `chooser-${n}`;
      row.dataset.value = option.value;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", "false");
      label.textContent = option.dataset.label;
      note.textContent = option.dataset.note;
      note.className = "secondary number";
      row.append(label, note);
      return row;
    }));
    none.hidden = found.length > 0;
    mark(rows().find((row) => !wanted && row.dataset.value === select.value) ?? rows()[0]);
  };

  const open = (of, typed) => {
    select = of;
    title.textContent = of.getAttribute("aria-label");
    text.value = typed;
    dialog.showModal();
    text.focus();
    show();
  };
  const choose = (row) => {
    if (!row) return;
    dialog.close();
    if (select.value === row.dataset.value) return;
    select.value = row.dataset.value;
    select.dispatchEvent(new Event("input", { bubbles: true }));
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const isLong = (element) => element.matches?.("select[data-chooser]") && !element.disabled;
  const isTouched = window.matchMedia("(pointer: coarse)"); // a phone's own list is better

  document.addEventListener("mousedown", (event) => {
    if (!isLong(event.target) || event.button !== 0 || isTouched.matches) return;
    event.preventDefault();
    event.target.focus();
    open(event.target, "");
  });
  document.addEventListener("keydown", (event) => {
    if (!isLong(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyped = [...event.key].length === 1 && event.key !== " ";
    if (!isTyped && event.code !== "Space" && event.code !== "Enter") return;
    event.preventDefault();
    open(event.target, isTyped ? event.key : "");
  });

  text.addEventListener("input", show);
  text.addEventListener("keydown", (event) => {
    if (event.code === "Enter" && !event.isComposing) {
      event.preventDefault();
      choose(current());
    } else if (event.code === "ArrowDown" || event.code === "ArrowUp") {
      event.preventDefault();
      const all = rows();
      const step = event.code === "ArrowDown" ? 1 : all.length - 1;
      mark(all[(all.indexOf(current()) + step) % all.length]);
    } else if (event.code === "Escape") { // a search box would only be emptied by it
      event.preventDefault();
      dialog.close();
    }
  });
  list.addEventListener("click", (event) => choose(event.target.closest("li")));
  // Clicked beside it: on the backdrop, which belongs to the dialog itself.
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => select?.focus());
})();
