// The review of pairs: a decision takes the pair off the screen at once and shows the next one, which is there already;
// what was decided travels behind, one after the other. What does not arrive comes back. Keys are app.js's (data-key).
"use strict";

(() => {
  const STAYS_MS = 400; // who looks at a pair for so long is shown what a merge would change
  const review = document.querySelector("[data-review]");
  const pairs = review.querySelector("[data-pairs]");
  const busy = review.querySelector("[data-busy]");
  const empty = review.querySelector("[data-empty]");
  const decided = []; // pairs that were decided here, the last one last: what an undo shows again
  const underwayPairs = new Set(); // decided here, and the server does not know yet
  let sending = Promise.resolve();
  let underway = 0;
  let stays = null;

  // ---- what is on screen ------------------------------------------------------------------------------------------
  const shown = () => pairs.querySelector("[data-pair]:not([hidden])");
  const show = (pair, { focus = true } = {}) => {
    const other = shown();
    if (other && other !== pair) other.hidden = true;
    if (pair) pair.hidden = false;
    busy.hidden = Boolean(pair) || underway === 0;
    empty.hidden = Boolean(pair) || underway > 0;
    clearTimeout(stays);
    if (!pair) return;
    stays = setTimeout(() => foresee(pair), STAYS_MS);
    if (!focus) return;
    window.scrollTo({ top: 0 });
    pair.querySelector("h2").focus({ preventScroll: true });
  };

  const bringBack = (pair) => {
    pair.hidden = true;
    pairs.prepend(pair);
    show(pair);
  };

  // ---- what travels ---------------------------------------------------------------------------------------------
  class Refused extends Error {}
  const post = async (address, fields) => {
    const body = new URLSearchParams(fields);
    pairs.querySelectorAll("[data-pair]").forEach((pair) => body.append("held", pair.dataset.pair));
    underwayPairs.forEach((number) => body.append("decided", number));
    const token = document.querySelector("[name=csrfmiddlewaretoken]");
    const response = await fetch(address, {
      method: "POST",
      body,
      headers: { "HX-Request": "true", "X-CSRFToken": token.value },
    });
    const elsewhere = response.headers.get("HX-Redirect");
    if (elsewhere) location.assign(elsewhere);
    const answer = new DOMParser().parseFromString(await response.text(), "text/html");
    if (response.ok && !elsewhere) return answer;
    const problem = answer.querySelector("[data-problem]");
    throw problem ? new Refused(problem.textContent.trim()) : new Error(String(response.status));
  };
  const take = (answer) => {
    answer.querySelectorAll("[data-new] > [data-pair]").forEach((arrived) => {
      if (pairs.querySelector(`[data-pair="${arrived.dataset.pair}"]`)) return;
      const pair = document.adoptNode(arrived);
      const isBack = "back" in pair.dataset;
      if (isBack) bringBack(pair);
      else pairs.append(pair);
      htmx.process(pair);
    });
    ["review-progress", "review-last"].forEach((id) => {
      const part = answer.getElementById(id);
      if (part) document.getElementById(id).replaceWith(document.adoptNode(part));
    });
    const badge = answer.querySelector("[data-badge]");
    document.querySelector(".side-nav [aria-current] .nav-badge")?.replaceChildren(...badge.childNodes);
  };
  const say = (text) => document.dispatchEvent(new CustomEvent("problem", { detail: text }));
  const nothing = () => {};
  // One after the other: an undo never overtakes its decision. `failed` is told whether the server has refused.
  const send = (address, fields, ended = nothing, failed = nothing) => {
    underway += 1;
    review.setAttribute("data-sending", "");
    if (!shown()) show(null); // not at the end yet: the answer brings more
    sending = sending.then(async () => {
      try {
        take(await post(address, fields));
        ended();
      } catch (error) {
        ended();
        const isRefused = error instanceof Refused;
        say(isRefused ? error.message : review.dataset.offline);
        failed(isRefused);
      } finally {
        underway -= 1;
        review.toggleAttribute("data-sending", underway > 0);
        if (!shown()) show(pairs.querySelector("[data-pair]"));
      }
    });
  };

  // What a merge would change is asked in the same row: the server knows by then what was decided before, the undo that
  // has brought the pair back too, and no decision overtakes the question. What fails is said by app.js.
  const foresee = (pair) => {
    const effects = pair.querySelector("[data-effects]");
    if (!effects) return; // a pair that measures: nothing is told of it
    sending = sending.then(async () => {
      if (shown() !== pair) return;
      await htmx.ajax("GET", effects.dataset.effects, { source: effects, target: effects }).catch(nothing);
    });
  };

  // ---- decisions --------------------------------------------------------------------------------------------------
  const decide = (form, verdict) => {
    const pair = form.closest("[data-pair]");
    const next = pair.nextElementSibling;
    pair.remove();
    decided.push(pair);
    underwayPairs.add(pair.dataset.pair);
    show(next);
    send(form.action, { verdict }, () => underwayPairs.delete(pair.dataset.pair), (isRefused) => {
      decided.splice(decided.indexOf(pair), 1);
      if (isRefused) return; // settled by a colleague, or gone
      bringBack(pair);
    });
  };
  const undo = (form) => {
    const pair = decided.pop();
    if (!pair) {
      send(form.action, {});
      return;
    }
    bringBack(pair);
    send(`${pair.querySelector("[data-verdict]").action}undo/`, {}, nothing, (isRefused) => {
      pair.remove();
      if (!isRefused) decided.push(pair);
    });
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-verdict]")) decide(form, event.submitter.value);
    else if (form.matches("[data-undo]")) undo(form);
    else if (form.matches("[data-change]")) send(form.action, { verdict: event.submitter.value });
    else return;
    event.preventDefault();
  });

  // The second half of a double click was meant for the pair that is gone, not for the one that came in its place.
  document.addEventListener("click", (event) => {
    if (event.detail > 1 && event.target.closest("[data-verdict], [data-undo]")) event.preventDefault();
  });

  show(pairs.querySelector("[data-pair]"), { focus: false });
})();
