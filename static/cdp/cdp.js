// Sends what visitors do on a company's web page to its customer data platform. No dependencies, no cookies.
//
//   <script>window.cdp = window.cdp || function () { (cdp.q = cdp.q || []).push(arguments) }</script>
//   <script async src="https://cdp.example.com/cdp.js" data-key="pub_…" data-consent="required"></script>
//   cdp("track", "Product Viewed", { sku: "A1" }); cdp("page", "Home"); cdp("identify", "user-42", { tier: "gold" });
//   cdp("group", "acme"); cdp("consent", true); cdp("reset");
//
// data-consent  required: nothing is stored or sent before cdp("consent", true); implied: until cdp("consent", false).
//               With Global Privacy Control on it is always required.
// data-gpc      "marketing:email analytics:push": refusals that Global Privacy Control stands for, sent once.
// data-page     off: no page call by itself.
(() => {
  const { dataset, src } = document.currentScript;
  const url = new URL("/v1/batch", src).href;
  const early = window.cdp?.q || [];
  const QUEUED = "cdp.m.", MOST_QUEUED = 500, MOST_HELD = 100, A_BATCH = 50, BEACON_BYTES = 60000;
  const memory = new Map();
  let held = [], failures = 0, timer = 0, isSending = false;

  // Storage that is full or forbidden (private windows) costs what outlives the page, never the page.
  const stored = (use) => {
    try { return use(localStorage); } catch { return null; }
  };
  const read = (name) => memory.get(name) ?? stored((at) => at.getItem(name));
  const write = (name, value) => {
    stored((at) => (at.setItem(name, value), true)) ? memory.delete(name) : memory.set(name, value);
  };
  const remove = (name) => {
    memory.delete(name);
    stored((at) => at.removeItem(name));
  };
  const names = (start) =>
    [...(stored(Object.keys) || []), ...memory.keys()].filter((name) => name.startsWith(start)).sort();

  // crypto.randomUUID is there on secure pages only.
  const uuid = () =>
    "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) =>
      (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));

  const mayTrack = () => {
    const said = read("cdp.consent");
    return said ? said === "yes" : dataset.consent === "implied" && !navigator.globalPrivacyControl;
  };

  // One entry a message: tabs that share the storage never overwrite one another's.
  const queue = (message) => {
    const at = new Date().toISOString(), messageId = uuid();
    const { title, referrer } = document, path = location.pathname, campaign = {};
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (name.startsWith("utm_")) campaign[name === "utm_campaign" ? "name" : name.slice(4)] = value;
    }
    if (!read("cdp.id")) write("cdp.id", uuid());
    if (message.type === "identify" && message.userId) write("cdp.user", message.userId);
    if (message.type === "page") {
      const page = { path, url: location.origin + path, title, referrer };
      message.properties = { ...page, ...message.properties };
    }
    const context = { page: { path, title, referrer }, campaign, locale: navigator.language };
    const known = { messageId, anonymousId: read("cdp.id"), originalTimestamp: at, context };
    write(QUEUED + at + messageId, JSON.stringify({ userId: read("cdp.user") || undefined, ...known, ...message }));
    names(QUEUED).slice(0, -MOST_QUEUED).forEach(remove);
    wake(300);
  };

  const add = (message) => {
    if (!mayTrack()) {
      if (!read("cdp.consent") && held.length < MOST_HELD) held.push(message);
      return;
    }
    const refused = navigator.globalPrivacyControl && dataset.gpc;
    if (refused && read("cdp.gpc") !== refused) {
      write("cdp.gpc", refused);
      for (const pair of refused.split(" ")) {
        const [purpose, channel] = pair.split(":");
        queue({ type: "track", event: "Consent Refused", properties: { purpose, channel } });
      }
    }
    queue(message);
  };

  const body = (entries) => {
    const head = JSON.stringify({ writeKey: dataset.key, sentAt: new Date() });
    return `${head.slice(0, -1)},"batch":[${entries.map(read).filter(Boolean)}]}`;
  };

  const wake = (after, isFirm) => {
    if (timer && !isFirm) return;
    clearTimeout(timer);
    timer = setTimeout(send, after);
  };

  // What is sent stays queued until it is acknowledged: the platform takes each messageId once.
  const send = async () => {
    timer = 0;
    const entries = names(QUEUED).slice(0, A_BATCH);
    if (isSending || !entries.length || !mayTrack()) return;
    isSending = true;
    let wait = 0;
    failures += 1;
    try {
      // A text needs no preflight.
      const answer = await fetch(url, { method: "POST", body: body(entries), credentials: "omit" });
      if (answer.ok || answer.status === 400 || answer.status === 413) {
        entries.forEach(remove);
        failures = 0;
      } else wait = answer.headers.get("Retry-After") * 1000;
    } catch { /* offline, or kept out: it stays queued */ }
    isSending = false;
    const backoff = Math.min(60, 2 ** failures) * 500 * (1 + Math.random());
    if (names(QUEUED).length) wake(failures && Math.max(wait || 0, backoff), true);
  };

  const calls = {
    track: (event, properties) => add({ type: "track", event, properties }),
    page: (name, properties) => add({ type: "page", name, properties }),
    group: (groupId, traits) => add({ type: "group", groupId, traits }),
    identify: (userId, traits) => add({ type: "identify", userId, traits }),
    consent: (isGiven) => {
      if (!isGiven) calls.reset();
      write("cdp.consent", isGiven ? "yes" : "no");
      held.splice(0).forEach(add);
    },
    reset: () => {
      held = [];
      names("cdp.").filter((name) => name !== "cdp.consent").forEach(remove);
    },
  };

  window.cdp = (name, ...given) => calls[name]?.(...given);
  addEventListener("online", () => wake(0, true));
  addEventListener("pagehide", () => {
    let size = 0;
    const entries = names(QUEUED).filter((name) => (size += new Blob([read(name)]).size) < BEACON_BYTES);
    if (entries.length && mayTrack()) navigator.sendBeacon(url, body(entries));
  });
  if (dataset.page !== "off") calls.page();
  for (const call of early) window.cdp(...call);
  wake(0);
})();
