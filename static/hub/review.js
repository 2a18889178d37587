// The review page: what is shown, and what each key does.
import { ReviewQueue } from "./review-queue.js";

const HEARTBEAT_MS = 60_000;
const find = (id) => document.getElementById(id);
const root = find("review");
const form = find("answer");
const note = find("note");
const fast = find("fast");
const radios = [...form.querySelectorAll("input[name=value]")];

const queue = new ReviewQueue({ api: root.dataset.api, scope: root.dataset.scope, csrf: csrfToken });
let shown = null;
let shownAt = 0;
let answered = Number(find("answered").textContent);

function csrfToken() {
  // The cookie first: it changes when one signs in again in another tab.
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? form.csrfmiddlewaretoken.value;
}

// --- Showing ---

function render() {
  const item = queue.current;
  // Out of samples while the next claim is under way is loading too.
  const state = item ? "item" : queue.claim.state === "ready" ? "loading" : queue.claim.state;
  find("work").hidden = state !== "item";
  find("loading").hidden = state !== "loading";
  find("empty").hidden = state !== "empty";
  find("trouble").hidden = state !== "trouble" && state !== "refused";
  if (item) renderItem(item);
  else shown = null;
  if (state === "empty") renderEmpty();
  if (!find("trouble").hidden) renderTrouble(state);
  renderState();
}

function renderItem(item) {
  find("position").textContent =
    queue.items.length > 1 ? `${queue.position + 1} of ${queue.items.length} reserved for you` : "";
  renderLease();
  if (shown?.id === item.id) return;
  shown = item;
  shownAt = performance.now();
  const text = find("text");
  text.textContent = item.text;
  text.scrollTop = 0;
  find("reason").textContent = item.reason ?? "";
  find("reason").hidden = !item.reason;
  const draft = queue.draft(item.id);
  for (const radio of radios) radio.checked = radio.value === draft.value;
  note.value = draft.note ?? "";
  showNote(Boolean(note.value));
  const isNewer = item.guideline > Number(root.dataset.guideline);
  find("new-guideline").hidden = !isNewer;
  find("new-guideline-number").textContent = item.guideline;
}

function renderEmpty() {
  const { empty } = queue.claim;
  find("empty-why").textContent =
    empty?.message ?? "Nothing is waiting. New samples arrive with feedback; this page looks again by itself.";
}

function renderTrouble(state) {
  find("trouble-why").textContent = queue.signedOut
    ? "You are signed out. Sign in again (it opens in another tab), then go on here."
    : state === "refused"
      ? queue.claim.error
      : `${keptAnswers()}It is tried again by itself; check your network if this lasts.`;
  renderSignIn(find("trouble-why"));
}

function renderSignIn(after) {
  root.querySelectorAll(".sign-in").forEach((each) => each.remove());
  if (!queue.signedOut) return;
  const link = document.createElement("a");
  Object.assign(link, { className: "sign-in", href: root.dataset.login, target: "_blank", textContent: "Sign in" });
  const again = document.createElement("button");
  Object.assign(again, { type: "button", className: "sign-in button button--quiet button--small", textContent: "Send again" });
  again.dataset.act = "again";
  after.append(" ", link, " ", again);
}

function keptAnswers() {
  const count = queue.sending;
  if (!count) return "";
  return `${count === 1 ? "One answer is" : `${count} answers are`} kept on this device. `;
}

function renderState() {
  const state = find("state");
  const isWaiting = queue.failures > 0 || queue.signedOut;
  state.dataset.state = isWaiting ? "waiting" : "";
  if (queue.signedOut) {
    state.textContent = `◆ Signed out. ${keptAnswers()}`;
    renderSignIn(state);
  } else if (isWaiting) state.textContent = `◆ Not saved yet. ${keptAnswers()}Trying again.`;
  else if (queue.sending) state.textContent = "Saving…";
  else state.textContent = answered ? "✓ All saved" : "";
  find("answered").textContent = answered;
  find("depth-part").hidden = queue.waiting === null;
  // The hub counts to a thousand.
  find("depth").textContent = queue.free >= 1000 ? "over 1,000" : (queue.waiting ?? "");
}

