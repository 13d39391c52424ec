// Behaviour of every page: toasts, dialogs, menus, display switches, focus after a swap, keys.
// Nothing is stored in the browser but cookies that the server sets; nothing of a customer ever is.
"use strict";

(() => {
  const root = document.documentElement;
  const TOAST_MS = 5000;
  const UNDO_MS = 10000; // as long as a change may be taken back by the button beside it

  // ---- toasts -------------------------------------------------------------------------------------------
  const armToast = (toast) => {
    if (toast.dataset.armed) return;
    toast.dataset.armed = "1";
    let timer = null;
    const start = () => { timer = setTimeout(() => toast.remove(), toast.querySelector("form") ? UNDO_MS : TOAST_MS); };
    const hold = () => clearTimeout(timer);
    // Somebody who reads it or is about to press its button is not hurried (WCAG 2.2.1).
    toast.addEventListener("mouseenter", hold);
    toast.addEventListener("focusin", hold);
    toast.addEventListener("mouseleave", start);
    toast.addEventListener("focusout", start);
    start();
  };
  // Scripts of single pages report what went wrong by this event; its detail is the text.
  document.addEventListener("problem", (event) => showProblem(event.detail));
  const armToasts = () => document.querySelectorAll("[data-toast]").forEach(armToast);
  const showProblem = (text) => {
    const toasts = document.getElementById("toasts");
    const toast = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
    toast.querySelector("p").textContent = text;
    // What several parts of a page fail by is said once.
    [...toasts.children].filter((other) => other.textContent === toast.textContent).forEach((other) => other.remove());
    toasts.append(toast);
    armToast(toast);
  };

  // ---- dialogs ------------------------------------------------------------------------------------------
  const closeMenus = () => document.querySelectorAll("[data-menu][open]").forEach((menu) => menu.removeAttribute("open"));
  const openDialog = (dialog) => {
    if (dialog.id === "keys") listKeys();
    closeMenus(); // also of a menu whose entry fetched the dialog: it would stay open behind
    if (!dialog.open) dialog.showModal();
  };
  const closeDialogOf = (element) => element.closest("dialog")?.close();

  // ---- clicks -------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const target = event.target;
    const opener = target.closest("[data-dialog]");
    if (opener) openDialog(document.getElementById(opener.dataset.dialog));
    if (target.closest("[role=tab]")) showPart(target.closest("[role=tab]"));
    if (target.closest("[data-close]")) closeDialogOf(target);
    if (target.closest("[data-dismiss]")) target.closest(".toast-line").remove();
    const toggle = target.closest("[data-nav-toggle]");
    if (toggle) {
      const open = root.toggleAttribute("data-nav-open");
      toggle.setAttribute("aria-expanded", String(open));
    } else if (!target.closest(".side-nav")) {
      closeNavigation();
    }
    document.querySelectorAll("[data-menu][open]").forEach((menu) => {
      if (!menu.contains(target)) menu.removeAttribute("open");
    });
    if (!target.closest("[data-search]")) clearSearchResults();
  });
  const closeNavigation = () => {
    root.removeAttribute("data-nav-open");
    document.querySelector("[data-nav-toggle]")?.setAttribute("aria-expanded", "false");
  };
  const clearSearchResults = () => document.getElementById("search-results")?.replaceChildren();

  // ---- tabs of a narrow screen: shows one part of a page by an attribute that the style sheet reads ---------------
  const showPart = (tab) => {
    const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    tabs.forEach((other) => {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    });
    tab.closest("[data-tabs]").dataset.tab = tab.dataset.shows;
  };
  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (!tab || (event.code !== "ArrowLeft" && event.code !== "ArrowRight")) return;
    const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    const step = event.code === "ArrowRight" ? 1 : tabs.length - 1;
    const next = tabs[(tabs.indexOf(tab) + step) % tabs.length];
    showPart(next);
    next.focus();
  });

  // ---- theme, navigation, single keys: switched here at once, remembered by the server in a cookie -----------
  const opposite = {
    light: "dark", dark: "light", collapsed: "open", open: "collapsed", compact: "roomy", roomy: "compact", on: "off", off: "on",
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const setting = form.dataset?.display;
    if (!setting || setting === "keys") return;
    event.preventDefault();
    const button = form.querySelector(`button[name="${setting}"]`);
    const value = button.value;
    const body = new FormData(form);
    body.set(setting, value);
    fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
    if (setting === "theme") root.setAttribute("data-bs-theme", value);
    else if (setting === "density") root.setAttribute("data-density", value);
    else if (value === "collapsed") root.setAttribute("data-nav", value);
    else root.removeAttribute("data-nav");
    button.value = opposite[value];
    if (setting === "theme") {
      const use = button.querySelector("use");
      use.setAttribute("href", use.getAttribute("href").replace(/#.*/, value === "dark" ? "#sun" : "#moon"));
      button.setAttribute("aria-pressed", String(value === "dark"));
    }
    if (setting === "density") button.setAttribute("aria-pressed", String(value === "roomy"));
  });

  // ---- htmx ---------------------------------------------------------------------------------------------
  document.addEventListener("htmx:afterSwap", (event) => {
    const target = event.detail.target;
    if (target.id === "dialog" && target.childElementCount) openDialog(target);
    armToasts();
  });
  // The morph extension has htmx insert the bearer itself: toasts would stand in a second list within the list.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const bearer = event.detail.fragment.firstElementChild;
    if (event.detail.target.id === "toasts" && bearer?.id === "toasts") bearer.replaceWith(...bearer.childNodes);
  });
  document.addEventListener("htmx:oobAfterSwap", armToasts);
  document.addEventListener("htmx:afterSettle", (event) => {
    const swapped = event.detail.elt;
    const heading = swapped.matches?.("[data-focus]") ? swapped : swapped.querySelector?.("[data-focus]");
    heading?.focus();
  });
  document.addEventListener("dialog:close", () => document.getElementById("dialog").close());
  document.addEventListener("htmx:responseError", (event) => {
    const texts = document.getElementById("toasts").dataset;
    const { status, responseText } = event.detail.xhr;
    const problem = new DOMParser().parseFromString(responseText, "text/html").querySelector("[data-problem]");
    if (problem) showProblem(problem.textContent.trim());
    else showProblem(status === 404 || status === 403 ? texts.gone : texts.failed);
  });
  document.addEventListener("htmx:sendError", () => {
    showProblem(document.getElementById("toasts").dataset.offline);
  });

  // ---- keys: event.code, so that they work on a Thai layout --------------------------------------------------
  const isTyping = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;
  const isShown = (element) => element.getClientRects().length > 0;
  const press = (element) => {
    if (element.matches("input, textarea, select")) {
      element.focus();
      element.select?.();
    } else {
      element.click();
    }
  };
  const listKeys = () => {
    const list = document.getElementById("key-list");
    list.querySelectorAll("[data-listed]").forEach((row) => row.remove());
    document.querySelectorAll("[data-key]").forEach((element) => {
      if (!isShown(element)) return;
      const term = document.createElement("dt");
      const key = document.createElement("kbd");
      const text = document.createElement("dd");
      key.textContent = element.dataset.keyName;
      text.textContent = element.dataset.keyLabel;
      term.append(key);
      [term, text].forEach((row) => { row.dataset.listed = ""; });
      list.append(term, text);
    });
  };

  document.addEventListener("keydown", (event) => {
    if (event.code === "Escape") {
      const menu = document.querySelector("[data-menu][open]");
      if (menu) {
        menu.removeAttribute("open");
        menu.querySelector("summary").focus();
      }
      closeNavigation();
      clearSearchResults();
      return;
    }
    if (event.target.closest("[data-search]") && (event.code === "ArrowDown" || event.code === "ArrowUp")) {
      moveInResults(event);
      return;
    }
    if (event.code === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.target.closest("form[data-submit-keys]")?.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
    // On a button or link the space bar presses that one.
    if (event.code === "Space" && event.target.closest("button, a, summary")) return;
    if (root.dataset.keys === "off" || document.querySelector("dialog[open]")) return;
    if (event.code === "Slash" && event.shiftKey) {
      event.preventDefault();
      openDialog(document.getElementById("keys"));
      return;
    }
    const element = event.shiftKey ? null : [...document.querySelectorAll(`[data-key="${event.code}"]`)].find(isShown);
    if (element) {
      event.preventDefault();
      press(element);
    }
  });
  const moveInResults = (event) => {
    const stops = [document.getElementById("search"), ...document.querySelectorAll("#search-results a")];
    const next = stops[stops.indexOf(document.activeElement) + (event.code === "ArrowDown" ? 1 : -1)];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  };

  armToasts();
})();
