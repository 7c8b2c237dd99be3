// What the pages do beyond HTML: keys, dialogs, copying. Every page works without it, but for copying.
const $ = (query, from = document) => from.querySelector(query);
const $$ = (query, from = document) => [...from.querySelectorAll(query)];
const typing = (node) => node.closest("input, select, textarea, [contenteditable]") || document.querySelector("dialog[open]");
const goTo = (node) => node && (location.href = node.href);

// --- what has been said once is not said again

const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  history.replaceState(null, "", address);
}
const say = (text) => {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  $("#toasts").replaceChildren(toast);
  setTimeout(() => toast.remove(), 6000);
};
setTimeout(() => $("#toasts .toast")?.remove(), 6000);

// --- a life line opens where now is

const life = $(".life");
if (life && life.scrollWidth > life.clientWidth) {
  const now = Number($("line.now", life).getAttribute("x1"));
  life.scrollLeft = (now / $("svg", life).viewBox.baseVal.width) * life.scrollWidth - life.clientWidth / 2;
}

// --- rows

const rows = () => $$("tr.go");
const step = (by) => {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  $("a.row", all[Math.max(0, Math.min(all.length - 1, at + by))] ?? document.createElement("tr"))?.focus();
};

document.addEventListener("click", (event) => {
  const target = event.target;
  const row = target.closest("tr.go");
  if (row && !target.closest("a, button, input") && !getSelection().toString()) $("a.row", row).click();
  const fill = target.closest("[data-fill]");
  if (fill) {
    const field = document.getElementById(fill.dataset.fill);
    field.value = fill.dataset.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }
  const copy = target.closest("[data-copy]");
  if (copy) navigator.clipboard.writeText(copyText(copy)).then(() => say(copy.dataset.copied));
  const tab = target.closest("[role=tab]");
  if (tab) choose(tab);
  if (target.closest("[data-more]")) {
    $(".needs").classList.add("all");
    target.closest("[data-more]").hidden = true;
  }
  if (target.closest("[data-shortcuts]")) {
    event.preventDefault();
    $("#shortcuts").showModal();
  }
  if (target.closest("[data-close]")) {
    event.preventDefault();
    $("#dialog").close();
  }
});

// --- tabs, copying, the secret

const choose = (tab) => {
  for (const other of $$("[role=tab]", tab.parentElement)) {
    other.setAttribute("aria-selected", other === tab);
    other.tabIndex = other === tab ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = other !== tab;
  }
};
const copyText = (button) => {
  const text = document.getElementById(button.dataset.copy).textContent;
  const whole = $("#secret")?.textContent ?? "";
  return button.dataset.masked ? text.replace(button.dataset.masked, whole) : text;
};
const secret = $("#secret");
if (secret) {
  history.replaceState(null, "", secret.dataset.leave); // going back or reloading never asks for it again
  const forget = () => {
    secret.textContent = secret.dataset.hidden;
    for (const button of $$("[data-copy]")) button.disabled = true;
  };
  addEventListener("pagehide", forget);
  const until = performance.now() + 300_000;
  const clock = $("[data-countdown]");
  const tick = setInterval(() => {
    const left = Math.max(0, Math.round((until - performance.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (!left) {
      clearInterval(tick);
      forget();
    }
  }, 1000);
}

// --- forms: a name to type, a box to tick, a filter to follow

const opens = (input) => {
  const button = document.getElementById(input.dataset.opens);
  if (!button) return;
  const ok = input.type === "checkbox" ? input.checked : input.value === input.dataset.expected;
  if ("disabled" in button) button.disabled = !ok;
};
document.addEventListener("input", (event) => event.target.matches("[data-opens]") && opens(event.target));
document.addEventListener("change", (event) => event.target.closest("[data-follow]")?.requestSubmit());
$$("[data-opens]").forEach(opens);

// --- dialogs that the server fills

document.addEventListener("htmx:after:swap", () => {
  const dialog = $("#dialog");
  if (dialog.childElementCount && !dialog.open) {
    $$("[data-opens]", dialog).forEach(opens);
    dialog.showModal();
  }
});
$("#dialog").addEventListener("close", () => $("#dialog").replaceChildren());

// --- keys; off in fields, and where the reader switched them off

let going = -Infinity;
const keys = {
  "/": () => $("[data-find]").focus(),
  "?": () => $("#shortcuts").showModal(),
  j: () => step(1),
  k: () => step(-1),
  c: () => (secret ? $("[data-copy=secret]").click() : goTo($("[data-create]"))),
  r: () => $("[data-rotate]")?.click(),
  f: () => $("[data-filter]")?.focus(),
  t: () => $("[data-theme-form] button").click(),
  " ": () => $("[data-pause]").click(),
  Escape: () => goTo($(".crumb a")),
};
document.addEventListener("keydown", (event) => {
  const tab = event.target.closest("[role=tab]");
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (tab && by) {
    const all = $$("[role=tab]", tab.parentElement);
    const next = all[(all.indexOf(tab) + by + all.length) % all.length];
    choose(next);
    return next.focus();
  }
  if (event.key === "Escape" && event.target.matches("[data-find]")) return event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (document.documentElement.dataset.keys === "off") return;
  if (event.key === " " && (!$("[data-pause]") || event.target.closest("button, a, summary"))) return;
  if (event.timeStamp - going < 1500) {
    going = -Infinity;
    const place = $(`[data-go="${CSS.escape(event.key)}"]`);
    if (place) return goTo(place);
  }
  if (event.key === "g") going = event.timeStamp;
  else if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});
