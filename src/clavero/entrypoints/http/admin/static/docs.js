// The viewer knows two themes and does not ask the system which one is wanted.
const viewer = document.querySelector("rapi-doc");
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const dress = () => {
  viewer.setAttribute("theme", dark.matches ? "dark" : "light");
  viewer.setAttribute("primary-color", dark.matches ? "#5cc4cb" : "#0b6872");
};
dark.addEventListener("change", dress);
dress();
