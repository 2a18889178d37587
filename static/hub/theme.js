// Runs before the first paint, so that a chosen theme never flashes the other one. The key is the
// one unfold's admin keeps its choice under: one toggle serves both.
const KEY = "adminTheme";

function chosenTheme() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? "auto";
  } catch {
    return "auto";
  }
}

function applyTheme(theme) {
  document.documentElement.classList.toggle("dark", theme === "dark");
  document.documentElement.classList.toggle("light", theme === "light");
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
  }
}

applyTheme(chosenTheme());
addEventListener("DOMContentLoaded", () => applyTheme(chosenTheme()));
addEventListener("storage", (event) => event.key === KEY && applyTheme(chosenTheme()));
addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-theme-choice]");
  if (!button) return;
  localStorage.setItem(KEY, JSON.stringify(button.dataset.themeChoice));
  applyTheme(button.dataset.themeChoice);
});