function renderLease() {
  const lease = find("lease");
  const until = queue.current?.expires_at; // An item taken back after its answer has none.
  const left = until ? Math.ceil((Date.parse(until) - Date.now()) / 1000) : 99;
  lease.hidden = !(left <= 60); // Without a lease there is no time to tell.
  if (left <= 0) lease.textContent = "Your reservation has run out; your answer still counts as an opinion";
  else lease.textContent = `Reserved for you ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} more`;
}

function renderReveal({ item, type, value, reason }, { reveal } = {}) {
  const { prediction, votes, peers, why } = reveal ?? {};
  const facts = [["You said", type === "skip" ? `skip, ${reason}` : value]];
  if (prediction) facts.push(["Model said", withConfidence(prediction)]);
  if (votes && (votes.up || votes.down)) facts.push(["Users", `${votes.up ?? 0} up, ${votes.down ?? 0} down`]);
  if (peers?.length) facts.push(["Others said", peers.map((peer) => `${peer.value} (${peer.annotator})`).join(", ")]);
  if (why) facts.push(["Why it was here", why]);
  find("reveal-text").textContent = `“${item.text}”`;
  find("reveal-facts").replaceChildren(...facts.map(([name, text]) => fact(name, text)));
  find("reveal-none").hidden = true;
}

function clearReveal() {
  find("reveal-text").textContent = "";
  find("reveal-facts").replaceChildren();
  find("reveal-none").hidden = false;
}

function withConfidence({ label, confidence, model_version }) {
  const sure = confidence == null ? "" : `, ${Math.round(confidence * 100)} % sure`;
  return `${label}${sure}${model_version ? ` (${model_version})` : ""}`;
}

function fact(name, text) {
  const pair = document.createElement("div");
  const [term, value] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = `${name}:`;
  value.textContent = text;
  pair.append(term, value);
  return pair;
}

function toast(text) {
  const box = document.createElement("div");
  box.className = "toast";
  box.textContent = text;
  find("toasts").replaceChildren(box);
  setTimeout(() => box.remove(), 4000);
}

function showRefused({ op, error }) {
  const box = document.createElement("div");
  box.className = "notice notice--error";
  box.setAttribute("role", "alert");
  const words = document.createElement("p");
  const what = op.type === "undo" ? "The undo was not possible." : `Your answer “${op.value || op.reason}” was not taken.`;
  words.textContent = `${what} ${error.message}`;
  box.append(words);
  if (op.item && op.type !== "undo") {
    const text = document.createElement("p");
    text.className = "small";
    text.textContent = [op.item.text, op.note && `Your note: ${op.note}`].filter(Boolean).join(" — ");
    box.append(text);
  }
  const dismiss = document.createElement("button");
  Object.assign(dismiss, { type: "button", className: "button button--quiet button--small", textContent: "Dismiss" });
  dismiss.addEventListener("click", () => box.remove());
  box.append(dismiss);
  find("refused").append(box);
}

// --- Doing ---

const chosen = () => radios.find((radio) => radio.checked)?.value ?? "";
const seconds = () => Math.round((performance.now() - shownAt) / 100) / 10;

function submit() {
  if (!queue.current) return;
  if (!chosen()) {
    toast("Choose a label first, or skip.");
    return;
  }
  answer({ kind: "label", value: chosen() });
}

function skip(reason) {
  find("skip-menu").close();
  if (queue.current) answer({ kind: "skip", reason });
}

function answer(said) {
  renderReveal({ type: said.kind, item: queue.current, ...said });
  queue.answer({ ...said, note: note.value.trim(), seconds: seconds() });
  // A radio that keeps the focus would swallow the arrow keys on the next sample.
  document.activeElement?.blur();
}

function undo() {
  clearReveal();
  queue.undo();
}

function choose(radio) {
  radio.checked = true;
  keepDraft();
  if (fast.checked) submit();
}

function keepDraft() {
  if (shown) queue.keepDraft(shown.id, { value: chosen(), note: note.value });
}

function showNote(isOpen) {
  find("note-field").hidden = !isOpen;
  root.querySelector("[data-act=note]").setAttribute("aria-expanded", String(isOpen));
}

function writeNote() {
  showNote(true);
  note.focus();
}

