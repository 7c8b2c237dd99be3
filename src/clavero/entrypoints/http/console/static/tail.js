// The tail of requests: rows that come while the page is open. They wait while it is paused, or somebody is on the list.
{
  const MOST = 50; // rows on the page, and rows that wait
  const SAID_MS = 30000; // how often a screen reader is told
  const list = $("[data-tail]");
  const button = $("[data-pause]");
  const state = $("[data-tail-state]");
  const told = $("[data-tail-said]");
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => number.format(facts[name]));
  const hovers = matchMedia("(hover: hover)");

  let cursor = list.dataset.from;
  let source = null;
  let again = 0;
  let wait = 1000;
  let waiting = []; // rows, oldest first
  let dropped = 0; // of those that waited, or were never sent
  let recent = []; // [when, how many] of the last ten seconds
  let unsaid = 0;
  let trouble = "";

  const paused = () => button.getAttribute("aria-pressed") === "true";
  const held = () => list.matches(":focus-within") || (hovers.matches && list.matches(":hover"));

  // --- what stands above the list

  const tell = () => {
    const now = performance.now();
    recent = recent.filter(([when]) => now - when < 10000);
    const count = waiting.length + (paused() || held() ? dropped : 0);
    const rate = recent.reduce((sum, [, many]) => sum + many, 0) / 10;
    const text = trouble
      ? state.dataset[trouble]
      : paused()
        ? fill(state.dataset.paused, { count })
        : count && held()
          ? fill(state.dataset.held, { count })
          : dropped
            ? fill(state.dataset.more, { rate: Math.round(rate * 10) / 10, more: dropped })
            : state.dataset.live;
    if (state.textContent !== text) state.textContent = text;
  };
  const say = () => {
    if (unsaid && !paused()) told.textContent = fill(told.dataset.news, { count: unsaid });
    unsaid = 0;
  };
  const fail = (which) => {
    if (trouble === which) return;
    trouble = which;
    if (which) told.textContent = state.dataset[which];
    tell();
  };

  // --- rows

  const insert = (row) => {
    const body = $("tbody", list);
    if (body.querySelector(`[data-id="${CSS.escape(row.dataset.id)}"]`)) return;
    const older = [...body.rows].find((other) => BigInt(other.dataset.at) <= BigInt(row.dataset.at));
    row.classList.add("fresh");
    body.insertBefore(row, older ?? null);
  };
  const show = () => {
    if (!paused() && !held() && waiting.length) {
      waiting.forEach(insert);
      waiting = [];
      $("[data-rows]", list).hidden = false;
      $("[data-none]", list)?.remove();
      const rows = $$("tbody tr:not(.on)", list);
      rows.slice(MOST).forEach((row) => row.remove());
    }
    tell();
  };
  const take = (event) => {
    const news = JSON.parse(event.data);
    const part = document.createElement("template");
    part.innerHTML = news.rows;
    const rows = [...part.content.children].filter((row) => !list.querySelector(`[data-id="${CSS.escape(row.dataset.id)}"]`));
    const many = rows.length + news.more;
    cursor = event.lastEventId;
    waiting.push(...rows);
    dropped += news.more + Math.max(0, waiting.length - MOST);
    waiting = waiting.slice(-MOST);
    recent.push([performance.now(), many]);
    unsaid += many;
    show();
  };

  // --- the connection: closed while nobody sees the page, opened again where it left off

  const open = () => {
    clearTimeout(again);
    source?.close();
    const address = new URL(list.dataset.tail, location.href);
    address.searchParams.set("from", cursor);
    source = new EventSource(address);
    source.addEventListener("open", () => {
      wait = 1000;
      fail("");
    });
    source.addEventListener("rows", take);
    source.addEventListener("over", () => {
      source.close();
      source = null;
      fail("over");
    });
    source.addEventListener("error", () => {
      if (!source) return;
      fail("away");
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      again = setTimeout(open, wait);
      wait = Math.min(wait * 2, 15000);
    });
  };
  const close = () => {
    clearTimeout(again);
    source?.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => {
    if (trouble === "over") return;
    if (document.hidden) close();
    else open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());

  // --- pausing, by button or Space; what waits comes when nobody is on the list any more

  button.addEventListener("click", () => {
    const pause = !paused();
    button.setAttribute("aria-pressed", pause);
    $("[data-pause-word]", button).textContent = pause ? button.dataset.resume : button.dataset.rest;
    if (!pause) dropped = 0;
    show();
  });
  for (const leaving of ["mouseleave", "focusout"]) list.addEventListener(leaving, () => setTimeout(show));
  setInterval(tell, 2000);
  setInterval(say, SAID_MS);
  open();
}
