// Step-up: an answer that asks for a fresh login opens the dialog of that question, and the request that it stood in the
// way of is sent once more when it is answered. Without scripts, pages ask by themselves (cdp_site/core/login/fresh.py).
// What a page polls says so: it keeps no login alive (cdp_site/core/login/sessions.py).
// Passkeys: forms with data-passkey="get" or "create" ask the browser for one and send its answer.
"use strict";

(() => {
  // ---- step-up ------------------------------------------------------------------------------------------------------
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

  // ---- passkeys -----------------------------------------------------------------------------------------------------
  if (window.PublicKeyCredential) {
    document.querySelectorAll("form[data-passkey][hidden]").forEach((form) => { form.hidden = false; });
  }

  // What travels as text is bytes to the browser.
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

  const create = async (options) => {
    const user = { ...options.user, id: bytes(options.user.id) };
    const excludeCredentials = known(options.excludeCredentials);
    const publicKey = { ...options, user, excludeCredentials, challenge: bytes(options.challenge) };
    const key = await navigator.credentials.create({ publicKey });
    return answer(key, {
      attestationObject: text(key.response.attestationObject),
      transports: key.response.getTransports?.() ?? [],
    });
  };
  const get = async (options) => {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: known(options.allowCredentials),
    };
    const key = await navigator.credentials.get({ publicKey });
    const { authenticatorData, signature, userHandle } = key.response;
    return answer(key, {
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    });
  };
  const answer = (key, response) => ({
    id: key.id,
    rawId: text(key.rawId),
    type: key.type,
    clientExtensionResults: key.getClientExtensionResults(),
    authenticatorAttachment: key.authenticatorAttachment,
    response: { clientDataJSON: text(key.response.clientDataJSON), ...response },
  });

  const optionsOf = async (form) => {
    const there = form.querySelector("script[type='application/json']");
    if (there) return JSON.parse(there.textContent).publicKey;
    const asked = await fetch(form.dataset.options, { headers: { "X-Requested-With": "XMLHttpRequest" } });
    return (await asked.json()).request_options.publicKey;
  };
  const ask = async (form) => {
    const problem = form.querySelector("[data-passkey-problem]");
    problem.hidden = true;
    try {
      const options = await optionsOf(form);
      const key = await (form.dataset.passkey === "create" ? create(options) : get(options));
      form.querySelector("input[name$='credential']").value = JSON.stringify(key);
      form.dataset.answered = "";
      form.requestSubmit();
    } catch (error) {
      const why = { NotAllowedError: "refused", AbortError: "refused", InvalidStateError: "known" }[error.name];
      problem.textContent = problem.dataset[why ?? "failed"];
      problem.hidden = false;
    }
  };
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-passkey]");
    if (!form || form.querySelector("[data-passkey-ask]")) return; // other ways in the same form: asked by its button
    if ("answered" in form.dataset) return;
    event.preventDefault();
    ask(form);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-passkey-ask]");
    if (button) ask(button.form);
  });
})();
