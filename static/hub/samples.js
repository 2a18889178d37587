// While a worker is at it, look how far it is; load the page anew when it has finished.
const EVERY_MS = 1500;

async function look() {
  try {
    const response = await fetch(location.href, { redirect: "manual", signal: AbortSignal.timeout(10_000) });
    if (response.ok) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const news = page.getElementById("busy");
      if (!news?.hasAttribute("data-busy")) {
        location.replace(location.href);
        return;
      }
      document.getElementById("busy").innerHTML = news.innerHTML;
    }
  } catch {
    // The hub did not answer: the next look may find it.
  }
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
