// Keeps the training page fresh: its parts are taken from the same page, loaded again. Without it
// the page is complete, and shows the moment it was loaded.
const EVERY_MS = 3000;
const silent = document.getElementById("silent");
let heardAt = Date.now();

async function look() {
  try {
    const response = await fetch(location.href, { redirect: "manual", signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`answered ${response.status}`);
    show(new DOMParser().parseFromString(await response.text(), "text/html"));
    heardAt = Date.now();
    silent.hidden = true;
  } catch {
    const seconds = Math.round((Date.now() - heardAt) / 1000);
    silent.textContent = `The hub has not answered for ${seconds} s; this page is as old. Trying again.`;
    silent.hidden = false;
  }
  setTimeout(look, document.hidden ? 5 * EVERY_MS : EVERY_MS);
}

function show(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const news = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    // What has the focus stays: replacing it would lose a person's place.
    if (!news || news.innerHTML === part.innerHTML || part.contains(document.activeElement)) continue;
    part.innerHTML = news.innerHTML;
  }
}

setTimeout(look, EVERY_MS);
