// Keeps a page of live figures fresh: its parts arrive as HTML, its charts as JSON. Nothing here
// decides; without it the page is complete, and shows the moment it was loaded.
const EVERY_MS = 5000;
const root = document.querySelector("[data-live-url]");
const moved = document.getElementById("moved");
const silent = document.getElementById("silent");
const shown = new Map();
let timer = 0;
let heardAt = Date.now();

for (const note of root.querySelectorAll("[data-loading]")) note.textContent = "Drawing the chart…";

function theme() {
  const chosen = document.documentElement.classList;
  if (chosen.contains("dark")) return "dark";
  if (chosen.contains("light")) return "light";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

async function look() {
  clearTimeout(timer);
  let answer = null;
  try {
    const response = await fetch(`${root.dataset.liveUrl}?theme=${theme()}`, {
      headers: { Accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.timeout(10_000),
    });
    if (response.type === "opaqueredirect") return say("You are signed out; load the page again to sign in.");
    if (!response.ok) throw new Error(`answered ${response.status}`);
    answer = await response.json();
  } catch {
    const seconds = Math.round((Date.now() - heardAt) / 1000);
    say(`The hub has not answered for ${seconds} s; these numbers are as old. Trying again.`);
  }
  if (answer) show(answer);
  if (!answer?.is_over) timer = setTimeout(look, EVERY_MS);
}

function show(answer) {
  heardAt = Date.now();
  silent.hidden = true;
  if (answer.signature !== root.dataset.signature) return moveOn();
  for (const [name, html] of Object.entries(answer.parts)) {
    const part = root.querySelector(`[data-live="${name}"]`);
    if (!part || shown.get(name) === html) continue;
    shown.set(name, html);
    part.innerHTML = html;
  }
  for (const [name, figure] of Object.entries(answer.figures)) draw(name, figure, answer.config);
  tick();
}

function draw(name, figure, config) {
  const place = root.querySelector(`[data-figure="${name}"]`);
  const said = JSON.stringify(figure);
  if (!place || shown.get(`figure ${name}`) === said) return;
  shown.set(`figure ${name}`, said);
  place.querySelector("[data-loading]")?.remove();
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", place.dataset.label);
  globalThis.Plotly.react(place, figure.data, figure.layout, config);
}

// The buttons are out of date. What someone is typing is not taken away; it would be refused, and
// kept, by the server.
function moveOn() {
  if (document.querySelector("dialog[open]")) moved.hidden = false;
  else location.reload();
}

function say(text) {
  silent.textContent = text;
  silent.hidden = false;
}

function tick() {
  for (const time of root.querySelectorAll("[data-age]")) {
    const seconds = Number(time.dataset.age) + Math.round((Date.now() - heardAt) / 1000);
    if (seconds < 120) time.textContent = `${seconds} s ago`;
  }
}

new MutationObserver(look).observe(document.documentElement, { attributeFilter: ["class"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", look);
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
setInterval(tick, 1000);
tick();
look();
