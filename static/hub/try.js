// Swaps the answer in without a reload. Without this script the same forms load the same page.
const result = document.getElementById("result");
const text = document.getElementById("text");

async function send(form, button) {
  const body = new FormData(form, button);
  const buttons = document.querySelectorAll("main button");
  for (const each of buttons) each.disabled = true;
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { "X-Part": "answer" } });
    if (response.status === 403) return say("This page has expired. Reload it; your text stays.");
    result.innerHTML = await response.text();
  } catch {
    say("The hub does not answer. Your text is still here; try again.");
  } finally {
    for (const each of buttons) each.disabled = false;
  }
}

function say(words) {
  const notice = document.createElement("p");
  notice.className = "notice notice--error";
  notice.setAttribute("role", "alert");
  notice.textContent = words;
  result.prepend(notice);
}

addEventListener("submit", (event) => {
  if (!event.target.closest("main")) return;
  event.preventDefault();
  send(event.target, event.submitter);
});

text?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) text.form.requestSubmit();
});
