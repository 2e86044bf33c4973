// Follows what happens on the hub. The page works without this: every link and form is one that a browser knows.
"use strict";

(() => {
  const main = document.getElementById("main");
  const announce = document.getElementById("announce");
  const live = document.getElementById("live");
  let source = null;
  let isPaused = false;
  // The requests for pages under way: only what was asked for last is shown.
  let asked = 0;
  // The number of them that somebody asked for by a link or a form: a refresh neither overtakes nor cancels those.
  let pending = 0;
  let isStale = false;

  const say = (text) => { announce.textContent = text; };

  // Elements that know where they are: kept, so that the keyboard and the mouse stay where they were.
  const same = (old, fresh) => old.isEqualNode(fresh);

  function mergeRows(old, fresh) {
    const known = new Map(Array.from(old.children, (row) => [row.id, row]));
    let arrived = 0;
    let place = old.firstElementChild;
    for (const row of Array.from(fresh.children)) {
      let shown = known.get(row.id);
      known.delete(row.id);
      if (!shown) {
        row.classList.add("arrived");
        row.addEventListener("animationend", () => row.removeAttribute("data-new"), { once: true });
        shown = row;
        arrived += 1;
      } else {
        shown.classList.remove("arrived");
        if (!same(shown, row)) { place = place === shown ? shown.nextElementSibling : place; shown.replaceWith(row); shown = row; }
      }
      if (shown === place) place = place.nextElementSibling;
      else old.insertBefore(shown, place);
    }
    known.forEach((row) => row.remove());
    return arrived;
  }

  // Puts a page in place of the one that is shown. What somebody fills in, or has focus in, is left alone while it is refreshed.
  function show(html, isRefresh) {
    const page = new DOMParser().parseFromString(html, "text/html");
    localize(page);
    const fresh = page.getElementById("main");
    if (!fresh) return;
    if (!isRefresh) {
      document.title = page.title;
      for (const id of ["nav", "reveal", "reload"]) document.getElementById(id)?.replaceWith(page.getElementById(id));
      main.replaceChildren(...fresh.childNodes);
      ready();
      return;
    }
    const oldRows = main.querySelector("[data-keyed]");
    const freshRows = fresh.querySelector("[data-keyed]");
    const detail = main.querySelector(".detail");
    const freshDetail = fresh.querySelector(".detail");
    if (oldRows && freshRows && !detail === !freshDetail) {
      const arrived = mergeRows(oldRows, freshRows);
      if (arrived) say(arrived === 1 ? "1 new row" : arrived + " new rows");
      for (const name of [".count", ".pager"]) {
        const [shown, other] = [main.querySelector(name), fresh.querySelector(name)];
        if (shown && other && !same(shown, other)) shown.replaceWith(other);
      }
      if (detail && !same(detail, freshDetail) && !detail.contains(document.activeElement)) swap(detail, freshDetail);
    } else if (!isBusy()) {
      main.replaceChildren(...fresh.childNodes);
    }
    ready();
  }

  function swap(old, fresh) {
    const top = old.scrollTop;
    const open = Array.from(old.querySelectorAll("details"), (it) => it.open);
    old.replaceWith(fresh);
    fresh.querySelectorAll("details").forEach((it, index) => { it.open = open[index] ?? false; });
    fresh.scrollTop = top;
  }

  // The clock of whoever looks. The whole time, in UTC, is the element's title.
  const clock = new Intl.DateTimeFormat("sv", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
  function localize(root) {
    for (const time of root.querySelectorAll("time")) time.textContent = clock.format(new Date(time.dateTime)).replace(",", ".");
  }

  // True while somebody is at a field, or at something that a refresh would take away.
  const isBusy = () => main.contains(document.activeElement) && document.activeElement !== main;

  async function load(url, options, isRefresh) {
    if (isRefresh && pending) return null;
    const number = isRefresh ? asked : ++asked;
    if (!isRefresh) pending += 1;
    try {
      return await loaded(number, url, options, isRefresh);
    } finally {
      if (!isRefresh) pending -= 1;
    }
  }

  async function loaded(number, url, options, isRefresh) {
    let response;
    try {
      response = await fetch(url, { headers: { accept: "text/html" }, ...options });
    } catch {
      if (!isRefresh) say("The mock server does not answer.");
      return null;
    }
    const html = await response.text();
    if (number !== asked) return null;
    show(html, isRefresh);
    return response;
  }

  async function go(url, focus) {
    const response = await load(url, {}, false);
    if (!response) return;
    history.pushState(null, "", url);
    place(focus);
  }

  function place(focus) {
    const target = focus && document.querySelector(focus);
    const detail = document.getElementById("detail-title");
    (target || detail || main).focus({ preventScroll: Boolean(target) });
    if (detail && !target) detail.closest(".detail").scrollIntoView({ block: "nearest" });
  }

  async function refresh() {
    isStale = false;
    await load(location.href, {}, true);
  }

  // These parts are shown only where there is a script.
  function ready() {
    document.getElementById("reload").hidden = true;
    live.hidden = false;
  }

  function connect() {
    if (source || isPaused || document.hidden) return;
    source = new EventSource("/_hub/page/events");
    source.addEventListener("changed", () => { if (isStale) refresh(); isStale = true; });
    source.onopen = () => { if (isStale) refresh(); isStale = true; word(); };
    source.onerror = word;
  }

  function disconnect() {
    source?.close();
    source = null;
  }

  function word() {
    const isBroken = source !== null && source.readyState !== EventSource.OPEN;
    live.classList.toggle("broken", isBroken);
    live.setAttribute("aria-pressed", String(!isPaused));
    live.querySelector(".word").textContent = isPaused ? "Paused" : isBroken ? "Not connected" : "Live";
  }

  live.addEventListener("click", () => {
    isPaused = !isPaused;
    if (isPaused) disconnect(); else { isStale = true; connect(); }
    word();
  });

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) disconnect(); else { isStale = true; connect(); }
  });

  addEventListener("popstate", () => load(location.href, {}, false));

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.origin !== location.origin || !link.pathname.startsWith("/_hub/") || link.hash) return;
    if (link.hasAttribute("data-copy")) { event.preventDefault(); copy(link); return; }
    if (link.pathname.startsWith("/_hub/page/requests/")) return;
    event.preventDefault();
    const row = link.closest("tr, li");
    go(link.href, link.hasAttribute("data-close") ? ".selected a" : row ? null : link.id ? "#" + link.id : null);
  });

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    if (form.method === "get") {
      for (const [name, value] of Array.from(fields)) if (!value) fields.delete(name);
      const name = document.activeElement?.name;
      await go(form.action + (fields.size ? "?" + fields : ""), name && `[name="${CSS.escape(name)}"]`);
      return;
    }
    const label = event.submitter?.getAttribute("aria-label") || event.submitter?.textContent || "";
    const response = await load(form.action, { method: "POST", body: fields }, false);
    if (!response) return;
    if (response.ok) {
      if (response.redirected) history.replaceState(null, "", response.url);
      say("Done: " + label);
      const again = Array.from(main.querySelectorAll("button"), (it) => it);
      (again.find((it) => (it.getAttribute("aria-label") || it.textContent) === label) || main).focus();
    } else {
      main.focus();
    }
  });

  // A choice is made by choosing.
  document.addEventListener("change", (event) => {
    if (event.target.matches(".filters select, form[data-auto] select")) event.target.form.requestSubmit();
  });

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "Escape") {
      const close = main.querySelector("[data-close]");
      if (close && !event.target.matches("input, select")) { event.preventDefault(); close.click(); }
    } else if (event.key === "/" && !event.target.matches("input, select, textarea")) {
      const search = main.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); }
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!event.target.matches(".row-link, .keys a")) return;
      const links = Array.from(main.querySelectorAll(".row-link, .keys a"));
      const next = links[links.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) { event.preventDefault(); next.focus(); }
    }
  });

  async function copy(link) {
    const text = await (await fetch(link.href)).text();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      location.href = link.href;
      return;
    }
    const before = link.textContent;
    link.textContent = "Copied";
    say("Copied");
    setTimeout(() => { link.textContent = before; }, 1500);
  }

  localize(document);
  ready();
  connect();
})();