function toggle(dialog) {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

const ACTS = {
  skip: () => queue.current && find("skip-menu").showModal(),
  unclear: () => skip("unclear"),
  spam: () => skip("spam"),
  note: () => queue.current && writeNote(),
  undo,
  again: () => queue.retry(),
};

// --- Keys ---

const LETTERS = { s: ACTS.skip, f: ACTS.spam, n: ACTS.note, u: undo, g: () => toggle(find("guidelines")), "?": () => toggle(find("keys")) };

function digitOf(event) {
  // By place on the keyboard: on AZERTY the digit row types other characters.
  return event.shiftKey ? null : (event.code.match(/^(?:Digit|Numpad)(\d)$/)?.[1] ?? null);
}

function isTyping(event) {
  const tag = event.target.closest?.("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");
  return Boolean(tag) || event.isComposing || event.keyCode === 229;
}

function onKey(event) {
  if (event.target === note && !event.isComposing) return onNoteKey(event);
  if (isTyping(event) || event.defaultPrevented) return;
  const isUndo = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "z";
  if (isUndo) return run(event, undo);
  // A key held down must not answer the next sample too.
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const dialog = document.querySelector("dialog[open]");
  if (dialog) return onDialogKey(event, dialog);
  const digit = digitOf(event);
  if (digit !== null) return onDigit(event, digit);
  if (event.key === "Enter" && !event.target.closest?.("button, a, summary")) return run(event, submit);
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") return onArrow(event);
  const act = LETTERS[event.key.toLowerCase()];
  if (act) run(event, act);
}

function run(event, act) {
  event.preventDefault();
  act();
}

function onDigit(event, digit) {
  if (!queue.current) return;
  if (digit === "0") return run(event, ACTS.unclear);
  const radio = radios.find((each) => each.dataset.key === digit);
  if (radio) run(event, () => choose(radio));
}

function onArrow(event) {
  // Inside the radio group arrows choose, as everywhere.
  if (event.target.matches?.("input[type=radio]")) return;
  run(event, () => queue.move(event.key === "ArrowLeft" ? -1 : 1));
}

function onDialogKey(event, dialog) {
  const digit = digitOf(event);
  if (dialog.id === "skip-menu" && digit !== null) {
    const reason = dialog.querySelector(`[data-key="${digit}"]`);
    if (reason) run(event, () => skip(reason.dataset.skip));
  } else if (dialog.id === "guidelines" && event.key.toLowerCase() === "g") run(event, () => dialog.close());
  else if (dialog.id === "keys" && event.key === "?") run(event, () => dialog.close());
}

function onNoteKey(event) {
  if (event.key === "Escape") run(event, () => (note.blur(), showNote(Boolean(note.value))));
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat) run(event, submit);
}

// --- Wiring ---

queue.addEventListener("change", ({ detail }) => {
  if (detail.what === "state") renderState();
  else if (detail.what === "lease") renderLease();
  else render();
});
queue.addEventListener("saved", ({ detail: { op, answer } }) => {
  answered += 1;
  // The strip shows the last answer, and the hub's words for it may come after the next one.
  if (queue.history.at(-1) === op) renderReveal(op, answer);
});
queue.addEventListener("undone", () => {
  answered = Math.max(0, answered - 1);
});
queue.addEventListener("refused", ({ detail }) => showRefused(detail));

document.addEventListener("keydown", onKey);
form.addEventListener("submit", (event) => run(event, submit));
note.addEventListener("input", keepDraft);
for (const radio of radios) {
  // A click chooses; only a pointer in fast mode also submits (arrow keys in the group must not).
  radio.addEventListener("change", keepDraft);
  radio.addEventListener("click", (event) => event.detail > 0 && choose(radio));
}
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-act], [data-skip]");
  if (button?.dataset.skip) skip(button.dataset.skip);
  else if (button) ACTS[button.dataset.act]();
});

// One key a label unless someone chose otherwise: an answer can be taken back.
fast.checked = localStorage.getItem("hub.review.fast") !== "0";
fast.addEventListener("change", () => localStorage.setItem("hub.review.fast", fast.checked ? "1" : "0"));

setInterval(renderLease, 1000);
setInterval(() => document.visibilityState === "visible" && queue.heartbeat(), HEARTBEAT_MS);
addEventListener("online", () => queue.retry());
addEventListener("pagehide", () => queue.release());
addEventListener("pageshow", (event) => event.persisted && queue.refill());
addEventListener("beforeunload", (event) => {
  // Only while the hub is out of reach: else what is on its way arrives without this page.
  if (queue.sending && queue.failures) event.preventDefault();
});

queue.start();
