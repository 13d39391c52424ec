// Passkeys: asks the browser for one and sends its answer with the form (data-passkey="get" or "create").
"use strict";

(() => {
  if (!window.PublicKeyCredential) return;
  document.querySelectorAll("form[data-passkey][hidden]").forEach((form) => { form.hidden = false; });

  // ---- what travels as text is bytes to the browser ---------------------------------------------------------------
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

  // ---- forms --------------------------------------------------------------------------------------------------------
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
    if (form.querySelector("input[name$='credential']").value) return;
    event.preventDefault();
    ask(form);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-passkey-ask]");
    if (button) ask(button.form);
  });
})();
