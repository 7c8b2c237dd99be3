// The link's token stands in the fragment, which browsers never send: take it out of the address and post it.
// A link that is opened where this page already stands only changes the fragment.
const form = document.querySelector("[data-signin]");
const post = () => {
  const token = location.hash.slice(1);
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.link.value = token;
  document.querySelector("[data-idle]").hidden = true;
  form.querySelector("[data-working]").hidden = false;
  form.submit();
};
addEventListener("hashchange", post);
post();
